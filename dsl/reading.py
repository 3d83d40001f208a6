"""JSON of conditions and values → nodes, the reverse of conditions.py and values.py."""

from __future__ import annotations

from typing import Any

from dsl import nodes
from dsl.builder import OPERATORS, PRESENCE
from dsl.values import COMPUTED, is_word
from dsl.vocabulary import KEYWORDS

_BINARY = frozenset({"+", "-", "*", "/", "??"})
_ROOT_KEYWORDS = frozenset({"contact", "event"})


class Unreadable(ValueError):
    """The JSON says something for which the language has no words."""


def condition_node(tree: Any) -> nodes.Condition:  # noqa: ANN401 - JSON
    """Return a condition from its tree."""
    match tree:
        case {"not": part}:
            return nodes.Not(condition_node(part))
        case {"logic": "AND", "groups": [*groups]}:
            return _all([part for group in groups for part in _group(group)])
        case {"logic": "OR", "groups": [*groups]}:
            return _any([_all(_group(group)) for group in groups])
    raise Unreadable("it has a condition that is no tree of groups")


def test_node(data: Any) -> nodes.Test | nodes.Bare:  # noqa: ANN401 - JSON
    """One comparison from its filter."""
    match data:
        case {"field": field, "operator": "equals", "value": True} if data["value"] is True:
            return nodes.Bare(_subject(field))
        case {"field": field, "operator": str(operator), "value": value}:
            if operator in OPERATORS.values():
                return nodes.Test(_subject(field), operator, value_node(value))
        case {"field": field, "operator": str(operator)}:
            if operator in PRESENCE.values():
                return nodes.Test(_subject(field), operator)
    raise Unreadable("it has a comparison the language does not know")


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
        case ["get", str(root), *path] if _is_root(root, path):
            return nodes.Name(root, tuple(path))
        case ["list", *items]:
            return nodes.ListOf(tuple(expression_node(item) for item in items))
        case ["object", list() as pairs]:
            return nodes.Object(tuple(_pair(pair) for pair in pairs))
        case ["neg", operand]:
            return nodes.Negate(expression_node(operand))
        case ["call", str(name), *arguments] if is_word(name):
            return nodes.Call(nodes.Text(name), tuple(expression_node(a) for a in arguments))
        case [str(operator), left, right] if operator in _BINARY:
            return nodes.Binary(operator, expression_node(left), expression_node(right))
    raise Unreadable("it has a computed value the language does not know")


def _group(group: Any) -> list[nodes.Condition]:  # noqa: ANN401 - JSON
    if not isinstance(group, dict) or set(group) - {"filters", "conditions"}:
        raise Unreadable("it has a group with unknown keys")
    parts: list[nodes.Condition] = [test_node(data) for data in group.get("filters", ())]
    return [*parts, condition_node(group["conditions"])] if "conditions" in group else parts


def _all(parts: list[nodes.Condition]) -> nodes.Condition:
    flat: list[nodes.Condition] = []
    for part in parts:
        flat += part.parts if isinstance(part, nodes.AllOf) else (part,)
    return _joined(flat, nodes.AllOf)


def _any(parts: list[nodes.Condition]) -> nodes.Condition:
    flat: list[nodes.Condition] = []
    for part in parts:
        flat += part.parts if isinstance(part, nodes.AnyOf) else (part,)
    return _joined(flat, nodes.AnyOf)


def _joined(parts: list[nodes.Condition], kind: type[nodes.AllOf | nodes.AnyOf]) -> nodes.Condition:
    if not parts:
        raise Unreadable("it has an empty group of conditions")
    return parts[0] if len(parts) == 1 else kind(tuple(parts))


def _subject(field: Any) -> nodes.Operand:  # noqa: ANN401 - JSON
    match field:
        case str():
            root, *path = field.split(".")
            if _is_root(root, path) and all(is_word(key) for key in path):
                return nodes.Name(root, tuple(path))
        case {**only} if set(only) == {COMPUTED}:
            return expression_node(field[COMPUTED])
    raise Unreadable(f"it compares {field!r}, which is no path of words")


def _is_root(root: str, path: list[Any]) -> bool:
    fits = is_word(root) and (root not in KEYWORDS or root in _ROOT_KEYWORDS)
    return fits and all(type(key) in (str, int) for key in path)


def _pair(pair: Any) -> nodes.Pair:  # noqa: ANN401 - JSON
    match pair:
        case [str(key), value]:
            return nodes.Pair(nodes.Text(key), expression_node(value))
    raise Unreadable("it has an object whose pairs are no pairs")
