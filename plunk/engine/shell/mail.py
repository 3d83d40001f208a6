"""Delivering mail: lease a few messages, hand them to the provider, record what it said.

Invariant I5: a message is handed over once. If the worker dies between the provider's answer and
our commit, at most the messages of its current chunk go out again, with the same Message-ID.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from threading import Event
from typing import Any

import structlog
from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session, sessionmaker

from plunk.clock import Clock, iso
from plunk.db import is_passing, table_of, transaction
from plunk.delivery.outcomes import Accepted, Deferred, Outcome, Refused, Unknown
from plunk.delivery.provider import CHUNK, Provider
from plunk.delivery.retry import MAIL, next_attempt
from plunk.engine.core import facts
from plunk.engine.shell import lease, telling
from plunk.engine.shell.claim import CONTACT_COLUMNS
from plunk.engine.shell.keeping import LEASE, kept
from plunk.engine.shell.letters import Letter, compose, load_letters
from plunk.engine.shell.recording import record_surely
from plunk.engine.shell.rotation import projects_due
from plunk.metrics import Meter
from plunk.models import Contact, Email
from plunk.services import events
from plunk.services.events import NewEvent
from plunk.services.row_sets import is_among, update_rows

EMAILS = table_of(Email)
Result = tuple[Letter, Outcome | None]
log = structlog.get_logger()
HELD = {"id": "id", "status": "was", "lease_token": "held_by"}
UNSUBSCRIBED = "The contact unsubscribed before the message was sent."
DISABLED = "The project was disabled before the message was sent."


@dataclass(frozen=True, slots=True)
class Mailer:
    """What the delivery of mail needs; once `stopping` is set no message is begun."""

    sessions: sessionmaker[Session]
    clock: Clock
    provider: Provider
    api_url: str
    random: Callable[[], float]
    chunk: int = CHUNK
    lease: timedelta = LEASE
    meter: Meter = field(default_factory=Meter)
    stopping: Event = field(default_factory=Event)


def deliver_due(mailer: Mailer) -> int:
    """Give every project with due mail one chunk (I7); return how many messages were leased."""
    with transaction(mailer.sessions) as session:
        now = mailer.clock.now()
        lease.reclaim(session, Email, now=now)
        due = projects_due(session, EMAILS, "next_attempt_at", now=now)
    return sum(_guarded(mailer, one) for one in due if not mailer.stopping.is_set())


def _guarded(mailer: Mailer, project_id: str) -> int:
    """Deliver for one project; whatever goes wrong there, the next ones get their turn (I7)."""
    try:
        return deliver_project(mailer, project_id)
    except Exception as error:
        if is_passing(error):
            log.warning("mail.postponed", project_id=project_id)
        else:
            log.exception("mail.project_failed", project_id=project_id)
        return 0


def deliver_project(mailer: Mailer, project_id: str) -> int:
    """Deliver one chunk of a project's due mail; return how many messages were leased."""
    with mailer.meter.claiming("emails"), transaction(mailer.sessions) as session:
        now = mailer.clock.now()
        token, leased = lease.take(
            session,
            Email,
            project_id,
            now=now,
            length=mailer.lease,
            limit=mailer.chunk,
            order=("lane",),
        )
        letters = load_letters(session, project_id, leased)
        ready = _recheck(session, letters, token, now)
    enough = now + mailer.lease / 2
    with kept(mailer.sessions, mailer.clock, Email, (token, leased), length=mailer.lease):
        results = [(letter, _hand_over(mailer, letter, enough)) for letter in ready]
        record_surely(
            mailer.sessions,
            lambda session: _record(session, mailer, project_id, token, results),
            what="mail",
        )
    telling.handed(mailer.meter, results, now=now)
    return len(leased)


def _hand_over(mailer: Mailer, letter: Letter, enough: datetime) -> Outcome | None:
    """Return the provider's answer; None when there is no time left to begin (I5)."""
    if mailer.stopping.is_set() or _is_late(mailer, enough):
        return None
    try:
        message = compose(letter, mailer.api_url)
    except Exception as error:  # noqa: BLE001 - I7: an odd body ends this message only
        return Refused(f"The message cannot be composed: {type(error).__name__}: {error}")
    try:
        (outcome,) = mailer.provider.deliver([message])
    except Exception as error:
        log.exception("mail.provider_failed", email_id=letter.id)
        return Unknown(f"{type(error).__name__}: {error}")
    return outcome


def _is_late(mailer: Mailer, enough: datetime) -> bool:
    """Tell whether it is too late to begin; so it is when the database, whose time counts, is away.

    The answers to what was handed over before must still be recorded.
    """
    try:
        return mailer.clock.now() > enough
    except SQLAlchemyError:
        return True


def _recheck(
    session: Session, letters: Iterable[Letter], token: str, now: datetime
) -> list[Letter]:
    """Return the letters that may still go out; the others end here (I11)."""
    ready, ended = [], []
    for letter in letters:
        reason = DISABLED if letter.project_disabled else None
        if letter.needs_consent and not letter.subscribed:
            reason = UNSUBSCRIBED
        if reason:
            ended.append(_row(letter, "FAILED", error=reason))
        else:
            ready.append(letter)
    _end(session, ended, token, now)
    return ready


def _record(
    session: Session,
    mailer: Mailer,
    project_id: str,
    token: str,
    results: Sequence[Result],
) -> None:
    now = mailer.clock.now()
    # Contacts before e-mails, in one order: as everybody who deletes or wakes does.
    people = _people(session, [letter.contact_id for letter, _ in results])
    ours = _still_held(session, [letter.id for letter, _ in results], token)
    held = [(letter, outcome) for letter, outcome in results if letter.id in ours]
    _end(
        session,
        [_settled(letter, outcome, mailer.random(), now) for letter, outcome in held],
        token,
        now,
    )
    happened = [
        _sent_event(letter, people[letter.contact_id], now)
        for letter, outcome in held
        if isinstance(outcome, Accepted)
    ]
    events.record(session, project_id, happened, now=now)


def _settled(
    letter: Letter, outcome: Outcome | None, jitter: float, now: datetime
) -> dict[str, Any]:
    """Return what becomes of a message after the provider's answer, or without one."""
    match outcome:
        case None:
            return _row(letter, "PENDING", next_attempt_at=now, attempts=letter.attempts - 1)
        case Accepted(provider_id):
            return _row(letter, "SENT", sent_at=now, provider_id=provider_id)
        case Refused(reason):
            return _row(letter, "FAILED", error=reason)
        case Deferred(reason) | Unknown(reason):
            again = next_attempt(letter.attempts, now, jitter, MAIL)
            if again is not None:
                return _row(letter, "PENDING", error=reason, next_attempt_at=again)
            error = f"Given up after {letter.attempts} attempts: {reason}"
            return _row(letter, "FAILED", error=error)


def _row(letter: Letter, status: str, **values: Any) -> dict[str, Any]:  # noqa: ANN401 - columns
    nothing = dict.fromkeys(("error", "sent_at", "provider_id", "next_attempt_at"))
    return {
        "id": letter.id,
        **nothing,
        "attempts": letter.attempts,
        **values,
        "status": status,
    }


def _end(session: Session, rows: Sequence[dict[str, Any]], token: str, now: datetime) -> None:
    """End these rows' leases where they are still ours; the token stays and tells whose it was."""
    ending = {"lease_until": None, "updated_at": now, "was": "SENDING", "held_by": token}
    update_rows(session, Email, [row | ending for row in rows], match=HELD)


def _still_held(session: Session, ids: Collection[str], token: str) -> set[str]:
    """Return which of these rows are ours to record, locked.

    The others were recorded: under a later lease, or by an attempt whose commit was not answered.
    """
    statement = (
        select(EMAILS.c.id)
        .where(
            is_among(session, EMAILS.c.id, ids),
            EMAILS.c.status == "SENDING",
            EMAILS.c.lease_token == token,
        )
        .order_by(EMAILS.c.id)
        .with_for_update(key_share=True)
    )
    return set(session.connection().execute(statement).scalars())


def _people(session: Session, contact_ids: Collection[str]) -> dict[str, facts.Contact]:
    """Return the contacts, locked in one order, so that their runs may be woken (I4)."""
    contact = table_of(Contact)
    statement = (
        select(*(contact.c[name] for name in ("id", *CONTACT_COLUMNS)))
        .where(is_among(session, contact.c.id, set(contact_ids)))
        .order_by(contact.c.id)
        .with_for_update(key_share=True)
    )
    rows = session.connection().execute(statement)
    return {
        row.id: facts.Contact(
            row.id, row.email, row.subscribed, row.data or {}, row.created_at, row.updated_at
        )
        for row in rows
    }


def _sent_event(letter: Letter, contact: facts.Contact, now: datetime) -> NewEvent:
    data = {**letter.event_data(), "sentAt": iso(now)}
    return NewEvent(
        "email.sent", contact=contact, data=data, email_id=letter.id, depth=letter.depth
    )
