"""The rules for segments and audiences: one table from field kind and operator to a check."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from enum import Enum

from plunk.conditions.checks import (
    Between,
    Check,
    Equal,
    Negated,
    NumberOrder,
    Order,
    Part,
    TextPart,
    is_number,
)
from plunk.conditions.instants import instant, milliseconds
from plunk.conditions.operators.happening import HAPPENING, MEMBERSHIP, Rule
from plunk.conditions.operators.javascript import to_text
from plunk.conditions.operators.segment_json import JSON_RULES, date_of, listed, one_of, said
from plunk.errors import InvalidCondition

MILLISECOND, DAY = timedelta(milliseconds=1), timedelta(days=1)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MAX_COUNT = 2**31 - 1


class Kind(Enum):
    """What a field holds, which decides the operators it has."""

    ID = "an id"
    EMAIL = "an e-mail address"
    FLAG = "true or false"
    TIME = "a time"
    JSON = "any value"
    HAPPENING = "history"
    MEMBERSHIP = "membership"
    COUNT = "a count"


def _address(value: object) -> Check:
    return Equal(to_text(value).strip().lower())


def _among_addresses(value: object) -> Check:
    return one_of(listed(value), _address)


def _address_part(part: Part) -> Rule:
    return lambda value: TextPart(part, to_text(value).lower())


def _opposite(rule: Rule) -> Rule:
    return lambda value: Negated(rule(value))


# Stored addresses are in lower case, so that lowering the value makes the comparison blind to it.
EMAIL: Mapping[str, Rule] = {
    "equals": _address,
    "notEquals": _opposite(_address),
    "contains": _address_part("contains"),
    "notContains": _opposite(_address_part("contains")),
    "startsWith": _address_part("startsWith"),
    "endsWith": _address_part("endsWith"),
    "in": _among_addresses,
    "notIn": _opposite(_among_addresses),
}
ID: Mapping[str, Rule] = {name: EMAIL[name] for name in ("equals", "notEquals", "in", "notIn")}


def _flag(value: object) -> Check:
    return Equal(value in {True, "true"} if isinstance(value, bool | str) else False)


FLAG: Mapping[str, Rule] = {"equals": _flag, "notEquals": _opposite(_flag)}


def _moment(value: object) -> datetime:
    at = instant(value)
    if isinstance(value, int | float) and is_number(value):
        at = _after_epoch(value)
    if at is None:
        raise InvalidCondition(f"a time compares with an ISO date, not with {said(value)}")
    return milliseconds(at)


def _after_epoch(milliseconds: float) -> datetime | None:
    try:
        return EPOCH + timedelta(milliseconds=int(milliseconds))
    except (OverflowError, ValueError):
        return None


def _span(value: object) -> Check:
    if date_of(value):
        start = _moment(date_of(value))
        return Between(start, _later(start, DAY))
    start = _moment(value)
    return Between(start, _later(start, MILLISECOND))


def _later(at: datetime, by: timedelta) -> datetime | None:
    try:
        return at + by
    except OverflowError:  # the last day of the calendar has no end
        return None


def _until_after(value: object) -> Check:
    return Between(None, _later(_moment(value), MILLISECOND))


TIME: Mapping[str, Rule] = {
    "equals": _span,
    "notEquals": _opposite(_span),
    "greaterThan": _opposite(_until_after),
    "lessThanOrEqual": _until_after,
    "greaterThanOrEqual": lambda value: Between(_moment(value), None),
    "lessThan": lambda value: Between(None, _moment(value)),
    "within": lambda cutoff: Between(_moment(cutoff), None),
    "olderThan": lambda cutoff: Between(None, _moment(cutoff)),
}


def _whole(value: object) -> int:
    if isinstance(value, int | float) and is_number(value) and value % 1 == 0:
        return int(max(-MAX_COUNT, min(value, MAX_COUNT)))  # nothing happens as often as that
    raise InvalidCondition(f"a count compares with a whole number, not with {said(value)}")


def _counted(order: Order) -> Rule:
    return lambda value: NumberOrder(order, _whole(value))


COUNT: Mapping[str, Rule] = {
    "equals": lambda value: Equal(_whole(value)),
    "notEquals": lambda value: Negated(Equal(_whole(value))),
    "greaterThan": _counted(">"),
    "lessThan": _counted("<"),
    "greaterThanOrEqual": _counted(">="),
    "lessThanOrEqual": _counted("<="),
}

RULES: Mapping[Kind, Mapping[str, Rule]] = {
    Kind.ID: ID,
    Kind.EMAIL: EMAIL,
    Kind.FLAG: FLAG,
    Kind.TIME: TIME,
    Kind.JSON: JSON_RULES,
    Kind.HAPPENING: HAPPENING,
    Kind.MEMBERSHIP: MEMBERSHIP,
    Kind.COUNT: COUNT,
}
