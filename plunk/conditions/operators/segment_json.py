"""The segment rule set for JSON values: one table from an operator to a check.

A key that is not there and one that is null are different things only for notEquals and notIn,
which null passes. Texts compare exactly, and a value that is a date stands for its whole UTC day.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

from plunk.conditions.checks import (
    ISO_START,
    Both,
    Check,
    Either,
    Equal,
    IsoText,
    IsText,
    Negated,
    NumberOrder,
    OneOf,
    Order,
    Part,
    Present,
    TextOrder,
    TextPart,
    is_number,
)
from plunk.conditions.instants import instant
from plunk.conditions.nodes import MISSING
from plunk.conditions.operators.happening import Rule
from plunk.conditions.operators.javascript import to_text
from plunk.errors import InvalidCondition

MAX_VALUES, MAX_OTHERS = 1_000, 100
FEW = 20
MAX_SHOWN = 60
EXISTS = Both((Present(), Negated(Equal(None))))


def equals(value: object) -> Check:
    """JSON-equal; a date is its whole day, and null what is missing or null."""
    if value is None or value is MISSING:
        return Negated(EXISTS)
    day = date_of(value)
    return TextPart("startsWith", day) if day else Equal(value)


def not_equals(value: object) -> Check:
    """Present and different; against a date only texts count."""
    if value is None or value is MISSING:
        return EXISTS
    return Both((IsText() if date_of(value) else Present(), Negated(equals(value))))


def is_in(value: object) -> Check:
    """Equal to one of the values; a single value is a list of one."""
    return one_of(listed(value), equals)


def is_not_in(value: object) -> Check:
    """Present, and different from each of the values."""
    values = listed(value)
    different = (not_equals(item) for item in values if not _is_plain(item))
    plain = one_of([item for item in values if _is_plain(item)], equals)
    return Both((Present(), *different, Negated(plain)))


def one_of(values: Sequence[object], equal: Rule) -> Check:
    """Return that one is equal; many texts make one check, as databases like no long chains."""
    checks = [equal(value) for value in values]
    texts = [one.value for one in checks if isinstance(one, Equal) and isinstance(one.value, str)]
    if len(texts) <= FEW:
        return Either(tuple(checks))
    others = [one for one in checks if not (isinstance(one, Equal) and isinstance(one.value, str))]
    return Either((OneOf(tuple(texts)), *others))


def _is_plain(value: object) -> bool:
    return isinstance(value, str) and date_of(value) is None


def listed(value: object) -> list[object]:
    """Return the values that an operator compares with; a single value is a list of one."""
    values = value if isinstance(value, list) else [value]
    others = sum(1 for item in values if not _is_plain(item))
    if len(values) > MAX_VALUES or others > MAX_OTHERS:
        raise InvalidCondition(
            f"a list to compare with has at most {MAX_VALUES} values,"
            f" of which {MAX_OTHERS} may be something else than plain texts"
        )
    return values


def date_of(value: object) -> str | None:
    """Return the date in a value that is an ISO date or date-time, or None."""
    is_date = isinstance(value, str) and ISO_START.match(value) and instant(value)
    return str(value)[:10] if is_date else None


def _part(part: Part) -> Rule:
    return lambda value: TextPart(part, to_text(value))


def _not_containing(value: object) -> Check:
    return Both((EXISTS, Negated(TextPart("contains", to_text(value)))))


def _ordered(order: Order) -> Rule:
    def rule(value: object) -> Check:
        match value:
            case str():
                return TextOrder(order, value)
            case int() | float() if is_number(value):
                return NumberOrder(order, value)
        raise InvalidCondition(f"{order} compares with a number or a text, not with {said(value)}")

    return rule


def _iso(order: Order) -> Rule:
    return lambda cutoff: Both((IsoText(), TextOrder(order, str(cutoff))))


EMPTY = Either((Negated(EXISTS), Equal(""), Equal([]), Equal({})))
JSON_RULES: Mapping[str, Rule] = {
    "equals": equals,
    "notEquals": not_equals,
    "contains": _part("contains"),
    "notContains": _not_containing,
    "startsWith": _part("startsWith"),
    "endsWith": _part("endsWith"),
    "greaterThan": _ordered(">"),
    "lessThan": _ordered("<"),
    "greaterThanOrEqual": _ordered(">="),
    "lessThanOrEqual": _ordered("<="),
    "in": is_in,
    "notIn": is_not_in,
    "exists": lambda _: EXISTS,
    "notExists": lambda _: Negated(EXISTS),
    "isEmpty": lambda _: EMPTY,
    "isNotEmpty": lambda _: Negated(EMPTY),
    "within": _iso(">="),
    "olderThan": _iso("<"),
}


def said(value: object) -> str:
    """Return a value as messages show it."""
    text = json.dumps(value, ensure_ascii=False, default=repr)
    return text if len(text) <= MAX_SHOWN else f"{text[:MAX_SHOWN]}…"
