"""Expressions → JSON: literals as themselves, the rest as small prefix lists."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from dsl import nodes
from dsl.durations import plural

if TYPE_CHECKING:
    from dsl.graph import Json

COMPUTED = "$expr"
_WORD = re.compile(r"[^\W\d]\w*")


class Misplaced(ValueError):
    """A condition stands where a value belongs; the checker reports it."""


def is_word(key: str | int) -> bool:
    """Whether a key can be written after a dot."""
    return isinstance(key, str) and _WORD.fullmatch(key) is not None


def full_path(name: nodes.Name) -> tuple[str | int, ...]:
    """Root and keys; data is short for contact.data."""
    path = (name.root, *name.path)
    return ("contact", *path) if name.root == "data" else path


def is_literal(value: nodes.Operand) -> bool:
    """Whether plain JSON can say the value."""
    match value:
        case nodes.Literal():
            return True
        case nodes.ListOf(items):
            return all(is_literal(item) for item in items)
        case nodes.Object(pairs):
            return all(p.key.value != COMPUTED and is_literal(p.value) for p in pairs)
    return False


def value_json(value: nodes.Operand) -> Json:
    """Return the literal itself, or {"$expr": …}."""
    return literal_json(value) if is_literal(value) else {COMPUTED: expression_json(value)}


def literal_json(value: nodes.Operand) -> Json:
    """Plain JSON of a literal."""
    match value:
        case nodes.Literal(scalar):
            return scalar
        case nodes.ListOf(items):
            return [literal_json(item) for item in items]
        case nodes.Object(pairs):
            return {pair.key.value: literal_json(pair.value) for pair in pairs}
    raise Misplaced


def mixed_json(value: nodes.Operand) -> Json:
    """JSON in which computed values may stand at any depth."""
    match value:
        case nodes.ListOf(items):
            return [mixed_json(item) for item in items]
        case nodes.Object(pairs) if all(pair.key.value != COMPUTED for pair in pairs):
            return {pair.key.value: mixed_json(pair.value) for pair in pairs}
    return value_json(value)


def expression_json(value: nodes.Operand) -> Json:  # noqa: PLR0911 - a table
    """Prefix form: ["+", a, b], ["get", "contact", "email"], ["duration", 3, "days"]."""
    match value:
        case nodes.Literal(scalar):
            return scalar
        case nodes.Name():
            return ["get", *full_path(value)]
        case nodes.ListOf(items):
            return ["list", *(expression_json(item) for item in items)]
        case nodes.Object(pairs):
            return ["object", [[p.key.value, expression_json(p.value)] for p in pairs]]
        case nodes.Binary(operator, left, right):
            return [operator, expression_json(left), expression_json(right)]
        case nodes.Negate(operand):
            return ["neg", expression_json(operand)]
        case nodes.Duration(amount, unit):
            return ["duration", amount, plural(unit)]
        case nodes.Call(function, arguments):
            return ["call", function.value, *(expression_json(item) for item in arguments)]
    raise Misplaced
