"""Values computed from facts. Total, bounded, and without any input or output.

expression   scalar                         itself
             ["get", part, ...]             what stands at a path; null when nothing does
             ["list", e, ...]               an array
             ["object", [[key, e], ...]]    an object
             ["+", e, e]                    numbers add, texts concatenate
             ["-" | "*" | "/", e, e]        numbers
             ["neg", e]                     a number
             ["??", e, e]                   the second when the first is missing or null
             ["call", name, e, ...]         lower upper trim round length now

Whatever goes wrong is an InvalidExpression that names the operation and the values.
"""

from __future__ import annotations

import json
import math
import operator
from collections.abc import Callable, Mapping, Sequence
from decimal import ROUND_HALF_UP, Context, Decimal
from typing import Protocol, TypeAlias, TypeGuard

from plunk.errors import InvalidExpression

MAX_DEPTH = 64
MAX_WORK = 1_000_000  # one unit per character made, NODE_WORK per node visited
NODE_WORK = 100
MAX_INTEGER = 2**63 - 1
MIN_INTEGER = -(2**63)
MAX_EXACT = 2**53
MAX_PLACES = 15
MAX_SHOWN = 60
WIDE = Context(prec=60)  # 16 digits before the point and 15 behind fit

Number: TypeAlias = int | float
Parts: TypeAlias = tuple[str | int, ...]


class Facts(Protocol):
    """What an expression may ask."""

    def get(self, path: Parts, default: object = ...) -> object:
        """Return what stands at a path, or the default."""
        ...


def evaluate(expression: object, facts: Facts) -> object:
    """Return the value of one expression."""
    evaluation = _Evaluation(facts)
    return evaluation.checked(evaluation.value(expression, 1))


def compute(
    value: object, facts: Facts, mark: Callable[[object], object] = lambda result: result
) -> object:
    """Return a JSON value with every {"$expr": e} in it replaced by its result, marked."""
    return _Evaluation(facts).replaced(value, mark, 1)


class _Evaluation:
    """One evaluation and what it has cost so far."""

    def __init__(self, facts: Facts) -> None:
        self.facts = facts
        self.work = 0

    def value(self, expression: object, depth: int) -> object:  # noqa: PLR0911 -- one per form
        """Return the value of an expression at this depth of nesting."""
        self.spend(NODE_WORK)
        if depth > MAX_DEPTH:
            raise InvalidExpression(f"an expression is nested more than {MAX_DEPTH} deep")
        if not isinstance(expression, list | dict):
            return expression
        match expression:
            case ["get", _, *_]:
                return self.facts.get(_path(expression[1:]), None)
            case ["list", *items]:
                return [self.value(item, depth + 1) for item in items]
            case ["object", list() as pairs]:
                return dict(self.pair(pair, depth + 1) for pair in pairs)
            case ["??", first, second]:
                value = self.value(first, depth + 1)
                return self.value(second, depth + 1) if value is None else value
            case ["neg", operand]:
                return _arithmetic("-", 0, self.value(operand, depth + 1))
            case ["call", str() as name, *operands]:
                return self.call(name, [self.value(item, depth + 1) for item in operands])
            case ["+" | "-" | "*" | "/" as sign, left, right]:
                return self.combined(
                    sign, self.value(left, depth + 1), self.value(right, depth + 1)
                )
        raise InvalidExpression(f"not an expression: {_shown(expression)}")

    def pair(self, pair: object, depth: int) -> tuple[str, object]:
        """Return one entry of an object."""
        match pair:
            case [str() as key, item]:
                self.spend(len(key))
                return key, self.value(item, depth)
        raise InvalidExpression(f"an object is made of [key, value], not {_shown(pair)}")

    def combined(self, sign: str, left: object, right: object) -> object:
        """Return what a sign makes of two values."""
        if sign == "+" and isinstance(left, str) and isinstance(right, str):
            self.spend(len(left) + len(right))
            return left + right
        return _arithmetic(sign, left, right)

    def call(self, name: str, values: Sequence[object]) -> object:
        """Return what a function makes of its values."""
        if name == "now" and not values:
            return self.facts.get(("now",), None)
        self.spend(sum(len(value) for value in values if isinstance(value, str)))
        if name not in FUNCTIONS:
            raise InvalidExpression(f"there is no function {name}()")
        return FUNCTIONS[name](values)

    def replaced(self, value: object, mark: Callable[[object], object], depth: int) -> object:
        """Return a JSON value with its expressions computed."""
        if depth > MAX_DEPTH:
            raise InvalidExpression(f"a value is nested more than {MAX_DEPTH} deep")
        match value:
            case {"$expr": expression, **others} if not others:
                return mark(self.checked(self.value(expression, 1)))
            case dict():
                return {key: self.replaced(item, mark, depth + 1) for key, item in value.items()}
            case list():
                return [self.replaced(item, mark, depth + 1) for item in value]
        return value

    def checked(self, value: object, depth: int = 1) -> object:
        """Return a result after counting its size; facts shared many times count many times."""
        if depth > MAX_DEPTH:
            raise InvalidExpression(f"a result is nested more than {MAX_DEPTH} deep")
        match value:
            case str():
                self.spend(len(value))
            case dict():
                self.spend(sum(map(len, value)) + len(value))
                for item in value.values():
                    self.checked(item, depth + 1)
            case list():
                self.spend(len(value))
                for item in value:
                    self.checked(item, depth + 1)
            case int() | float():
                return _bounded(value)
        return value

    def spend(self, work: int) -> None:
        """Count work, and stop where it becomes too much."""
        self.work += work
        if self.work > MAX_WORK:
            raise InvalidExpression("an expression takes too much work or makes too large a value")


def _path(parts: Sequence[object]) -> Parts:
    path = tuple(part for part in parts if isinstance(part, str | int))
    if len(path) < len(parts) or any(isinstance(part, bool) for part in path):
        raise InvalidExpression(f"a path is made of names and positions, not {_shown(parts)}")
    return path


SIGNS: Mapping[str, Callable[[Number, Number], Number]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": operator.truediv,
}


def _arithmetic(sign: str, left: object, right: object) -> Number:
    if not (_is_number(left) and _is_number(right)):
        raise InvalidExpression(f"cannot compute {_shown(left)} {sign} {_shown(right)}")
    try:
        return _bounded(_tidy(SIGNS[sign](left, right)))
    except (ArithmeticError, InvalidExpression) as error:
        problem = "division by zero" if isinstance(error, ZeroDivisionError) else "too large"
        raise InvalidExpression(f"{_shown(left)} {sign} {_shown(right)}: {problem}") from error


def _tidy(number: Number) -> Number:
    """Return a float as a whole number where it is one exactly: 6 / 2 is 3."""
    is_whole = isinstance(number, float) and number.is_integer() and abs(number) <= MAX_EXACT
    return int(number) if is_whole else number


def _bounded(number: Number) -> Number:
    if not math.isfinite(number) or (
        isinstance(number, int) and not MIN_INTEGER <= number <= MAX_INTEGER
    ):
        raise InvalidExpression("a number is too large")
    return number


def _is_number(value: object) -> TypeGuard[Number]:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _text_function(name: str, change: Callable[[str], str]) -> Callable[[Sequence[object]], object]:
    def call(values: Sequence[object]) -> object:
        match values:
            case [str() as text]:
                return change(text)
        raise _misused(name, values)

    return call


def _round(values: Sequence[object]) -> object:
    match values:
        case [(int() | float()) as number, *digits] if _is_number(number) and _are_places(digits):
            return _tidy(_rounded(number, int(str(digits[0])) if digits else 0))
    raise _misused("round", values)


def _are_places(digits: Sequence[object]) -> bool:
    return not digits or (len(digits) == 1 and digits[0] in range(MAX_PLACES + 1))


def _rounded(number: Number, places: int) -> Number:
    """Round half away from zero, by the digits people see; huge numbers have no fraction."""
    if isinstance(number, int) or abs(number) > MAX_EXACT:
        return number
    place = Decimal(1).scaleb(-places)
    return float(Decimal(repr(number)).quantize(place, ROUND_HALF_UP, WIDE))


def _length(values: Sequence[object]) -> object:
    match values:
        case [(str() | list() | dict()) as value]:
            return len(value)
    raise _misused("length", values)


FUNCTIONS: Mapping[str, Callable[[Sequence[object]], object]] = {
    "lower": _text_function("lower", str.lower),
    "upper": _text_function("upper", str.upper),
    "trim": _text_function("trim", str.strip),
    "round": _round,
    "length": _length,
}


def _misused(name: str, values: Sequence[object]) -> InvalidExpression:
    return InvalidExpression(f"cannot compute {name}({', '.join(map(_shown, values))})")


def _shown(value: object) -> str:
    match value:
        case str():
            text = json.dumps(value[:MAX_SHOWN], ensure_ascii=False)
            return text if len(value) <= MAX_SHOWN else f"{text[:-1]}…"
        case list():
            return f"[{len(value)} values]"
        case dict():
            return f"{{{len(value)} keys}}"
    return json.dumps(value, default=str)
