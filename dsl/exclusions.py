"""Conditions that are never true together."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dsl import nodes
from dsl.moments import is_moment
from dsl.values import is_literal

if TYPE_CHECKING:
    from collections.abc import Set as AbstractSet

_LOWER = {"greaterThan": False, "greaterThanOrEqual": True}
_UPPER = {"lessThan": False, "lessThanOrEqual": True}
_OPPOSITES = {
    ("exists", "notExists"),
    ("notExists", "exists"),
    ("isEmpty", "isNotEmpty"),
    ("isNotEmpty", "isEmpty"),
}


def exclude(one: nodes.Condition, other: nodes.Condition) -> bool:
    """Tell whether two conditions are never true together."""
    if are_opposite(one, other):
        return True
    match one, other:
        case nodes.Test(nodes.Name() as name), nodes.Test(nodes.Name() as again) if name == again:
            return _are_apart(one, other) or _are_apart(other, one) or _differ(one, other)
    return False


def are_opposite(one: nodes.Condition, other: nodes.Condition) -> bool:
    """Tell whether always exactly one of two conditions is true."""
    match one, other:
        case nodes.Test(subject, operator), nodes.Test(again, another):
            return subject == again and (operator, another) in _OPPOSITES
    return one == nodes.Not(other) or other == nodes.Not(one)


def _are_apart(low: nodes.Test, high: nodes.Test) -> bool:
    """Tell whether nothing is above the one number and below the other."""
    match low, high:
        case (
            nodes.Test(_, below, nodes.Literal(int() | float() as least)),
            nodes.Test(_, above, nodes.Literal(int() | float() as most)),
        ) if below in _LOWER and above in _UPPER:
            touches = least == most and _LOWER[below] and _UPPER[above]
            return least >= most and not touches
    return False


def _differ(one: nodes.Test, other: nodes.Test) -> bool:
    """Tell whether both name the values that will do, none of them the same.

    Only values of one type are compared; and a date stands for a day in some places.
    """
    values, others = _wanted(one), _wanted(other)
    types = {type(value) for value in values | others}
    return bool(values and others) and len(types) == 1 and not values & others


def _wanted(test: nodes.Test) -> AbstractSet[nodes.Scalar]:
    match test:
        case nodes.Test(_, "equals", nodes.Literal() as value):
            found: tuple[nodes.Operand, ...] = (value,)
        case nodes.Test(_, "in", nodes.ListOf(items)) if all(is_literal(item) for item in items):
            found = items
        case _:
            return frozenset()
    values = {item.value for item in found if isinstance(item, nodes.Literal)}
    has_date = any(isinstance(value, str) and is_moment(value) for value in values)
    return frozenset() if has_date else values
