"""Values and conditions as text on one line, with no parenthesis too many."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dsl import nodes
from dsl.builder import OPERATORS, PRESENCE
from dsl.strings import encode
from dsl.values import is_word

if TYPE_CHECKING:
    from collections.abc import Sequence

_SIGNS = {name: sign for sign, name in OPERATORS.items()}
_SIGNS |= {name: f"is {words}" for words, name in PRESENCE.items()}
_CONSTANTS = {None: "null", True: "true", False: "false"}
_OR, _AND, _NOT, _TEST, _DEFAULT, _SUM, _PRODUCT, _UNARY, _ATOM = range(9)
_BINARY = {"??": _DEFAULT, "+": _SUM, "-": _SUM, "*": _PRODUCT, "/": _PRODUCT}


def text(node: nodes.Operand) -> str:
    """Return the node as it is written."""
    match node:
        case nodes.AnyOf(parts):
            return " or ".join(_within(part, _AND) for part in parts)
        case nodes.AllOf(parts):
            return " and ".join(_within(part, _NOT) for part in parts)
        case nodes.Not(part):
            return "not " + _within(part, _NOT)
        case nodes.Bare(subject):
            return text(subject)
        case nodes.Test():
            return _test(node)
    return _value(node)


def key_text(key: str) -> str:
    """Return the key of a pair."""
    return key if is_word(key) else encode(key)


def pairs_text(pairs: Sequence[nodes.Pair]) -> str:
    """Return an object on one line."""
    inner = ", ".join(f"{key_text(pair.key.value)}: {text(pair.value)}" for pair in pairs)
    return f"{{ {inner} }}" if inner else "{}"


def duration_text(duration: nodes.Duration) -> str:
    """3 days."""
    return f"{duration.amount} {duration.unit}"


def _value(node: nodes.Operand) -> str:  # noqa: PLR0911 - a table
    match node:
        case nodes.Literal(value):
            return literal_text(value)
        case nodes.Name(root, path):
            return root + "".join(_key(key) for key in path)
        case nodes.ListOf(items):
            return "[" + ", ".join(text(item) for item in items) + "]"
        case nodes.Object(pairs):
            return pairs_text(pairs)
        case nodes.Call(function, arguments):
            return f"{function.value}({', '.join(text(item) for item in arguments)})"
        case nodes.Negate(operand):
            return "-" + _within(operand, _UNARY)
        case nodes.Binary(operator, left, right):
            level = _BINARY[operator]
            return f"{_within(left, level)} {operator} {_within(right, level + 1)}"
    raise AssertionError(node)


def literal_text(value: nodes.Scalar) -> str:
    """Return a text in quotes, a number, or one of the constants."""
    if isinstance(value, str):
        return encode(value)
    if value is None or isinstance(value, bool):
        return _CONSTANTS[value]
    return repr(value)


def _test(test: nodes.Test) -> str:
    sign = _SIGNS[test.operator]
    subject = _within(test.subject, _DEFAULT)
    return f"{subject} {sign}" + (f" {_within(test.value, _DEFAULT)}" if test.value else "")


def _key(key: str | int) -> str:
    if isinstance(key, int):
        return f"[{key}]"
    return f".{key}" if is_word(key) else f"[{encode(key)}]"


def _within(node: nodes.Operand, level: int) -> str:
    """Return the node as an operand that binds at least this tightly."""
    shown = text(node)
    return shown if _level(node) >= level else f"({shown})"


def _level(node: nodes.Operand) -> int:  # noqa: PLR0911 - a table
    match node:
        case nodes.AnyOf():
            return _OR
        case nodes.AllOf():
            return _AND
        case nodes.Not():
            return _NOT
        case nodes.Test():
            return _TEST
        case nodes.Bare(subject):
            return _level(subject)
        case nodes.Binary(operator):
            return _BINARY[operator]
        case nodes.Negate():
            return _UNARY
    return _ATOM
