"""Checks about JSON in SQLite; what its JSON functions cannot say, functions of ours do."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from sqlalchemy import (
    ColumnElement,
    Integer,
    String,
    Text,
    and_,
    case,
    func,
    literal,
    type_coerce,
)
from sqlalchemy.types import NullType

from plunk.conditions.checks import (
    Equal,
    IsoText,
    IsText,
    NumberOrder,
    OneOf,
    Order,
    Present,
    Question,
    TextOrder,
    TextPart,
)
from plunk.conditions.paths import INDEX
from plunk.conditions.sql.functions import dump
from plunk.conditions.sql.places import Sql, in_order, text_part

NUMBERS, NESTED = ("integer", "real"), ("array", "object")
DATE_SHAPE = "-".join("[0-9]" * length for length in (4, 2, 2))
DATE_LENGTH = 10
SAFE_DIGITS = 15  # whole numbers of so many characters are exact however they are read
MAX_INTEGER = 2**63 - 1
UNSAFE = frozenset('"\\')


@dataclass(frozen=True, slots=True)
class SqliteJson:
    """A JSON value, as the text of its JSON; missing is null."""

    json: ColumnElement[str]

    def ask(self, question: Question) -> Sql:
        """Answer about the value."""
        match question:
            case Present():
                return self.json.is_not(None)
            case Equal(value):
                return self._equals(value)
            case NumberOrder(order, number):
                return self._number(order, number)
        return and_(self._type == "text", self._about_text(question))

    @property
    def _type(self) -> ColumnElement[str]:
        return func.json_type(self.json, type_=String)

    @property
    def _value(self) -> ColumnElement[Any]:
        return func.json_extract(self.json, "$", type_=NullType)

    def _equals(self, value: object) -> Sql:
        match value:
            case None:
                return self._type == "null"
            case bool():
                return self._type == ("true" if value else "false")
            case str():
                return and_(self._type == "text", self._text == literal(value, Text))
            case int() | float():
                return self._number("=", value)
        same = func.plunk_json_same(self.json, dump(value), type_=Integer) == 1
        return and_(self._type.in_(NESTED), same)

    def _number(self, order: Order | Literal["="], number: float) -> Sql:
        is_short = and_(self._type == "integer", func.length(self.json) <= SAFE_DIGITS)
        exact = func.plunk_number_order(self.json, dump(number), type_=Integer)
        return case(
            (is_short, self._value.bool_op(order)(_number_parameter(number))),
            (self._type.in_(NUMBERS), exact.bool_op(order)(0)),
        )

    @property
    def _text(self) -> ColumnElement[str]:
        return func.json_extract(self.json, "$", type_=Text)

    def _about_text(self, question: Question) -> Sql:
        text = self._text
        match question:
            case OneOf(texts):
                return text.in_(texts)
            case TextPart():
                return text_part(question, text, find)
            case TextOrder(order, other):
                return in_order(order, text, literal(other, Text))
            case IsoText():
                return _is_iso(text)
            case IsText():
                return text.is_not(None)
        raise TypeError(question)


def _is_iso(text: ColumnElement[str]) -> Sql:
    date, mark = func.substr(text, 1, DATE_LENGTH), func.substr(text, DATE_LENGTH + 1, 1)
    return and_(date.bool_op("GLOB")(DATE_SHAPE), mark.in_(["", "T"]))


def _number_parameter(number: float) -> float:
    """Return a number that SQLite can hold; beyond its integers only its order matters."""
    if abs(number) <= MAX_INTEGER:
        return number
    return math.copysign(math.inf, number)


def at(document: ColumnElement[Any], path: Sequence[str]) -> ColumnElement[str]:
    """Return the JSON text of what stands at a path; digits also index arrays."""
    json: ColumnElement[str] = type_coerce(document, Text)
    if not path:
        return json
    if all(map(_is_plain, path)):
        dotted = "".join(f'."{part}"' for part in path)
        return json.op("->", return_type=Text())(literal(f"${dotted}", Text))
    return func.plunk_json_at(json, dump(path), type_=Text)


def _is_plain(part: str) -> bool:
    """Tell whether SQLite's own paths can name a key; they know no escapes."""
    return part.isprintable() and part != "" and not INDEX.match(part) and not UNSAFE & set(part)


def data_place(document: ColumnElement[Any], path: tuple[str, ...]) -> SqliteJson:
    """Return the place of a path in a contact's data."""
    return SqliteJson(at(document, path))


def event_place(document: ColumnElement[Any], path: tuple[str, ...]) -> SqliteJson:
    """Return the place of a path in an event's data, whose one-off values are unwrapped."""
    first = at(document, path[:1])
    is_wrapped = and_(
        func.json_type(first, "$.persistent") == "false",
        func.json_type(first, "$.value").is_not(None),
    )
    inner = first.op("->", return_type=Text())(literal("$.value", Text))
    return SqliteJson(at(case((is_wrapped, inner), else_=first), path[1:]))


def find(text: ColumnElement[str], part: ColumnElement[str]) -> ColumnElement[int]:
    """Return where a text holds another one, counted from 1; 0 is nowhere."""
    return func.instr(text, part, type_=Integer)
