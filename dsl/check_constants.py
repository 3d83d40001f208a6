"""Conditions whose answer is the same for everybody."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dsl import nodes
from dsl.diagnostics import Diagnostic, fix, note, report
from dsl.exclusions import are_opposite, exclude
from dsl.expression_text import text
from dsl.values import is_literal
from dsl.walking import every_operand

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from dsl.spans import Source

_SAME_ANSWER = "this is always true or always false; compare with a field"
_NO_FLAG = 'this alone is never true; to compare with several values, write: … in ["a", "b"]'
_ITSELF = "this compares a value with itself; the answer is always the same"
_EMPTY_LIST = "nothing is in an empty list; write what may be in it, or remove the question"
_COUNT = "a count is 0 or more, so the answer is always the same; ask for 1 or more"
_BELOW_ZERO = frozenset({"greaterThanOrEqual", "lessThan"})
_MOST_PARTS = 200


def check_constants(source: Source, condition: nodes.Condition) -> Iterator[Diagnostic]:
    """Report tests of plain values, and parts that rule each other out."""
    for part in every_operand(condition):
        match part:
            case nodes.Test() | nodes.Bare():
                yield from _test(source, part)
            case nodes.Counted(_, _, _, operator, nodes.Literal(value)):
                if operator in _BELOW_ZERO and value == 0:
                    yield report(source, "FLOW-W405", part.span, _COUNT)
            case nodes.AllOf(parts):
                yield from _contradiction(source, parts[:_MOST_PARTS])
            case nodes.AnyOf(parts):
                yield from _certainty(source, parts[:_MOST_PARTS])


def check_choice(source: Source, item: nodes.Item) -> Iterator[Diagnostic]:
    """Report a branch that asks what an earlier one has asked, and a switch over a fixed value."""
    if isinstance(item, nodes.Switch) and is_literal(item.subject):
        yield report(source, "FLOW-W405", item.subject.span, _SAME_ANSWER)
    if not isinstance(item, nodes.If):
        return
    first: dict[str, nodes.Branch] = {}  # by text, as 1 and true are equal to Python
    for branch in item.branches:
        earlier = first.setdefault(text(branch.condition), branch)
        if earlier is not branch:
            notes = (note(source, earlier.condition.span, "asked here"),)
            message = "this branch is never taken: an earlier one asks the same"
            yield report(source, "FLOW-W405", branch.condition.span, message, notes=notes)


def may_be_missing(name: nodes.Name) -> bool:
    """Tell whether somebody may have no such value."""
    first = name.path[0] if name.path else None
    return name.root in {"data", "event"} or first in {"data", "context"}


def _test(source: Source, test: nodes.Test | nodes.Bare) -> Iterator[Diagnostic]:
    operands = [test.subject]
    if isinstance(test, nodes.Test) and test.value:
        operands.append(test.value)
    if isinstance(test, nodes.Bare) and isinstance(test.subject, nodes.Literal):
        is_flag = isinstance(test.subject.value, bool)
        message = _SAME_ANSWER if is_flag else _NO_FLAG
        yield report(source, "FLOW-W405", test.span, message)
    elif all(is_literal(operand) for operand in operands):
        yield report(source, "FLOW-W405", test.span, _SAME_ANSWER)
    elif isinstance(test.subject, nodes.Name) and operands[1:] == [test.subject]:
        yield report(source, "FLOW-W405", test.span, _ITSELF)
    elif isinstance(test, nodes.Test) and test.subject == nodes.Name("contact"):
        yield from _whole_contact(source, test)
    elif isinstance(test, nodes.Test) and _asks_empty_list(test):
        yield report(source, "FLOW-W405", test.span, _EMPTY_LIST)


def _whole_contact(source: Source, test: nodes.Test) -> Iterator[Diagnostic]:
    """Report a contact that is compared as a whole, as if it were in a segment."""
    match test:
        case nodes.Test(_, "in" | "notIn", nodes.Literal(str()) as value):
            written = f"segment {source.text[value.span.start : value.span.end]}"
            message = f"no value is a whole contact; to ask about a segment, write: in {written}"
            edits = (fix(source, value.span, written),)
            yield report(source, "FLOW-W405", value.span, message, fixes=edits)


def _asks_empty_list(test: nodes.Test) -> bool:
    return test.operator in {"in", "notIn"} and test.value == nodes.ListOf(())


def _contradiction(source: Source, parts: Sequence[nodes.Condition]) -> Iterator[Diagnostic]:
    """Report the first two parts that are never both true."""
    for at, part in enumerate(parts):
        earlier = next((one for one in parts[:at] if exclude(one, part)), None)
        if earlier:
            notes = (note(source, earlier.span, "it rules this out"),)
            message = f"this is never true together with {text(earlier)}"
            yield report(source, "FLOW-W405", part.span, message, notes=notes)
            return


def _certainty(source: Source, parts: Sequence[nodes.Condition]) -> Iterator[Diagnostic]:
    """Report the first two parts of which one is always true."""
    for at, part in enumerate(parts):
        earlier = next((one for one in parts[:at] if _cover(one, part)), None)
        if earlier:
            notes = (note(source, earlier.span, "or this is true"),)
            message = f"one of the two is always true{_unless(part)}, so this asks nothing"
            hint = None if are_opposite(earlier, part) else "did you mean and?"
            yield report(source, "FLOW-W405", part.span, message, hint=hint, notes=notes)
            return


def _cover(one: nodes.Condition, other: nodes.Condition) -> bool:
    """Tell whether one of two conditions is always true, where there is a value at all."""
    match one, other:
        case nodes.Not(part), nodes.Not(another):
            return exclude(part, another)
        case nodes.Test(name, "notEquals", value), nodes.Test(again, "notEquals", another):
            return exclude(nodes.Test(name, "equals", value), nodes.Test(again, "equals", another))
    return are_opposite(one, other)


def _unless(part: nodes.Condition) -> str:
    match part:
        case nodes.Test(nodes.Name() as subject, "notEquals") if may_be_missing(subject):
            return f" where {text(subject)} is set"
    return ""
