"""Evaluating expressions, and counting what that costs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Protocol, TypeAlias

from plunk.errors import InvalidExpression
from plunk.expressions.arithmetic import arithmetic, bounded
from plunk.expressions.functions import FUNCTIONS
from plunk.expressions.secrets import Concealed, conceal, joined
from plunk.expressions.showing import misused, shown
from plunk.expressions.times import duration, moved

MAX_DEPTH = 64
MAX_WORK = 1_000_000  # one unit per character made, NODE_WORK per node visited
NODE_WORK = 100
RENDER_WORK = 10_000

Parts: TypeAlias = tuple[str | int, ...]


class Facts(Protocol):
    """What an expression may ask."""

    def get(self, path: Parts, default: object = ...) -> object:
        """Return what stands at a path, or the default."""
        ...

    def render(self, source: str) -> str:
        """Return a template filled with these facts; InvalidExpression where that cannot be."""
        ...


def evaluate(expression: object, facts: Facts) -> object:
    """Return the value of one expression."""
    evaluation = _Evaluation(facts)
    return evaluation.checked(evaluation.value(expression, 1))


def compute(
    value: object,
    facts: Facts,
    mark: Callable[[object], object] = lambda result: result,
    *,
    may_conceal: bool = False,
) -> object:
    """Return a JSON value with every {"$expr": e} in it replaced by its result, marked.

    Only a caller that says `may_conceal` gets results with secrets in them, as Concealed.
    """
    return _Evaluation(facts, may_conceal=may_conceal).replaced(value, mark, 1)


class _Evaluation:
    """One evaluation and what it has cost so far."""

    def __init__(self, facts: Facts, *, may_conceal: bool = False) -> None:
        self.facts = facts
        self.may_conceal = may_conceal
        self.work = 0

    def value(self, expression: object, depth: int) -> object:  # noqa: C901, PLR0911 -- one per form
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
                return arithmetic("-", 0, self.value(operand, depth + 1))
            case ["duration", amount, unit]:
                return duration(amount, unit)
            case ["call", str() as name, *operands]:
                return self.call(name, [self.value(item, depth + 1) for item in operands])
            case ["date" | "render" | "secret" as name, operand]:
                return self.call(name, [self.value(operand, depth + 1)])
            case ["+" | "-" | "*" | "/" as sign, left, right]:
                return self.combined(
                    sign, self.value(left, depth + 1), self.value(right, depth + 1)
                )
        raise InvalidExpression(f"not an expression: {shown(expression)}")

    def pair(self, pair: object, depth: int) -> tuple[str, object]:
        """Return one entry of an object."""
        match pair:
            case [str() as key, item]:
                self.spend(len(key))
                return key, self.value(item, depth)
        raise InvalidExpression(f"an object is made of [key, value], not {shown(pair)}")

    def combined(self, sign: str, left: object, right: object) -> object:
        """Return what a sign makes of two values."""
        match sign, left, right:
            case "+", str(), str():
                self.spend(len(left) + len(right))
                return left + right
            case "+", str() | Concealed(), str() | Concealed():
                return joined(left, right)
        if isinstance(left, timedelta) or isinstance(right, timedelta):
            return moved(sign, left, right)
        return arithmetic(sign, left, right)

    def call(self, name: str, values: Sequence[object]) -> object:
        """Return what a function makes of its values."""
        self.spend(sum(len(value) for value in values if isinstance(value, str)))
        match name, values:
            case "now", []:
                return self.facts.get(("now",), None)
            case "secret", [secret]:
                return conceal(secret)
            case "render", [str() as source]:
                self.spend(RENDER_WORK)
                return self.facts.render(source)
            case "now" | "secret" | "render", _:
                raise misused(name, values)
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
                return bounded(value)
            case timedelta():
                raise InvalidExpression("a duration can only be added to or taken from a time")
            case Concealed() if not self.may_conceal:
                message = "secret() may only stand in a web hook's address, headers and body"
                raise InvalidExpression(message)
        return value

    def spend(self, work: int) -> None:
        """Count work, and stop where it becomes too much."""
        self.work += work
        if self.work > MAX_WORK:
            raise InvalidExpression("an expression takes too much work or makes too large a value")


def _path(parts: Sequence[object]) -> Parts:
    path = tuple(part for part in parts if isinstance(part, str | int))
    if len(path) < len(parts) or any(isinstance(part, bool) for part in path):
        raise InvalidExpression(f"a path is made of names and positions, not {shown(parts)}")
    return path
