"""Checks: the few questions that every operator of the segment rule set is made of.

A rule set turns an operator and its value into a check once; each reader (memory, and one SQL
dialect after the other) answers the questions, and that is all a reader knows. A check is true or
false, never unknown.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Literal, TypeAlias

from plunk.conditions.instants import instant
from plunk.conditions.nodes import MISSING

ISO_START = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}(T|\Z)")
Order: TypeAlias = Literal["<", "<=", ">", ">="]
Part: TypeAlias = Literal["contains", "startsWith", "endsWith"]


@dataclass(frozen=True, slots=True)
class Present:
    """There at all; null is there."""


@dataclass(frozen=True, slots=True)
class Equal:
    """The same JSON value, of the same type; 5 and 5.0 are the same number."""

    value: object


@dataclass(frozen=True, slots=True)
class OneOf:
    """One of these texts."""

    texts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class TextPart:
    """A text with this in it, in front or at the end."""

    part: Part
    text: str


@dataclass(frozen=True, slots=True)
class TextOrder:
    """A text that stands before or after this one, code point by code point."""

    order: Order
    text: str


@dataclass(frozen=True, slots=True)
class NumberOrder:
    """A number that is smaller or larger, by the digits in which both are written."""

    order: Order
    number: float


@dataclass(frozen=True, slots=True)
class IsText:
    """Any text."""


@dataclass(frozen=True, slots=True)
class IsoText:
    """A text that starts like an ISO date or date-time."""


@dataclass(frozen=True, slots=True)
class Between:
    """An instant not before `since` and before `until`, where given."""

    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Both:
    """Every part; true without any."""

    parts: tuple[Check, ...]


@dataclass(frozen=True, slots=True)
class Either:
    """At least one part; false without any."""

    parts: tuple[Check, ...]


@dataclass(frozen=True, slots=True)
class Negated:
    """Not so."""

    check: Check


Question: TypeAlias = (
    Present | Equal | OneOf | TextPart | TextOrder | NumberOrder | IsText | IsoText | Between
)
Check: TypeAlias = Question | Both | Either | Negated


def passes(check: Check, actual: object) -> bool:  # noqa: PLR0911 -- one per kind of check
    """Answer a check about a value in memory; instants come as datetime or as ISO text."""
    match check:
        case Both(parts):
            return all(passes(part, actual) for part in parts)
        case Either(parts):
            return any(passes(part, actual) for part in parts)
        case Negated(part):
            return not passes(part, actual)
        case Present():
            return actual is not MISSING
        case Equal(value):
            return is_same(actual, value)
        case NumberOrder(order, number):
            return is_number(actual) and in_order(order, digits(actual), digits(number))
        case Between(since, until):
            return _is_between(actual, since, until)
    return isinstance(actual, str) and _text_passes(check, actual)


def _text_passes(  # noqa: PLR0911 -- one per kind of check
    check: OneOf | TextPart | TextOrder | IsText | IsoText, actual: str
) -> bool:
    match check:
        case OneOf(texts):
            return actual in texts
        case TextPart("contains", text):
            return text in actual
        case TextPart("startsWith", text):
            return actual.startswith(text)
        case TextPart(_, text):
            return actual.endswith(text)
        case TextOrder(order, text):
            return in_order(order, actual, text)
        case IsText():
            return True
        case IsoText():
            return ISO_START.match(actual) is not None


def _is_between(actual: object, since: datetime | None, until: datetime | None) -> bool:
    at = actual if isinstance(actual, datetime) else instant(actual)
    return at is not None and (since is None or at >= since) and (until is None or at < until)


def in_order(order: Order, left: object, right: object) -> bool:
    """Compare two values of one ordered type."""
    lower: bool = left < right  # type: ignore[operator]  # both are numbers or both are texts
    match order:
        case "<":
            return lower
        case "<=":
            return lower or left == right
        case ">":
            return not lower and left != right
        case ">=":
            return not lower


def is_same(left: object, right: object) -> bool:
    """Tell whether two JSON values are equal, type by type."""
    if is_number(left) and is_number(right):
        return digits(left) == digits(right)
    match left, right:
        case list(), list():
            return len(left) == len(right) and all(map(is_same, left, right))
        case dict(), dict():
            return left.keys() == right.keys() and all(
                is_same(item, right[key]) for key, item in left.items()
            )
    return type(left) is type(right) and left == right


def is_number(value: object) -> bool:
    """Tell whether a JSON value is a number; true and false are not."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def digits(number: object) -> Decimal | int:
    """Return a number as its JSON digits say it: what both databases and Python agree on."""
    return number if isinstance(number, int) else Decimal(repr(number))
