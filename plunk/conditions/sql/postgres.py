"""Checks about JSON in PostgreSQL; equality can use a GIN index (jsonb_path_ops) on it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Integer,
    Text,
    and_,
    case,
    cast,
    collate,
    func,
    literal,
    literal_column,
)
from sqlalchemy.dialects.postgresql import JSONB

from plunk.conditions.checks import (
    Equal,
    IsoText,
    IsText,
    NumberOrder,
    OneOf,
    Present,
    Question,
    TextOrder,
    TextPart,
)
from plunk.conditions.paths import INDEX
from plunk.conditions.sql.functions import dump
from plunk.conditions.sql.places import Sql, in_order, text_part

NUMERIC = re.compile(r"\s*[+-]?[0-9]+\Z")
ISO_START = "^[0-9]{4}-[0-9]{2}-[0-9]{2}(T|$)"


def json(value: object) -> ColumnElement[Any]:
    """Return a JSON value as a parameter."""
    return cast(literal(dump(value), Text), JSONB)


@dataclass(frozen=True, slots=True)
class PostgresJson:
    """A JSON value; `document` and `path` say where it lies, when an index may help."""

    value: ColumnElement[Any]
    document: ColumnElement[Any] | None = None
    path: tuple[str, ...] = ()

    def ask(self, question: Question) -> Sql:
        """Answer about the value; what is missing is null."""
        match question:
            case Present():
                return self.value.is_not(None)
            case Equal(value):
                return self._equals(value)
            case NumberOrder(order, number):
                return and_(self._has_type("number"), in_order(order, self.value, json(number)))
        return and_(self._has_type("string"), self._about_text(question))

    def _has_type(self, name: str) -> Sql:
        return func.jsonb_typeof(self.value) == name

    def _equals(self, value: object) -> Sql:
        same = self.value.bool_op("=")(json(value))
        if self.document is None or isinstance(value, list | dict | None):
            return same
        for part in reversed(self.path):
            value = {part: value}
        return and_(self.document.bool_op("@>")(json(value)), same)

    def _about_text(self, question: Question) -> Sql:
        text: ColumnElement[str] = self.value.op("#>>", return_type=Text())(literal_column("'{}'"))
        match question:
            case OneOf(texts):
                return text.in_(texts)
            case TextPart():
                return text_part(question, text, find)
            case TextOrder(order, other):
                return in_order(order, collate(text, "C"), literal(other, Text))
            case IsoText():
                return text.regexp_match(ISO_START)
            case IsText():
                return text.is_not(None)
        raise TypeError(question)


def at(document: ColumnElement[Any], path: Sequence[str]) -> ColumnElement[Any]:
    """Return what stands at a path inside JSON; digits also index arrays."""
    value = document
    for is_odd, parts in groupby(path, key=_is_odd):
        keys = [literal(part, Text) for part in parts]
        if is_odd:
            for key in keys:
                value = value.op("->", return_type=JSONB())(key)
        else:
            value = func.jsonb_extract_path(value, *keys, type_=JSONB)
    return value


def _is_odd(part: str) -> bool:
    """Tell whether jsonb_extract_path would take a key for an index that we do not; -> does not."""
    return NUMERIC.match(part) is not None and not INDEX.match(part)


def data_place(document: ColumnElement[Any], path: tuple[str, ...]) -> PostgresJson:
    """Return the place of a path in a contact's data."""
    has_index = any(INDEX.match(part) for part in path)
    return PostgresJson(at(document, path), None if has_index else document, path)


def event_place(document: ColumnElement[Any], path: tuple[str, ...]) -> PostgresJson:
    """Return the place of a path in an event's data, whose one-off values are unwrapped."""
    first = at(document, path[:1])
    is_wrapped = and_(
        first.bool_op("@>")(json({"persistent": False})), func.jsonb_exists(first, "value")
    )
    inner = first.op("->", return_type=JSONB())(literal("value", Text))
    return PostgresJson(at(case((is_wrapped, inner), else_=first), path[1:]))


def find(text: ColumnElement[str], part: ColumnElement[str]) -> ColumnElement[int]:
    """Return where a text holds another one, counted from 1; 0 is nowhere."""
    return func.strpos(text, part, type_=Integer)
