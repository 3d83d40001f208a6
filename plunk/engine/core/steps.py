"""The step types: what each one's configuration says once it has been read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import time, timedelta
from typing import Literal, TypeAlias

from plunk.conditions import nodes
from plunk.engine.core.effects import RecipientType, Retry

SubscriptionAction: TypeAlias = Literal["none", "subscribe", "unsubscribe"]
SegmentAction: TypeAlias = Literal["add", "remove"]


@dataclass(frozen=True, slots=True)
class Trigger:
    """Where runs begin."""

    event_name: str | None


@dataclass(frozen=True, slots=True)
class SendEmail:
    """Queue one message; `address` (text or `$expr`) is for custom recipients."""

    template_id: str
    recipient_type: RecipientType = "CONTACT"
    address: object = None
    overrides: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Delay:
    """Stand still for a while."""

    amount: float
    unit: str
    length: timedelta


@dataclass(frozen=True, slots=True)
class Offset:
    """So much later than a time, or earlier when it is negative."""

    amount: float
    unit: str


@dataclass(frozen=True, slots=True)
class DelayUntil:
    """Stand still until a time (ISO text or `$expr`); one that is past delays nobody."""

    time: object
    offset: Offset | None = None
    exits_when_past: bool = False


@dataclass(frozen=True, slots=True)
class DelayUntilTimeOfDay:
    """Stand still until the clock of the subject's zone shows a time; Monday is day 0."""

    at: time
    days: frozenset[int] | None = None


@dataclass(frozen=True, slots=True)
class WaitForEvent:
    """Stand still until an event arrives, or for ever without a time-out."""

    event_name: str
    timeout: timedelta | None = None
    where: nodes.Condition | None = None


@dataclass(frozen=True, slots=True)
class WaitForCondition:
    """Stand still until a condition holds, or for ever without a time-out."""

    condition: nodes.Condition
    timeout: timedelta | None = None


@dataclass(frozen=True, slots=True)
class BinaryCondition:
    """One comparison with the ways yes and no; `shown` is the field as configured."""

    shown: object
    test: nodes.Test


@dataclass(frozen=True, slots=True)
class Branch:
    """One way out of a multi-branch condition."""

    id: str
    name: str
    test: nodes.Test


@dataclass(frozen=True, slots=True)
class MultiCondition:
    """Comparisons of one field; the first that holds names the way."""

    shown: object
    field: nodes.Operand
    branches: tuple[Branch, ...]


@dataclass(frozen=True, slots=True)
class ExpressionCondition:
    """A whole condition tree with the ways yes and no."""

    condition: nodes.Condition


@dataclass(frozen=True, slots=True)
class Share:
    """One way out of a split and how many of a hundred take it."""

    id: str
    name: str
    weight: float


@dataclass(frozen=True, slots=True)
class Split:
    """Ways that subjects are spread over; who falls to none of them goes the way `default`."""

    shares: tuple[Share, ...]


@dataclass(frozen=True, slots=True)
class Webhook:
    """Call an address; None as body means the usual description of contact and run."""

    url: object
    method: str
    headers: Mapping[str, object]
    body: object
    bind_as: str | None = None
    retry: Retry | None = None


@dataclass(frozen=True, slots=True)
class UpdateContact:
    """Change the contact's data, its subscription, or both."""

    updates: Mapping[str, object]
    subscription_action: SubscriptionAction = "none"


@dataclass(frozen=True, slots=True)
class Track:
    """Emit an event for the contact."""

    event_name: str
    data: Mapping[str, object] | None = None


@dataclass(frozen=True, slots=True)
class ChangeSegment:
    """Put the contact into a static segment, or take it out."""

    action: SegmentAction
    segment_id: str


@dataclass(frozen=True, slots=True)
class Exit:
    """End the run here."""

    reason: str


@dataclass(frozen=True, slots=True)
class Broken:
    """A configuration that cannot be carried out; the step fails when a run gets there."""

    problem: str


Action: TypeAlias = (
    Trigger
    | SendEmail
    | Delay
    | DelayUntil
    | DelayUntilTimeOfDay
    | WaitForEvent
    | WaitForCondition
    | BinaryCondition
    | MultiCondition
    | ExpressionCondition
    | Split
    | Webhook
    | UpdateContact
    | Track
    | ChangeSegment
    | Exit
    | Broken
)


def conditions_of(action: Action) -> tuple[nodes.Condition, ...]:
    """Return the conditions that carrying out an action may look at."""
    match action:
        case BinaryCondition(test=test):
            return (test,)
        case MultiCondition(branches=branches):
            return tuple(branch.test for branch in branches)
        case ExpressionCondition(condition) | WaitForCondition(condition):
            return (condition,)
        case WaitForEvent(where=where) if where is not None:
            return (where,)
    return ()
