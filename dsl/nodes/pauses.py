"""Statements that wait."""

from __future__ import annotations

from dataclasses import dataclass, field

from dsl.nodes.conditions import Condition
from dsl.nodes.parts import Block, Offset, Prefix
from dsl.nodes.values import Duration, Operand, Text
from dsl.spans import NOWHERE, Span


@dataclass(frozen=True, slots=True)
class Wait:
    """wait 3 days."""

    duration: Duration
    prefix: Prefix | None = None
    span: Span = field(default=NOWHERE, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class WaitForEvent:
    """wait for event "x" [where c] [up to d] [{…} [timeout {…}]]."""

    event: Text
    where: Condition | None = None
    limit: Duration | None = None
    body: Block | None = None
    timeout: Block | None = None
    prefix: Prefix | None = None
    span: Span = field(default=NOWHERE, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class WaitUntil:
    """wait until a time, or until a condition holds."""

    moment: Operand
    offset: Offset | None = None
    exits_when_past: bool = False
    limit: Duration | None = None
    body: Block | None = None
    timeout: Block | None = None
    prefix: Prefix | None = None
    span: Span = field(default=NOWHERE, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class WaitClock:
    """wait until 09:00 [on monday, friday]."""

    time: Text
    days: tuple[Text, ...] = ()
    prefix: Prefix | None = None
    span: Span = field(default=NOWHERE, compare=False, repr=False)
