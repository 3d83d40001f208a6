"""Rules of values."""

from __future__ import annotations

from dsl import nodes
from dsl.building.parts import Parts, end_of, number, span_of, text, word
from dsl.spans import Span

CONSTANTS: dict[str, nodes.Scalar] = {"true": True, "false": False, "null": None}


def binary(parts: Parts) -> nodes.Binary:
    """Left sign right."""
    return nodes.Binary(str(parts[1]), parts[0], parts[2], span_of(parts))


def negate(parts: Parts) -> nodes.Negate | nodes.Literal:
    """Build from "-" a; a negative number is a number."""
    operand = parts[1]
    if isinstance(operand, nodes.Literal) and type(operand.value) in (int, float):
        return nodes.Literal(-operand.value, span_of(parts))  # type: ignore[operator] # a number
    return nodes.Negate(operand, span_of(parts))


def string(parts: Parts) -> nodes.Literal:
    """Text as a value."""
    return nodes.Literal(parts[0].value, parts[0].span)


def signed_number(parts: Parts) -> nodes.Literal:
    """["-"] NUMBER."""
    value = number(parts[1])
    return nodes.Literal(value if parts[0] is None else -value, span_of(parts))


def number_token(parts: Parts) -> nodes.Literal:
    """Return NUMBER."""
    return nodes.Literal(number(parts[0]), span_of(parts))


def constant(parts: Parts) -> nodes.Literal:
    """Return "true" | "false" | "null"."""
    return nodes.Literal(CONSTANTS[parts[0]], span_of(parts))


def group(parts: Parts) -> nodes.Operand:
    """Build from "(" value ")"."""
    inner: nodes.Operand = parts[1]
    return inner


def path(parts: Parts) -> nodes.Name:
    """NAME step*."""
    root, *steps = parts
    path = tuple(key for key, _ in steps)
    end = steps[-1][1] if steps else root.end_pos
    return nodes.Name(str(root), path, Span(root.start_pos, end))


def step(parts: Parts) -> tuple[str | int, int]:
    """Build from "." NAME | "[" (text | NUMBER) "]", with the place where it ends."""
    key = parts[1]
    if isinstance(key, nodes.Text):
        return key.value, end_of(parts[-1])
    is_index = parts[0] == "["
    return int(number(key)) if is_index else str(key), end_of(parts[-1])


def call(parts: Parts) -> nodes.Call:
    """NAME "(" values ")"."""
    return nodes.Call(word(parts[0]), _values(parts[2:-1]), span_of(parts))


def list_of(parts: Parts) -> nodes.ListOf:
    """Build from "[" values "]"."""
    return nodes.ListOf(_values(parts[1:-1]), span_of(parts))


def object_of(parts: Parts) -> nodes.Object:
    """Build from "{" pairs "}"."""
    pairs = tuple(part for part in parts if isinstance(part, nodes.Pair))
    is_damaged = any(isinstance(part, nodes.Broken) for part in parts)
    return nodes.Object(pairs, is_damaged, span_of(parts))


def pair(parts: Parts) -> nodes.Pair:
    """Key ":" value."""
    return nodes.Pair(parts[0], parts[2], span_of(parts))


def key(parts: Parts) -> nodes.Text:
    """NAME | STRING."""
    return text(parts) if parts[0].startswith('"') else word(parts[0])


def broken_pair(parts: Parts) -> nodes.Broken:
    """ERROR; nothing is left of it."""
    return nodes.Broken((), span_of(parts))


def duration(parts: Parts) -> nodes.Duration:
    """Return NUMBER NAME."""
    return nodes.Duration(number(parts[0]), str(parts[1]), span_of(parts))


def _values(parts: Parts) -> tuple[nodes.Operand, ...]:
    """Return what stands between the commas."""
    return tuple(part for part in parts if part is not None and hasattr(part, "span"))
