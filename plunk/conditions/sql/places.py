"""Places in SQL that checks are asked about: plain columns and history."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol, TypeAlias

from sqlalchemy import ColumnElement, String, and_, false, func, literal, not_, or_, true

from plunk.conditions.checks import (
    Between,
    Both,
    Check,
    Either,
    Equal,
    Negated,
    NumberOrder,
    OneOf,
    Order,
    Present,
    Question,
    TextPart,
)

UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\Z", re.ASCII)
Sql: TypeAlias = ColumnElement[bool]
# Where a text holds another one, counted from 1; 0 is nowhere.
Find: TypeAlias = Callable[[ColumnElement[str], ColumnElement[str]], ColumnElement[int]]


class Place(Protocol):
    """Something in SQL that has a value for each contact."""

    def ask(self, question: Question) -> Sql:
        """Return SQL that is true where the question is; where it is not, false or null."""
        ...


def check_sql(check: Check, place: Place) -> Sql:
    """Return a check as SQL; null means false."""
    match check:
        case Both(parts):
            return and_(true(), *(check_sql(part, place) for part in parts))
        case Either(parts):
            return or_(false(), *(check_sql(part, place) for part in parts))
        case Negated(part):
            return negated(check_sql(part, place))
    return place.ask(check)


def negated(part: Sql) -> Sql:
    """Return the opposite, where null counts as false."""
    return not_(func.coalesce(part, false()))


def in_order(order: Order, left: ColumnElement[Any], right: object) -> Sql:
    """Return the comparison of two values of one type."""
    return left.bool_op(order)(right)


@dataclass(frozen=True, slots=True)
class TextColumn:
    """A column of text that is never null."""

    column: ColumnElement[str]
    find: Find

    def ask(self, question: Question) -> Sql:
        """Answer about the text."""
        match question:
            case Present():
                return true()
            case Equal(str() as text):
                return self.column == text
            case OneOf(texts):
                return self.column.in_(texts)
            case TextPart():
                return text_part(question, self.column, self.find)
        return false()


def text_part(question: TextPart, column: ColumnElement[str], find: Find) -> Sql:
    """Return whether a text holds another one."""
    text = literal(question.text, String)
    if not question.text:
        return column.is_not(None)
    match question.part:
        case "contains":
            return find(column, text) > 0
        case "startsWith":
            return func.substr(column, 1, len(question.text)) == text
        case "endsWith":
            start = func.length(column) - len(question.text) + 1
            return and_(start > 0, func.substr(column, start) == text)


@dataclass(frozen=True, slots=True)
class IdColumn:
    """A column of ids that is never null; what is no id equals none."""

    column: ColumnElement[str]

    def ask(self, question: Question) -> Sql:
        """Answer about the id."""
        match question:
            case Equal(str() as text) if UUID.match(text):
                return self.column == text
            case OneOf(texts):
                return self.column.in_([text for text in texts if UUID.match(text)])
        return false()


@dataclass(frozen=True, slots=True)
class FlagColumn:
    """Something in SQL that is true or false."""

    column: Sql

    def ask(self, question: Question) -> Sql:
        """Answer about the flag."""
        match question:
            case Equal(True):
                return self.column
            case Equal(False):
                return negated(self.column)
        return false()


@dataclass(frozen=True, slots=True)
class TimeColumn:
    """A column of instants."""

    column: ColumnElement[datetime]

    def ask(self, question: Question) -> Sql:
        """Answer about the instant."""
        match question:
            case Between(since, until):
                return between(self.column, since, until)
        return false()


def between(column: ColumnElement[datetime], since: datetime | None, until: datetime | None) -> Sql:
    """Return whether an instant lies in a stretch of time."""
    ends: list[Sql] = [column.is_not(None)]
    if since is not None:
        ends.append(column >= since)
    if until is not None:
        ends.append(column < until)
    return and_(*ends)


@dataclass(frozen=True, slots=True)
class Happening:
    """The instants at which something happened; `exists` says whether one is in a stretch."""

    exists: Callable[[datetime | None], Sql]

    def ask(self, question: Question) -> Sql:
        """Answer about the latest instant, which is not before `since` when any is not."""
        match question:
            case Between(since, None):
                return self.exists(since)
        return false()


@dataclass(frozen=True, slots=True)
class Number:
    """A whole number."""

    value: ColumnElement[int]

    def ask(self, question: Question) -> Sql:
        """Answer about the number."""
        match question:
            case Equal(int() as number):
                return self.value == number
            case NumberOrder(order, int() as number):
                return in_order(order, self.value, number)
        return false()
