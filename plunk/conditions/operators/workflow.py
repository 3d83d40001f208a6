"""The rules for everything inside a workflow: comparisons as JavaScript would make them.

MISSING (not there) and None (null) differ only for equals; a value that was left out is
MISSING too. Text operators compare string forms; order is numeric where both sides read as
numbers, and by instant where both are ISO dates.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

from plunk.conditions.instants import instant
from plunk.conditions.nodes import MISSING
from plunk.conditions.operators.happening import HAPPENING, MEMBERSHIP, in_memory
from plunk.conditions.operators.javascript import to_number, to_text

Order: TypeAlias = Callable[[Any, Any], bool]


def equals(actual: object, expected: object) -> bool:
    """Strict and type-sensitive; arrays and objects are never equal to anything."""
    if _is_number(actual) and _is_number(expected):
        return actual == expected
    if type(actual) is not type(expected) or isinstance(actual, list | dict):
        return False
    return actual == expected


def not_equals(actual: object, expected: object) -> bool:
    """Present, and not strictly equal."""
    return exists(actual) and not equals(actual, expected)


def exists(actual: object, _: object = MISSING) -> bool:
    """Neither missing nor null; empty text, 0 and false are present."""
    return actual is not MISSING and actual is not None


def not_exists(actual: object, _: object = MISSING) -> bool:
    """Missing or null."""
    return not exists(actual)


def is_empty(actual: object, _: object = MISSING) -> bool:
    """Missing, null, empty text, an empty array or an empty object."""
    return not exists(actual) or actual in ("", [], {})


def is_not_empty(actual: object, _: object = MISSING) -> bool:
    """Anything else; 0 and false included."""
    return not is_empty(actual)


def contains(actual: object, expected: object) -> bool:
    """Present, and its string form contains that of the value; an array's is comma-joined."""
    return _texts(actual, expected, operator.contains)


def not_contains(actual: object, expected: object) -> bool:
    """Present, and does not contain the value."""
    return exists(actual) and not contains(actual, expected)


def starts_with(actual: object, expected: object) -> bool:
    """Present, and its string form starts with that of the value."""
    return _texts(actual, expected, str.startswith)


def ends_with(actual: object, expected: object) -> bool:
    """Present, and its string form ends with that of the value."""
    return _texts(actual, expected, str.endswith)


def is_in(actual: object, expected: object) -> bool:
    """Equal to one of the listed values; a single value is a list of one."""
    values = expected if isinstance(expected, list) else [expected]
    return any(equals(actual, value) for value in values)


def is_not_in(actual: object, expected: object) -> bool:
    """Present, and equal to none of the listed values."""
    return exists(actual) and not is_in(actual, expected)


def within(actual: object, cutoff: object) -> bool:
    """Be an ISO date not before the cut-off; the future counts."""
    return _ordered(instant(actual), instant(cutoff), operator.ge)


def older_than(actual: object, cutoff: object) -> bool:
    """Be an ISO date before the cut-off."""
    return _ordered(instant(actual), instant(cutoff), operator.lt)


def _ordering(order: Order) -> Callable[[object, object], bool]:
    def compare(actual: object, expected: object) -> bool:
        if not exists(actual):
            return False
        left, right = to_number(actual), to_number(expected)
        if math.isnan(left) or math.isnan(right):
            return _ordered(instant(actual), instant(expected), order)
        return order(left, right)

    return compare


def _ordered(left: object, right: object, order: Order) -> bool:
    return left is not None and right is not None and order(left, right)


def _texts(actual: object, expected: object, test: Callable[[str, str], bool]) -> bool:
    return exists(actual) and expected is not MISSING and test(to_text(actual), to_text(expected))


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


OPERATORS: Mapping[str, Callable[[object, object], bool]] = {
    **in_memory({**HAPPENING, **MEMBERSHIP}),
    "equals": equals,
    "notEquals": not_equals,
    "contains": contains,
    "notContains": not_contains,
    "greaterThan": _ordering(operator.gt),
    "lessThan": _ordering(operator.lt),
    "greaterThanOrEqual": _ordering(operator.ge),
    "lessThanOrEqual": _ordering(operator.le),
    "exists": exists,
    "notExists": not_exists,
    "startsWith": starts_with,
    "endsWith": ends_with,
    "in": is_in,
    "notIn": is_not_in,
    "isEmpty": is_empty,
    "isNotEmpty": is_not_empty,
    "within": within,
    "olderThan": older_than,
}
