"""A condition tree, evaluated in memory."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Protocol, TypeAlias

from plunk.conditions.instants import before, instant, iso, milliseconds
from plunk.conditions.nodes import (
    MISSING,
    All,
    Any,
    Computed,
    Condition,
    Count,
    Emails,
    Events,
    History,
    Literal,
    Membership,
    Not,
    Operand,
    Path,
    PathParts,
    Test,
)
from plunk.errors import InvalidCondition

Operators: TypeAlias = Mapping[str, Callable[[object, object], bool]]
# A rule set is one table, or one for each kind of field.
Rules: TypeAlias = Operators | Callable[[Operand], Operators]


class Facts(Protocol):
    """What a condition is asked about; the path `now` holds the time as ISO text."""

    def get(self, path: PathParts, default: object = ...) -> object:
        """Return what stands at a path, or the default."""
        ...

    def evaluate(self, expression: object) -> object:
        """Return the value of an expression in its JSON form."""
        ...

    def answer(self, operand: History) -> object:
        """Return what history says.

        The latest instant or None for Events and Emails, a number for Count, true or false for
        Membership.
        """
        ...


def matches(node: Condition, facts: Facts, operators: Rules) -> bool:
    """Return whether the condition holds; `operators` is the rule set."""
    match node:
        case Test():
            return holds(node, value_of(node.field, facts), facts, operators)
        case All(parts):
            return all(matches(part, facts, operators) for part in parts)
        case Any(parts):
            return any(matches(part, facts, operators) for part in parts)
        case Not(part):
            return not matches(part, facts, operators)


def holds(test: Test, actual: object, facts: Facts, operators: Rules) -> bool:
    """Return whether a value passes a test; what the test's own field holds is not looked at."""
    table = operators if isinstance(operators, Mapping) else operators(test.field)
    if test.operator not in table:
        raise InvalidCondition(f"unknown operator {test.operator}")
    return table[test.operator](actual, expected(test, facts))


def expected(test: Test, facts: Facts) -> object:
    """Return what a test compares with: MISSING when no value was given."""
    value = MISSING if test.value is None else value_of(test.value, facts)
    return value if test.unit is None else _cutoff(value, test.unit, facts)


def value_of(operand: Operand, facts: Facts) -> object:
    """Return what an operand stands for."""
    match operand:
        case Path(parts):
            return facts.get(parts, MISSING)
        case Literal(value):
            return value
        case Computed(expression):
            return facts.evaluate(expression)
        case Events() | Emails() | Membership() | Count():
            return facts.answer(operand)


def _cutoff(amount: object, unit: str, facts: Facts) -> str:
    return iso(cutoff(instant(facts.get(("now",), MISSING)), amount, unit))


def cutoff(now: datetime | None, amount: object, unit: str) -> datetime:
    """Return the instant so many units before now, in whole milliseconds."""
    if now is None or isinstance(amount, bool) or not isinstance(amount, int | float):
        raise InvalidCondition(f"cannot count {amount!r} {unit} back from now")
    at = before(milliseconds(now), amount, unit)
    if at is None:
        raise InvalidCondition(f"{amount!r} {unit} before now is outside the calendar")
    return milliseconds(at)
