"""JSON of values → nodes, the reverse of values.py."""

from __future__ import annotations

from typing import Any

from dsl import nodes
from dsl.durations import is_unit
from dsl.values import COMPUTED, is_word
from dsl.vocabulary import KEYWORDS

_BINARY = frozenset({"+", "-", "*", "/", "??"})
_ROOT_KEYWORDS = frozenset({"contact", "event"})


class Unreadable(ValueError):
    """The JSON says something for which the language has no words."""


def value_node(data: Any) -> nodes.Operand:  # noqa: ANN401 - JSON
    """Return a literal, or a computed value in {"$expr": …}, at any depth."""
    match data:
        case {**only} if set(only) == {COMPUTED}:
            return expression_node(data[COMPUTED])
        case dict():
            return object_node(data)
        case list():
            return nodes.ListOf(tuple(value_node(item) for item in data))
        case None | bool() | int() | float() | str():
            return nodes.Literal(data)
    raise Unreadable("it has a value that is no JSON")


def object_node(data: dict[str, Any]) -> nodes.Object:
    """Pairs of a JSON object."""
    pairs = ((nodes.Text(key), value_node(value)) for key, value in data.items())
    return nodes.Object(tuple(nodes.Pair(key, value) for key, value in pairs))


def expression_node(data: Any) -> nodes.Operand:  # noqa: ANN401, PLR0911 - JSON; a table
    """Return a value from its prefix form."""
    match data:
        case None | bool() | int() | float() | str():
            return nodes.Literal(data)
        case ["get", str(root), *path] if is_root(root, path):
            return nodes.Name(root, tuple(path))
        case ["list", *items]:
            return nodes.ListOf(tuple(expression_node(item) for item in items))
        case ["object", list() as pairs]:
            return nodes.Object(tuple(_pair(pair) for pair in pairs))
        case ["duration", int() | float() as amount, str(unit)] if is_unit(unit) and amount >= 0:
            return nodes.Duration(amount, unit)
        case ["neg", operand]:
            return nodes.Negate(expression_node(operand))
        case ["call", str(name), *arguments] if is_word(name):
            return nodes.Call(nodes.Text(name), tuple(expression_node(a) for a in arguments))
        case [str(operator), left, right] if operator in _BINARY:
            return nodes.Binary(operator, expression_node(left), expression_node(right))
    raise Unreadable("it has a computed value the language does not know")


def is_root(root: str, path: list[Any]) -> bool:
    """Tell whether a path can begin like this."""
    fits = is_word(root) and (root not in KEYWORDS or root in _ROOT_KEYWORDS)
    return fits and all(type(key) in (str, int) for key in path)


def _pair(pair: Any) -> nodes.Pair:  # noqa: ANN401 - JSON
    match pair:
        case [str(key), value]:
            return nodes.Pair(nodes.Text(key), expression_node(value))
    raise Unreadable("it has an object whose pairs are no pairs")
