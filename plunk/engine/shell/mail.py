"""Delivering mail: lease a few messages, hand them to the provider, record what it said.

Invariant I5: a message is handed over once. If the worker dies between the provider's answer and
our commit, at most the messages of its current chunk go out again, with the same Message-ID.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import structlog
from sqlalchemy import select, update
from sqlalchemy.orm import Session, sessionmaker

from plunk.clock import Clock, iso
from plunk.db import transaction
from plunk.delivery.outcomes import Accepted, Deferred, Outcome, Refused, Unknown
from plunk.delivery.provider import Provider
from plunk.delivery.retry import MAIL, next_attempt
from plunk.engine.core import facts
from plunk.engine.shell import lease
from plunk.engine.shell.letters import Letter, compose, load_letters
from plunk.engine.shell.rotation import projects_due
from plunk.models import Contact, Email
from plunk.services import contacts, events
from plunk.services.events import NewEvent

log = structlog.get_logger()
CHUNK = 20
LEASE = timedelta(minutes=5)
UNSUBSCRIBED = "The contact unsubscribed before the message was sent."
DISABLED = "The project was disabled before the message was sent."


@dataclass(frozen=True, slots=True)
class Mailer:
    """What the delivery of mail needs."""

    sessions: sessionmaker[Session]
    clock: Clock
    provider: Provider
    api_url: str
    random: Callable[[], float]
    chunk: int = CHUNK


def deliver_due(mailer: Mailer) -> int:
    """Give every project with due mail one chunk (I7); return how many messages were leased."""
    with transaction(mailer.sessions) as session:
        now = mailer.clock.now()
        lease.reclaim(session, Email, now=now)
        due = projects_due(session, Email.__table__, "next_attempt_at", now=now)  # type: ignore[arg-type] # __table__ is a Table
    return sum(deliver_project(mailer, project_id) for project_id in due)


def deliver_project(mailer: Mailer, project_id: str) -> int:
    """Deliver one chunk of a project's due mail; return how many messages were leased."""
    with transaction(mailer.sessions) as session:
        now = mailer.clock.now()
        token, leased = lease.take(
            session,
            Email,
            project_id,
            now=now,
            length=LEASE,
            limit=mailer.chunk,
            order=[Email.lane],
        )
        letters = load_letters(session, project_id, leased)
        ready = _recheck(session, letters, token, now)
    messages = [compose(letter, mailer.api_url) for letter in ready]
    outcomes = mailer.provider.deliver(messages) if messages else []
    with transaction(mailer.sessions) as session:
        _record(session, mailer, project_id, token, list(zip(ready, outcomes, strict=True)))
    return len(leased)


def _recheck(
    session: Session, letters: Iterable[Letter], token: str, now: datetime
) -> list[Letter]:
    """Return the letters that may still go out; the others end here (I11)."""
    ready = []
    for letter in letters:
        reason = DISABLED if letter.project_disabled else None
        if letter.needs_consent and not letter.subscribed:
            reason = UNSUBSCRIBED
        if reason:
            _end(session, letter, token, now, status="FAILED", error=reason)
        else:
            ready.append(letter)
    return ready


def _record(
    session: Session,
    mailer: Mailer,
    project_id: str,
    token: str,
    results: list[tuple[Letter, Outcome]],
) -> None:
    now = mailer.clock.now()
    sent = [
        letter
        for letter, outcome in results
        if _settle(session, mailer, letter, outcome, token, now)
    ]
    people = _people(session, [letter.contact_id for letter in sent])
    happened = [_sent_event(letter, people[letter.contact_id], now) for letter in sent]
    events.record(session, project_id, happened, now=now)


def _settle(
    session: Session, mailer: Mailer, letter: Letter, outcome: Outcome, token: str, now: datetime
) -> bool:
    """Write what became of one message; return whether it is SENT now, by this very write."""
    match outcome:
        case Accepted(provider_id):
            return _end(
                session, letter, token, now, status="SENT", sent_at=now, provider_id=provider_id
            )
        case Refused(reason):
            _end(session, letter, token, now, status="FAILED", error=reason)
        case Deferred(reason) | Unknown(reason):
            again = next_attempt(letter.attempts, now, mailer.random(), MAIL)
            if again is None:
                error = f"Given up after {letter.attempts} attempts: {reason}"
                _end(session, letter, token, now, status="FAILED", error=error)
            else:
                _end(
                    session,
                    letter,
                    token,
                    now,
                    status="PENDING",
                    error=reason,
                    next_attempt_at=again,
                )
    return False


def _end(session: Session, letter: Letter, token: str, now: datetime, **values: Any) -> bool:  # noqa: ANN401 - columns
    """End the lease with these values; False when the lease was lost to somebody else."""
    statement = (
        update(Email)
        .where(lease.held(Email, letter.id, token))
        .values(lease_until=None, lease_token=None, updated_at=now, **values)
        .returning(Email.id)
        .execution_options(synchronize_session=False)
    )
    return session.scalars(statement).one_or_none() is not None


def _people(session: Session, contact_ids: list[str]) -> dict[str, facts.Contact]:
    """Return the contacts, locked in one order, so that their runs may be woken (I4)."""
    rows = session.scalars(
        select(Contact)
        .where(Contact.id.in_(contact_ids))
        .order_by(Contact.id)
        .with_for_update(key_share=True)
        .execution_options(populate_existing=True)
    )
    return {contact.id: contacts.facts_of(contact) for contact in rows}


def _sent_event(letter: Letter, contact: facts.Contact, now: datetime) -> NewEvent:
    data = {**letter.event_data(), "sentAt": iso(now)}
    return NewEvent(
        "email.sent", contact=contact, data=data, email_id=letter.id, depth=letter.depth
    )
