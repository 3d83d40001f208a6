"""A population with every kind of value and of past, in a database and in memory alike."""

from __future__ import annotations

import random
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Engine, insert, select

from plunk import expressions
from plunk.conditions import history, segments
from plunk.conditions.history import StoredEmail, StoredEvent
from plunk.conditions.names import ACTIVITIES
from plunk.conditions.nodes import Condition, History, Membership
from plunk.conditions.sql import Constants, Scope, matches_sql
from plunk.db import table_of
from plunk.engine.core.facts import Contact as Known
from plunk.engine.core.facts import Facts
from plunk.engine.core.signals import event_context
from plunk.ids import new_id
from plunk.models import Contact, Email, Event, Project, Segment, SegmentMember, Template

NOW = datetime(2026, 3, 2, 12, 0, 0, 123_456, tzinfo=UTC)
MISSING = object()
# What a field may hold. Keys name the kinds in tables of expectations.
VALUES: dict[str, Any] = {
    "missing": MISSING,
    "null": None,
    "empty": "",
    "zero": 0,
    "false": False,
    "true": True,
    "five": 5,
    "five point": 5.0,
    "minus": -1.5,
    "big": 2**53 + 1,
    "bigger": 2.0**60,
    "largest": 2**64 - 1,
    "tiny": 1e-7,
    "huge": 1e300,
    "five text": "5",
    "text": "Pro",
    "lower": "pro",
    "accents": "Ünïcode café 🎉",
    "decomposed": "cafe\u0301",
    "wild": "50%_off\\",
    "quotes": "a\"b'c\n",
    "true text": "true",
    "date": "2026-03-01",
    "moment": "2026-03-01T10:00:00.000Z",
    "moment east": "2026-03-02T01:00:00+02:00",
    "future": "2030-01-01T00:00:00.000Z",
    "not a date": "2026-02-30",
    "empty array": [],
    "array": ["Pro", 5, None],
    "dates": ["2026-03-01"],
    "empty object": {},
    "object": {"b": 1, "a": [True, 5.0]},
    "wrapped": {"value": "Pro", "persistent": True},
    "one-off": {"value": "Pro", "persistent": False},
}
NESTED = (("n", "v"), ("list", 0), ("list", 1, "v"), ("a b", "ü.x"), ('q"', "\\"), ("-1",), ("",))


@dataclass
class Past:
    """What happened to one person."""

    happened: list[StoredEvent] = field(default_factory=list)
    mails: list[StoredEmail] = field(default_factory=list)
    segments: set[str] = field(default_factory=set)

    def events(self, name: str) -> Iterable[StoredEvent]:
        return [event for event in self.happened if event.name == name]

    def emails(self) -> Iterable[StoredEmail]:
        return self.mails

    def is_member(self, segment_id: str) -> bool:
        return segment_id in self.segments


@dataclass
class Person:
    """One contact and its past."""

    contact: Known
    past: Past
    raw_events: list[Any] = field(default_factory=list)


@dataclass
class People:
    """The population, and ids that conditions may use."""

    project: str
    persons: list[Person]
    templates: list[str]
    listed: list[str]
    conditions: dict[str, Condition] = field(default_factory=dict)

    def in_memory(self, condition: Condition) -> set[str]:
        """Return the ids of those for whom a condition holds."""
        return {one.contact.id for one in self.persons if self.holds(condition, one)}

    def holds(self, condition: Condition, person: Person) -> bool:
        """Evaluate a condition in memory."""
        known = Facts(person.contact, now=NOW)

        def meets(where: Condition, event: StoredEvent) -> bool:
            return segments.matches(where, replace(known, event=event.data))

        def answer(asked: History) -> object:
            match asked:
                case Membership(segment) if segment in self.conditions:
                    return self.holds(self.conditions[segment], person)
            return history.answer(asked, person.past, meets, NOW)

        answers = {asked: answer(asked) for asked in history.asked(condition)}
        return segments.matches(condition, replace(known, answers=answers))

    def scope(self, dialect: str) -> Scope:
        """Return the tables and segments that SQL is made of."""
        return Scope(
            contacts=table_of(Contact),
            events=table_of(Event),
            emails=table_of(Email),
            members=table_of(SegmentMember),
            dialect=dialect,
            constants=Constants(NOW, expressions.evaluate),
            listed=frozenset(self.listed),
            conditions=self.conditions,
        )

    def in_sql(self, connection: Connection, condition: Condition) -> set[str]:
        """Return the same by one query."""
        met = matches_sql(condition, self.scope(connection.dialect.name))
        contacts = table_of(Contact)
        found = select(contacts.c.id).where(contacts.c.project_id == self.project, met)
        return set(connection.scalars(found))


def data_with(value: Any) -> dict[str, Any]:
    """Return data that holds a value at the top, and at each nested place."""
    data: dict[str, Any] = {"other": 1}
    if value is MISSING:
        return data
    return {
        "v": value,
        "n": {"v": value, "0": value},
        "list": [value, {"v": value}],
        "a b": {"ü.x": value},
        'q"': {"\\": value},
        "-1": value,
        "": value,
        **data,
    }


def population(values: Iterable[Any], *, seed: int = 1) -> People:
    """Return one person for each value, with random pasts; and a few that are odd in other ways."""
    dice = random.Random(seed)  # noqa: S311 - the same people every time
    templates, listed = [new_id() for _ in range(2)], [new_id() for _ in range(2)]
    datas: list[Mapping[str, Any]] = [data_with(value) for value in values]
    datas += [{}, {"v": ["x"], "n": [1, 2], "list": {"0": "Pro"}}, {"n": None, "list": "Pro"}]
    persons = [_person(number, data, dice, templates, listed) for number, data in enumerate(datas)]
    return People(new_id(), persons, templates, listed)


def _person(
    number: int,
    data: Mapping[str, Any],
    dice: random.Random,
    templates: list[str],
    listed: list[str],
) -> Person:
    contact = Known(
        id=new_id(),
        email=f"{dice.choice(['ada', 'zoë', 'kim+x'])}{number}@example{number % 3}.com",
        subscribed=dice.random() < 0.5,
        data=data,
        created_at=_some_time(dice),
        updated_at=_some_time(dice),
    )
    raw = [_raw_event(dice) for _ in range(dice.choice([0, 1, 3, 6]))]
    happened = [StoredEvent(name, at, event_context(fields)) for name, at, fields in raw]
    mails = [_mail(dice, templates) for _ in range(dice.choice([0, 1, 2]))]
    segments_ = {segment for segment in listed if dice.random() < 0.5}
    return Person(contact, Past(happened, mails, segments_), raw)


def _some_time(dice: random.Random) -> datetime:
    day = timedelta(days=1)
    exact = [NOW, NOW - day, NOW - 7 * day, datetime(2026, 3, 1, tzinfo=UTC)]
    near = [at + timedelta(microseconds=dice.choice([-999, -1, 0, 1, 999])) for at in exact]
    return dice.choice([*exact, *near, NOW - dice.random() * 40 * day])


def _raw_event(dice: random.Random) -> tuple[str, datetime, dict[str, Any] | None]:
    value = dice.choice(list(VALUES.values()))
    data = None if dice.random() < 0.1 else data_with(value)
    return dice.choice(["login", "paid", "email.open"]), _some_time(dice), data


def _mail(dice: random.Random, templates: list[str]) -> StoredEmail:
    activities = {name: _some_time(dice) for name in ACTIVITIES if dice.random() < 0.4}
    return StoredEmail(dice.choice([None, *templates]), activities)


def settle(engine: Engine, people: People) -> None:
    """Write the population into a database."""
    with engine.begin() as connection:
        for model, rows in _rows(people).items():
            if rows:
                connection.execute(insert(table_of(model)), rows)


def _rows(people: People) -> dict[Any, list[dict[str, Any]]]:
    times = {"created_at": NOW, "updated_at": NOW}
    hashes = ("public_hash", "secret_hash", "public_sealed", "secret_sealed")
    own = {"project_id": people.project}
    return {
        Project: [
            {"id": people.project, "name": "P", "language": "en", "created_at": NOW}
            | {"disabled": False, "tracking": "ENABLED", "updated_at": NOW}
            | {name: f"{name}{people.project}" for name in hashes}
        ],
        Template: [
            {"id": template, "name": "T", "subject": "S", "body": "B", "from_address": "a@b.c"}
            | {"type": "MARKETING", **own, **times}
            for template in people.templates
        ],
        Segment: [
            {"id": segment, "name": "S", "type": "STATIC", "track_membership": False}
            | {"member_count": 0, **own, **times}
            for segment in people.listed
        ],
        Contact: [
            {"id": one.contact.id, "email": one.contact.email, "data": one.contact.data or None}
            | {"subscribed": one.contact.subscribed, **own}
            | {"created_at": one.contact.created_at, "updated_at": one.contact.updated_at}
            for one in people.persons
        ],
        Event: [
            {"id": new_id(), "contact_id": one.contact.id, "name": name, "data": data}
            | {"created_at": at, **own}
            for one in people.persons
            for name, at, data in one.raw_events
        ],
        Email: [
            {"id": new_id(), "contact_id": one.contact.id, "template_id": mail.template_id}
            | {f"{name}_at": mail.activities.get(name) for name in ACTIVITIES}
            | _EMAIL
            | {"message_id": new_id(), **own, **times}
            for one in people.persons
            for mail in one.past.mails
        ],
        SegmentMember: [
            {"segment_id": segment, "contact_id": one.contact.id, "entered_at": NOW, **own}
            | {"left_at": None if segment in one.past.segments else NOW}
            for one in people.persons
            for segment in people.listed
        ],
    }


_EMAIL = {
    "source_type": "WORKFLOW",
    "type": "MARKETING",
    "lane": 1,
    "depth": 0,
    "to_address": "a@example.com",
    "from_address": "b@example.com",
    "subject": "S",
    "body": "B",
    "status": "SENT",
    "attempts": 1,
    "opens": 0,
    "clicks": 0,
}
