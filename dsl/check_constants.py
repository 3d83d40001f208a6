"""Conditions whose answer is the same for everybody."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dsl import nodes
from dsl.diagnostics import Diagnostic, note, report
from dsl.expression_text import text
from dsl.values import is_literal
from dsl.walking import every_operand

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from dsl.spans import Source

_SAME_ANSWER = "this is always true or always false; compare with a field"
_ITSELF = "this compares a value with itself; the answer is always the same"
_LOWER = {"greaterThan": False, "greaterThanOrEqual": True}
_UPPER = {"lessThan": False, "lessThanOrEqual": True}
_MOST_PARTS = 200


def check_constants(source: Source, condition: nodes.Condition) -> Iterator[Diagnostic]:
    """Report tests of plain values, and parts that rule each other out."""
    for part in every_operand(condition):
        match part:
            case nodes.Test() | nodes.Bare():
                yield from _test(source, part)
            case nodes.AllOf(parts):
                yield from _contradiction(source, parts[:_MOST_PARTS])
            case nodes.AnyOf(parts):
                yield from _certainty(source, parts[:_MOST_PARTS])


def check_chain(source: Source, item: nodes.If) -> Iterator[Diagnostic]:
    """Report a branch that asks what an earlier one has asked already."""
    first: dict[str, nodes.Branch] = {}  # by text, as 1 and true are equal to Python
    for branch in item.branches:
        earlier = first.setdefault(text(branch.condition), branch)
        if earlier is not branch:
            notes = (note(source, earlier.condition.span, "asked here"),)
            message = "this branch is never taken: an earlier one asks the same"
            yield report(source, "FLOW-W405", branch.condition.span, message, notes=notes)


def _test(source: Source, test: nodes.Test | nodes.Bare) -> Iterator[Diagnostic]:
    operands = [test.subject]
    if isinstance(test, nodes.Test) and test.value:
        operands.append(test.value)
    if all(is_literal(operand) for operand in operands):
        yield report(source, "FLOW-W405", test.span, _SAME_ANSWER)
    elif isinstance(test.subject, nodes.Name) and operands[1:] == [test.subject]:
        yield report(source, "FLOW-W405", test.span, _ITSELF)


def _contradiction(source: Source, parts: Sequence[nodes.Condition]) -> Iterator[Diagnostic]:
    """Report the first two parts that are never both true."""
    for at, part in enumerate(parts):
        earlier = next((one for one in parts[:at] if _exclude(one, part)), None)
        if earlier:
            notes = (note(source, earlier.span, "it rules this out"),)
            message = f"this is never true together with {text(earlier)}"
            yield report(source, "FLOW-W405", part.span, message, notes=notes)
            return


def _certainty(source: Source, parts: Sequence[nodes.Condition]) -> Iterator[Diagnostic]:
    """Report the first two parts of which one is always true."""
    for at, part in enumerate(parts):
        earlier = next((one for one in parts[:at] if _is_opposite(one, part)), None)
        if earlier:
            notes = (note(source, earlier.span, "or this is true"),)
            message = "one of the two is always true, so this asks nothing"
            yield report(source, "FLOW-W405", part.span, message, notes=notes)
            return


def _exclude(one: nodes.Condition, other: nodes.Condition) -> bool:
    """Tell whether two conditions are never true together."""
    if _is_opposite(one, other):
        return True
    match one, other:
        case (
            nodes.Test(nodes.Name() as name, "equals", nodes.Literal(value)),
            nodes.Test(nodes.Name() as again, "equals", nodes.Literal(another)),
        ):
            return name == again and type(value) is type(another) and value != another
        case nodes.Test(nodes.Name() as name), nodes.Test(nodes.Name() as again) if name == again:
            return _are_apart(one, other) or _are_apart(other, one)
    return False


def _is_opposite(one: nodes.Condition, other: nodes.Condition) -> bool:
    match one, other:
        case nodes.Test(subject, "exists"), nodes.Test(again, "notExists"):
            return subject == again
        case nodes.Test(subject, "notExists"), nodes.Test(again, "exists"):
            return subject == again
        case nodes.Test(subject, "isEmpty"), nodes.Test(again, "isNotEmpty"):
            return subject == again
        case nodes.Test(subject, "isNotEmpty"), nodes.Test(again, "isEmpty"):
            return subject == again
    return one == nodes.Not(other) or other == nodes.Not(one)


def _are_apart(low: nodes.Test, high: nodes.Test) -> bool:
    """Tell whether nothing is above the one number and below the other."""
    match low, high:
        case (
            nodes.Test(_, below, nodes.Literal(int() | float() as least)),
            nodes.Test(_, above, nodes.Literal(int() | float() as most)),
        ) if below in _LOWER and above in _UPPER:
            touches = least == most and _LOWER[below] and _UPPER[above]
            return least >= most and not touches
    return False
