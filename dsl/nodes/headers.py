"""Headers of a workflow."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TypeAlias

from dsl.nodes.conditions import Condition
from dsl.nodes.parts import Offset, Reference
from dsl.nodes.values import Duration, Name, Text
from dsl.spans import NOWHERE, Span


@dataclass(frozen=True, slots=True)
class Description:
    """description "…"."""

    text: Text
    span: Span = field(default=NOWHERE, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class OnEvent:
    """on event "x" [where c]."""

    event: Text
    where: Condition | None = None
    span: Span = field(default=NOWHERE, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class OnSegment:
    """on segment "s" entry | exit."""

    segment: Reference
    is_entry: bool = True
    span: Span = field(default=NOWHERE, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class OnSchedule:
    """on schedule "cron" [in "zone"] for segment "s"."""

    cron: Text
    zone: Text | None
    segment: Reference
    span: Span = field(default=NOWHERE, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class OnDate:
    """on date field [offset] [every year] [at 09:00]."""

    date: Name
    offset: Offset | None = None
    is_yearly: bool = False
    at: Text | None = None
    span: Span = field(default=NOWHERE, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class OnManual:
    """on manual."""

    span: Span = field(default=NOWHERE, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Reentry:
    """reentry never | always | after <duration>."""

    policy: str
    after: Duration | None = None
    span: Span = field(default=NOWHERE, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class EventHappens:
    """event "x" [where c]."""

    event: Text
    where: Condition | None = None
    span: Span = field(default=NOWHERE, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class ConditionHolds:
    """A condition that has come true."""

    condition: Condition
    span: Span = field(default=NOWHERE, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Stop:
    """stop when something happens."""

    when: Happening
    span: Span = field(default=NOWHERE, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Goal:
    """goal "name" when something happens [then exit]."""

    name: Text
    when: Happening
    exits: bool = False
    span: Span = field(default=NOWHERE, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Timezone:
    """timezone field [default "UTC"], or timezone "UTC"."""

    subject: Name | None = None
    default: Text | None = None
    span: Span = field(default=NOWHERE, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class QuietHours:
    """quiet hours 21:00 to 08:00."""

    start: Text
    end: Text
    span: Span = field(default=NOWHERE, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Disabled:
    """disabled."""

    span: Span = field(default=NOWHERE, compare=False, repr=False)


Happening: TypeAlias = EventHappens | ConditionHolds
Header: TypeAlias = (
    Description
    | OnEvent
    | OnSegment
    | OnSchedule
    | OnDate
    | OnManual
    | Reentry
    | Stop
    | Goal
    | Timezone
    | QuietHours
    | Disabled
)
HEADERS = (
    Description,
    OnEvent,
    OnSegment,
    OnSchedule,
    OnDate,
    OnManual,
    Reentry,
    Stop,
    Goal,
    Timezone,
    QuietHours,
    Disabled,
)
