"""Tracking: an application tells what one of its users did."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from plunk.addresses import normalise
from plunk.engine.core.signals import is_reserved
from plunk.errors import FieldProblem, Invalid
from plunk.services import contact_sets, contacts, events
from plunk.services.contacts import ContactDraft
from plunk.services.events import NewEvent


@dataclass(frozen=True, slots=True)
class TrackRequest:
    """One event of one contact; `data` also merges into the contact."""

    event: str
    email: str
    subscribed: bool | None = None
    data: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Tracked:
    """A stored event."""

    contact_id: str
    event_id: str
    timestamp: datetime


def track(
    session: Session, project_id: str, request: TrackRequest, *, trusted: bool, now: datetime
) -> Tracked:
    """Upsert the contact, store the event and set going what listens for it.

    `trusted` is false for the public key, which never undoes a person's own unsubscribe.
    """
    refuse_reserved(request.event)
    draft = ContactDraft(normalise(request.email), request.subscribed, request.data)
    known = contact_sets.hold_one(session, project_id, draft.email)
    if known is not None and known.merge(draft, may_resubscribe=trusted, now=now) is known:
        contact = known.facts()  # the usual case: it stays as it is
    else:
        saved = contacts.save(
            session, project_id, draft, now=now, may_resubscribe=trusted, event_follows=True
        )
        contact = contacts.facts_of(saved.contact)
    event = NewEvent(request.event, contact=contact, data=request.data)
    events.record(session, project_id, [event], now=now)
    return Tracked(contact.id, event.id, now)


def refuse_reserved(name: str) -> None:
    """Raise Invalid when the name belongs to the system."""
    if is_reserved(name):
        message = f"The event name {name} is reserved; choose another one."
        item = FieldProblem("event", message, "reserved_event", name)
        raise Invalid([item], "The event name is reserved for the system.", manual=True)
