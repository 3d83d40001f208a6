"""Declarations, and the file that holds them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TypeAlias

from dsl.nodes.actions import (
    ChangeMembership,
    Edge,
    Exit,
    RawStep,
    SendEmail,
    Subscribe,
    Track,
    Unsubscribe,
    UpdateContact,
    Webhook,
)
from dsl.nodes.branching import Goto, If, Split, Switch
from dsl.nodes.broken import Broken
from dsl.nodes.conditions import Condition
from dsl.nodes.headers import HEADERS, Description, Header
from dsl.nodes.parts import Block
from dsl.nodes.pauses import Wait, WaitClock, WaitForEvent, WaitUntil
from dsl.nodes.testing import TestItem
from dsl.nodes.values import Object, Text
from dsl.spans import NOWHERE, Span

# What has a step of its own, and may be labelled.
Action: TypeAlias = (
    SendEmail
    | Wait
    | WaitForEvent
    | WaitUntil
    | WaitClock
    | If
    | Switch
    | Split
    | Webhook
    | UpdateContact
    | Subscribe
    | Unsubscribe
    | ChangeMembership
    | Track
    | Exit
    | RawStep
)
Statement: TypeAlias = Action | Goto | Edge | Broken
Item: TypeAlias = Header | Statement


@dataclass(frozen=True, slots=True)
class Workflow:
    """workflow "name" { headers and statements }."""

    name: Text
    body: Block
    span: Span = field(default=NOWHERE, compare=False, repr=False)

    @property
    def headers(self) -> tuple[Header, ...]:
        """The headers, in the order written."""
        return tuple(item for item in self.body.items if isinstance(item, HEADERS))

    @property
    def statements(self) -> tuple[Statement, ...]:
        """The statements, in the order written."""
        return tuple(item for item in self.body.items if not isinstance(item, HEADERS))


@dataclass(frozen=True, slots=True)
class Template:
    """template "name" { key: value … }."""

    name: Text
    fields: Object
    span: Span = field(default=NOWHERE, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class SegmentWhere:
    """where condition."""

    condition: Condition
    span: Span = field(default=NOWHERE, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Keep:
    """track membership."""

    span: Span = field(default=NOWHERE, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Static:
    """static."""

    span: Span = field(default=NOWHERE, compare=False, repr=False)


SegmentItem: TypeAlias = SegmentWhere | Description | Keep | Static | Broken


@dataclass(frozen=True, slots=True)
class Segment:
    """segment "name" { items }."""

    name: Text
    items: tuple[SegmentItem, ...]
    span: Span = field(default=NOWHERE, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class TestBlock:
    """test "name" { items }."""

    name: Text
    items: tuple[TestItem, ...]
    span: Span = field(default=NOWHERE, compare=False, repr=False)


Declaration: TypeAlias = Workflow | Template | Segment | TestBlock | Broken


@dataclass(frozen=True, slots=True)
class File:
    """All declarations of one file."""

    declarations: tuple[Declaration, ...] = ()
    span: Span = field(default=NOWHERE, compare=False, repr=False)
