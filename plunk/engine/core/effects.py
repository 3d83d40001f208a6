"""What the core asks the shell to do, as values; the core itself does nothing.

Text in an effect is still to be rendered once, with the contact, context and variables that
travel with it. What stands in `Final` must never be rendered: it holds other people's data,
and placeholders in that data are just characters.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias

from plunk.engine.core.facts import Contact

RecipientType: TypeAlias = Literal["CONTACT", "CUSTOM"]


@dataclass(frozen=True, slots=True)
class Final:
    """A value that is used as it stands, however much it looks like a template."""

    value: object


@dataclass(frozen=True, slots=True)
class Scope:
    """What templates of one visit may use, as it was at that step."""

    contact: Contact
    context: Mapping[str, object] | None
    variables: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class QueueEmail:
    """Store one message; with a `refusal` it is stored as failed for that reason.

    `overrides` may hold from, fromName and replyTo (literal), and subject (text to render, or
    Final).
    """

    template_id: str
    recipient_type: RecipientType
    address: str
    overrides: Mapping[str, object]
    refusal: str | None
    scope: Scope


@dataclass(frozen=True, slots=True)
class Retry:
    """Which ends of a call are tried again, and how often in all."""

    attempts: int
    on: tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class CallWebhook:
    """Store one call; its end comes back as `CallReturned` with this visit's number.

    Strings in url, in header values and anywhere in body are templates, except in Final. There,
    and nowhere else, texts may be Concealed.
    """

    url: object
    method: str
    headers: Mapping[str, object]
    body: object
    retry: Retry | None
    scope: Scope


@dataclass(frozen=True, slots=True)
class MergeContact:
    """Merge into the contact's data; null deletes the key."""

    patch: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class SetSubscription:
    """Change the subscription and tell the world; only emitted for a real change."""

    subscribed: bool


@dataclass(frozen=True, slots=True)
class TrackEvent:
    """Store an event of the contact, and set going what listens for it."""

    name: str
    data: Mapping[str, object] | None


@dataclass(frozen=True, slots=True)
class ChangeMembership:
    """Put the contact into a static segment or take it out; either may already be so."""

    segment_id: str
    is_member: bool


Effect: TypeAlias = (
    QueueEmail | CallWebhook | MergeContact | SetSubscription | TrackEvent | ChangeMembership
)
