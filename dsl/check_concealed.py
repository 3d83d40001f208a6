"""Secrets inside computations: they are put in last, so only texts can be joined to them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dsl import nodes
from dsl.diagnostics import Diagnostic, report

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dsl.spans import Source

_NO_TEXTS = (nodes.ListOf, nodes.Object, nodes.Duration, nodes.Negate)
_REASON = "its value is put in when the address is called; only texts can be joined to it"


def check_concealed(source: Source, operand: nodes.Operand) -> Iterator[Diagnostic]:
    """Report one function or sign that is to compute something from a secret."""
    match operand:
        case nodes.Call(function, arguments) if any(map(_conceals, arguments)):
            what = f"{function.value}() cannot be computed from a secret"
        case nodes.Negate(part) if _conceals(part):
            what = "a secret is a text and has no minus"
        case nodes.Binary("-" | "*" | "/" as sign, left, right) if _any(left, right):
            what = f"{sign} cannot be computed from a secret"
        case nodes.Binary("+", left, right) if _any(left, right) and _is_odd(left, right):
            what = "this cannot be added to a secret"
        case _:
            return
    yield report(source, "FLOW-E338", operand.span, f"{what}: {_REASON}")


def _any(left: nodes.Operand, right: nodes.Operand) -> bool:
    return _conceals(left) or _conceals(right)


def _conceals(operand: nodes.Operand) -> bool:
    """Tell whether a value is, or may be, a text with a secret in it."""
    match operand:
        case nodes.Call(nodes.Text("secret")):
            return True
        case nodes.Binary("+" | "??", left, right):
            return _any(left, right)
    return False


def _is_odd(left: nodes.Operand, right: nodes.Operand) -> bool:
    """Tell whether one of the two is no text for certain."""
    return any(
        isinstance(one, _NO_TEXTS)
        or (isinstance(one, nodes.Literal) and not isinstance(one.value, str))
        for one in (left, right)
    )
