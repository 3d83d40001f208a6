"""Histories: what conditions ask about the past, answered for many contacts at once.

Each question costs one query, however many contacts there are. A `where` on events is judged in
memory, among the newest MOST events of the name.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeAlias

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

from plunk.conditions.history import StoredEvent, answer
from plunk.conditions.matches import cutoff, matches
from plunk.conditions.nodes import Condition, Count, Emails, Events, History, Membership
from plunk.conditions.operators.workflow import OPERATORS
from plunk.engine.core import facts
from plunk.engine.core.signals import event_context
from plunk.errors import InvalidCondition, PlunkError
from plunk.ids import NO_ID, parse_id
from plunk.models import Contact, Email, Event, Segment
from plunk.services import audiences

MOST = 1_000
Answers: TypeAlias = dict[History, object]


@dataclass(frozen=True, slots=True)
class Asking:
    """Whose history is asked about, and when."""

    session: Session
    project_id: str
    contacts: Mapping[str, facts.Contact]
    now: datetime


def answered(
    session: Session,
    project_id: str,
    contacts: Iterable[facts.Contact],
    questions: Collection[History],
    *,
    now: datetime,
) -> dict[str, Answers]:
    """Return the answers to these questions, by contact."""
    asking = Asking(session, project_id, {contact.id: contact for contact in contacts}, now)
    known: dict[str, Answers] = {contact_id: {} for contact_id in asking.contacts}
    if not known:
        return known
    for question in questions:
        found, otherwise = _found(asking, question)
        for contact_id, answers in known.items():
            answers[question] = found.get(contact_id, otherwise)
    return known


class Lookup(Mapping[History, object]):
    """The answers about one contact, each of them read when somebody asks for it."""

    def __init__(
        self, session: Session, project_id: str, contact: facts.Contact, now: datetime
    ) -> None:
        self._asking = Asking(session, project_id, {contact.id: contact}, now)
        self._contact_id = contact.id
        self._known: Answers = {}

    def __getitem__(self, question: History) -> object:
        if question not in self._known:
            found, otherwise = _found(self._asking, question)
            self._known[question] = found.get(self._contact_id, otherwise)
        return self._known[question]

    def __contains__(self, question: object) -> bool:
        return isinstance(question, Events | Emails | Membership | Count)

    def __iter__(self) -> Iterator[History]:
        return iter(self._known)

    def __len__(self) -> int:
        return len(self._known)


def _found(asking: Asking, question: History) -> tuple[Mapping[str, object], object]:
    """Return the answers that there are, and the one for everybody else."""
    match question:
        case Events(name, None):
            return _aggregate(asking, func.max(Event.created_at), Event.name == name), None
        case Count(name, None, within, unit):
            named = Event.name == name
            if unit is not None:
                named &= Event.created_at >= cutoff(asking.now, within, unit)
            return _aggregate(asking, func.count(), named), 0
        case Events(name):
            return _judged(asking, question, name), None
        case Count(name):
            return _judged(asking, question, name), 0
        case Emails(activity, template_id):
            return _activities(asking, activity, template_id), None
        case Membership(segment_id):
            return _memberships(asking, segment_id), False


def _aggregate(
    asking: Asking, value: ColumnElement[Any], named: ColumnElement[bool]
) -> dict[str, object]:
    rows = asking.session.execute(
        select(Event.contact_id, value)
        .where(Event.contact_id.in_(asking.contacts), named)
        .group_by(Event.contact_id)
    )
    return dict(tuple(row) for row in rows)


def _judged(asking: Asking, question: Events | Count, name: str) -> dict[str, object]:
    """Return the answers to a question whose events have to meet a condition."""
    pasts = _pasts(asking, name)
    found: dict[str, object] = {}
    for contact_id, past in pasts.items():
        contact = asking.contacts[contact_id]

        def meets(where: Condition, event: StoredEvent, contact: facts.Contact = contact) -> bool:
            known = facts.Facts(contact, event=event.data, now=asking.now)
            try:
                return matches(where, known, OPERATORS)
            except PlunkError:  # what cannot be computed is not what is asked for
                return False

        found[contact_id] = answer(question, past, meets, asking.now)
    return found


class _Past(list[StoredEvent]):
    """Events of one name of one contact, as far as a question about events needs a past."""

    def events(self, _name: str) -> Sequence[StoredEvent]:
        return self

    def emails(self) -> Sequence[Any]:
        return ()

    def is_member(self, _segment_id: str) -> bool:
        return False


def _pasts(asking: Asking, name: str) -> dict[str, _Past]:
    age = func.row_number().over(
        partition_by=Event.contact_id, order_by=(Event.created_at.desc(), Event.id.desc())
    )
    newest = (
        select(Event.contact_id, Event.created_at, Event.data, age.label("age"))
        .where(Event.contact_id.in_(asking.contacts), Event.name == name)
        .subquery()
    )
    rows = asking.session.execute(
        select(newest.c.contact_id, newest.c.created_at, newest.c.data).where(newest.c.age <= MOST)
    )
    pasts: dict[str, _Past] = {}
    for contact_id, at, data in rows:
        event = StoredEvent(name, at, event_context(data if isinstance(data, dict) else None))
        pasts.setdefault(contact_id, _Past()).append(event)
    return pasts


def _activities(asking: Asking, activity: str, template_id: str | None) -> dict[str, object]:
    at = getattr(Email, f"{activity}_at")
    statement = (
        select(Email.contact_id, func.max(at))
        .where(Email.contact_id.in_(asking.contacts), at.is_not(None))
        .group_by(Email.contact_id)
    )
    if template_id is not None:
        template = parse_id(template_id)
        if template is None:
            return {}
        statement = statement.where(Email.template_id == template)
    return dict(tuple(row) for row in asking.session.execute(statement))


def _memberships(asking: Asking, segment_id: str) -> dict[str, object]:
    """Return who is a member now; of a segment that is gone or cannot be computed, nobody is."""
    session, project_id = asking.session, asking.project_id
    segment = session.scalars(
        select(Segment).where(
            Segment.project_id == project_id, Segment.id == (parse_id(segment_id) or NO_ID)
        )
    ).one_or_none()
    if segment is None:
        return {}
    try:
        whom = audiences.members(session, segment, now=asking.now)
    except InvalidCondition:
        return {}
    members = session.scalars(select(Contact.id).where(Contact.id.in_(asking.contacts), whom))
    return dict.fromkeys(members, True)
