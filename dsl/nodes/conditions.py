"""Conditions: tests of values and of what has happened, joined by and, or, not."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TypeAlias

from dsl.nodes.parts import Reference
from dsl.nodes.values import Duration, Operand, Text
from dsl.spans import NOWHERE, Span


@dataclass(frozen=True, slots=True)
class Bare:
    """A value standing alone as a condition: it must be true."""

    subject: Operand
    span: Span = field(default=NOWHERE, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Test:
    """subject operator value; the operator by its JSON name."""

    subject: Operand
    operator: str
    value: Operand | None = None
    span: Span = field(default=NOWHERE, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Not:
    """not part."""

    part: Condition
    span: Span = field(default=NOWHERE, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class AllOf:
    """part and part …, never directly inside another AllOf."""

    parts: tuple[Condition, ...]
    span: Span = field(default=NOWHERE, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class AnyOf:
    """part or part …, never directly inside another AnyOf."""

    parts: tuple[Condition, ...]
    span: Span = field(default=NOWHERE, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Window:
    """within 30 days, or older than 30 days."""

    length: Duration
    is_older: bool = False
    span: Span = field(default=NOWHERE, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Member:
    """contact [not] in segment "s"."""

    subject: Operand
    segment: Reference
    is_negated: bool = False
    span: Span = field(default=NOWHERE, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Triggered:
    """triggered "event" [where (c)] [window]."""

    event: Text
    where: Condition | None = None
    window: Window | None = None
    span: Span = field(default=NOWHERE, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Mailed:
    """opened "template" [window]; without a template, any e-mail."""

    activity: str
    template: Reference | None = None
    window: Window | None = None
    span: Span = field(default=NOWHERE, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Counted:
    """count "event" [where (c)] [window] operator value."""

    event: Text
    where: Condition | None
    window: Window | None
    operator: str
    value: Operand
    span: Span = field(default=NOWHERE, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class RawCondition:
    """json "…": a filter that no other words say."""

    json: Text
    span: Span = field(default=NOWHERE, compare=False, repr=False)


Leaf: TypeAlias = Bare | Test | Member | Triggered | Mailed | Counted | RawCondition
Condition: TypeAlias = Leaf | Not | AllOf | AnyOf
CONDITIONS = (Bare, Test, Member, Triggered, Mailed, Counted, RawCondition, Not, AllOf, AnyOf)
LEAVES = (Bare, Test, Member, Triggered, Mailed, Counted, RawCondition)
