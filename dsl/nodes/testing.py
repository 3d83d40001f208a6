"""What stands in a test."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TypeAlias

from dsl.nodes.actions import Track
from dsl.nodes.broken import Broken
from dsl.nodes.conditions import Condition
from dsl.nodes.headers import Timezone
from dsl.nodes.values import Duration, Object, Text
from dsl.spans import NOWHERE, Span


@dataclass(frozen=True, slots=True)
class UnderTest:
    """workflow "name"."""

    workflow: Text
    span: Span = field(default=NOWHERE, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class StartsAt:
    """at "2026-03-01T09:00"."""

    time: Text
    span: Span = field(default=NOWHERE, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Person:
    """contact { … }."""

    data: Object
    span: Span = field(default=NOWHERE, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Started:
    """start [{ context }]."""

    context: Object | None = None
    span: Span = field(default=NOWHERE, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Advance:
    """advance 3 days."""

    length: Duration
    span: Span = field(default=NOWHERE, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class AdvanceUntil:
    """advance until "2026-03-01T09:00"."""

    time: Text
    span: Span = field(default=NOWHERE, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class MockWebhook:
    """mock webhook "url pattern" { answer }."""

    url: Text
    answer: Object
    span: Span = field(default=NOWHERE, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class MockRandom:
    """mock random [@label] "branch" | else."""

    label: Text | None = None
    branch: Text | None = None
    span: Span = field(default=NOWHERE, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class SetContact:
    """set contact { … }."""

    data: Object
    span: Span = field(default=NOWHERE, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Unsubscribed:
    """unsubscribe contact."""

    span: Span = field(default=NOWHERE, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Subscribed:
    """subscribe contact."""

    span: Span = field(default=NOWHERE, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class ExpectEmail:
    """expect email "t" [to "…"]."""

    template: Text
    to: Text | None = None
    span: Span = field(default=NOWHERE, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class ExpectNoEmail:
    """expect no email ["t"]."""

    template: Text | None = None
    span: Span = field(default=NOWHERE, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class ExpectWebhook:
    """expect webhook "url" [{ body: … }]."""

    url: Text
    options: Object | None = None
    span: Span = field(default=NOWHERE, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class ExpectEvent:
    """expect event "x"."""

    event: Text
    span: Span = field(default=NOWHERE, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class ExpectWaiting:
    """expect waiting [at @label]."""

    label: Text | None = None
    span: Span = field(default=NOWHERE, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class ExpectEnded:
    """expect completed | failed ["reason"]."""

    outcome: str
    reason: Text | None = None
    span: Span = field(default=NOWHERE, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class ExpectNotEntered:
    """expect not entered."""

    span: Span = field(default=NOWHERE, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class ExpectGoal:
    """expect goal "g"."""

    goal: Text
    span: Span = field(default=NOWHERE, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class ExpectCondition:
    """expect condition."""

    condition: Condition
    span: Span = field(default=NOWHERE, compare=False, repr=False)


Expectation: TypeAlias = (
    ExpectEmail
    | ExpectNoEmail
    | ExpectWebhook
    | ExpectEvent
    | ExpectWaiting
    | ExpectEnded
    | ExpectNotEntered
    | ExpectGoal
    | ExpectCondition
)
TestItem: TypeAlias = (
    UnderTest
    | StartsAt
    | Timezone
    | Person
    | Track
    | Started
    | Advance
    | AdvanceUntil
    | MockWebhook
    | MockRandom
    | SetContact
    | Unsubscribed
    | Subscribed
    | Expectation
    | Broken
)
