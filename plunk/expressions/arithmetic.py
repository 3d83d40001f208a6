"""Numbers in expressions: finite, and no larger than both databases can hold."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Mapping
from typing import TypeAlias, TypeGuard

from plunk.errors import InvalidExpression
from plunk.expressions.showing import shown

MAX_INTEGER = 2**63 - 1
MIN_INTEGER = -(2**63)
MAX_EXACT = 2**53
Number: TypeAlias = int | float
SIGNS: Mapping[str, Callable[[Number, Number], Number]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": operator.truediv,
}


def arithmetic(sign: str, left: object, right: object) -> Number:
    """Return what a sign makes of two numbers."""
    if not (is_number(left) and is_number(right)):
        raise InvalidExpression(f"cannot compute {shown(left)} {sign} {shown(right)}")
    try:
        return bounded(tidy(SIGNS[sign](left, right)))
    except (ArithmeticError, InvalidExpression) as error:
        problem = "division by zero" if isinstance(error, ZeroDivisionError) else "too large"
        raise InvalidExpression(f"{shown(left)} {sign} {shown(right)}: {problem}") from error


def tidy(number: Number) -> Number:
    """Return a float as a whole number where it is one exactly: 6 / 2 is 3."""
    is_whole = isinstance(number, float) and number.is_integer() and abs(number) <= MAX_EXACT
    return int(number) if is_whole else number


def bounded(number: Number) -> Number:
    """Return the number, unless no database could hold it."""
    if not math.isfinite(number) or (
        isinstance(number, int) and not MIN_INTEGER <= number <= MAX_INTEGER
    ):
        raise InvalidExpression("a number is too large")
    return number


def is_number(value: object) -> TypeGuard[Number]:
    """Tell whether a JSON value is a number; true and false are none."""
    return isinstance(value, int | float) and not isinstance(value, bool)
