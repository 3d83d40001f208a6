"""Values and conditions as text on one line, with no parenthesis too many."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dsl import nodes
from dsl.building.conditions import OPERATORS, PRESENCE
from dsl.strings import encode
from dsl.values import is_word

if TYPE_CHECKING:
    from collections.abc import Sequence

_SIGNS = {name: sign for sign, name in OPERATORS.items()}
_SIGNS |= {name: f"is {words}" for words, name in PRESENCE.items()}
_SIGNS |= {"within": "within", "olderThan": "older than"}
_CONSTANTS = {None: "null", True: "true", False: "false"}
_OR, _AND, _NOT, _TEST, _DEFAULT, _SUM, _PRODUCT, _UNARY, _ATOM = range(9)
_BINARY = {"??": _DEFAULT, "+": _SUM, "-": _SUM, "*": _PRODUCT, "/": _PRODUCT}


def text(node: nodes.Operand) -> str:  # noqa: PLR0911 - a table
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
        case nodes.Member() | nodes.RawCondition():
            return _leaf(node)
        case nodes.Triggered() | nodes.Mailed() | nodes.Counted():
            return _history(node)
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


def reference_text(reference: nodes.Reference) -> str:
    """Return a name in quotes, or id and the id."""
    return ("id " if reference.is_id else "") + encode(reference.value)


def _leaf(node: nodes.Member | nodes.RawCondition) -> str:
    match node:
        case nodes.Member(subject, segment, is_negated):
            sign = "not in segment" if is_negated else "in segment"
            return f"{_within(subject, _DEFAULT)} {sign} {reference_text(segment)}"
        case nodes.RawCondition(json):
            return f"json {encode(json.value)}"


def _history(node: nodes.Triggered | nodes.Mailed | nodes.Counted) -> str:
    """Return a question about what has happened."""
    match node:
        case nodes.Triggered(event, where, window):
            return _joined("triggered", encode(event.value), _limited(where), _window(window))
        case nodes.Mailed(activity, template, window):
            mail = reference_text(template) if template else "any email"
            return _joined(activity, mail, _window(window))
        case nodes.Counted(event, where, window, operator, value):
            asked = _joined("count", encode(event.value), _limited(where), _window(window))
            return f"{asked} {_SIGNS[operator]} {_within(value, _DEFAULT)}"


def _joined(*words: str) -> str:
    return " ".join(word for word in words if word)


def _limited(where: nodes.Condition | None) -> str:
    return f"where ({text(where)})" if where else ""


def _window(window: nodes.Window | None) -> str:
    if window is None:
        return ""
    return f"{'older than' if window.is_older else 'within'} {duration_text(window.length)}"


def _value(node: nodes.Operand) -> str:  # noqa: PLR0911 - a table
    match node:
        case nodes.Literal(value):
            return literal_text(value)
        case nodes.Duration():
            return duration_text(node)
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
        case nodes.Test() | nodes.Member() | nodes.Triggered() | nodes.Mailed() | nodes.Counted():
            return _TEST
        case nodes.RawCondition():
            return _TEST
        case nodes.Bare(subject):
            return _level(subject)
        case nodes.Binary(operator):
            return _BINARY[operator]
        case nodes.Negate():
            return _UNARY
    return _ATOM
