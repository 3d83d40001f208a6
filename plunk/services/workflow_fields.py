"""The fields a workflow's conditions can ask about, found in what is stored."""

from __future__ import annotations

import re
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Select, case, cast, func, literal_column, select, true
from sqlalchemy import Text as SqlText
from sqlalchemy.orm import Session

from plunk.db import is_postgres
from plunk.engine.core.signals import canonical_name
from plunk.models import Contact, Event

SAMPLED_CONTACTS = 1_000
SAMPLED_EVENTS = 100
MAX_KEYS = 1_000
SAMPLE_LENGTH = 40
IN_CONTACT, IN_DATA, IN_EVENT = "Contact Fields", "Custom Data", "Event Data"
DATE = re.compile(r"\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:?\d\d)?)?")
WHOLE: ColumnElement[str] = literal_column("'{}'::text[]")  # the path to a JSON value itself
# What the two databases call the types of JSON values.
TYPES = {
    "boolean": "boolean",
    "true": "boolean",
    "false": "boolean",
    "number": "number",
    "integer": "number",
    "real": "number",
}


@dataclass(frozen=True, slots=True)
class Field:
    """A field by its full name, with the type of its values and the group it is shown in."""

    field: str
    type: str
    category: str


STANDARD = (
    Field("contact.email", "string", IN_CONTACT),
    Field("contact.subscribed", "boolean", IN_CONTACT),
    Field("contact.createdAt", "date", IN_CONTACT),
    Field("contact.updatedAt", "date", IN_CONTACT),
)


def known(session: Session, project_id: str, *, event_name: str | None = None) -> list[Field]:
    """Return the fields of contacts and of recent events, by name.

    Only the newest contacts and events are looked at, so this costs the same in any project.
    """
    found = [*STANDARD, *_data_fields(session, project_id)]
    found += _event_fields(session, project_id, event_name)
    return sorted(found, key=lambda one: (one.field.casefold(), one.field))


def _data_fields(session: Session, project_id: str) -> list[Field]:
    newest = (
        select(Contact.data)
        .where(Contact.project_id == project_id, Contact.data.is_not(None))
        .order_by(Contact.created_at.desc(), Contact.id.desc())
        .limit(SAMPLED_CONTACTS)
    )
    types: dict[str, set[str]] = {}
    for key, kind, low, high in session.execute(_keys(session, newest)):
        types.setdefault(key, set()).add(_type(kind, low, high))
    return [Field(f"contact.data.{key}", _common(kinds), IN_DATA) for key, kinds in types.items()]


def _event_fields(session: Session, project_id: str, event_name: str | None) -> list[Field]:
    newest = (
        select(Event.data)
        .where(Event.project_id == project_id, Event.data.is_not(None))
        .order_by(Event.created_at.desc(), Event.id.desc())
        .limit(SAMPLED_EVENTS)
    )
    if event_name:
        newest = newest.where(Event.name == canonical_name(event_name))
    keys = {row[0] for row in session.execute(_keys(session, newest))}
    return [Field(f"event.{key}", "string", IN_EVENT) for key in keys]


def _keys(session: Session, newest: Select[object]) -> Select[str, str, str, str]:
    """Return the query for the keys of JSON objects, with type, smallest and greatest text."""
    sampled = newest.subquery()
    data = sampled.c.data
    kind: ColumnElement[str]
    text: ColumnElement[str]
    if is_postgres(session):
        objects = case((func.jsonb_typeof(data) == "object", data))
        pairs = func.jsonb_each(objects).table_valued("key", "value")
        kind = func.jsonb_typeof(pairs.c.value)
        text = pairs.c.value.op("#>>", return_type=SqlText())(WHOLE)
    else:
        objects = case((func.json_type(data) == "object", data))
        pairs = func.json_each(objects).table_valued("key", "value", "type")
        kind = pairs.c.type
        text = cast(pairs.c.value, SqlText)
    sample = func.substr(text, 1, SAMPLE_LENGTH)
    return (
        select(pairs.c.key, kind, func.min(sample), func.max(sample))
        .select_from(sampled.join(pairs, true()))
        .where(kind != "null")
        .group_by(pairs.c.key, kind)
        .order_by(pairs.c.key)
        .limit(MAX_KEYS)
    )


def _type(kind: str, low: str | None, high: str | None) -> str:
    if kind in TYPES:
        return TYPES[kind]
    are_dates = all(DATE.fullmatch(text or "") for text in (low, high))
    return "date" if are_dates else "string"


def _common(kinds: set[str]) -> str:
    return kinds.pop() if len(kinds) == 1 else "string"
