"""Values and conditions, wherever they stand."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

from dsl import nodes
from dsl.check_concealed import check_concealed
from dsl.check_durations import check_duration, loose_durations, windows
from dsl.diagnostics import Diagnostic, note, report
from dsl.moments import is_moment
from dsl.walking import every_operand, is_condition, misplaced

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from dsl.spans import Source

_SECRET_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,99}", re.ASCII)
_NO_CONDITION = "a condition cannot stand here, only a value; use if to decide"
LONGEST_EVENT = 255


def check_values(
    source: Source,
    values: Iterable[nodes.Operand],
    conditions: Iterable[nodes.Condition] = (),
    *,
    may_conceal: bool = False,
) -> Iterator[Diagnostic]:
    """Report what is wrong inside values and conditions; names are another matter."""
    for value in values:
        if is_condition(value):
            yield report(source, "FLOW-E312", value.span, _NO_CONDITION)
        yield from _inside(source, value, may_conceal=may_conceal)
    for condition in conditions:
        yield from _inside(source, condition, may_conceal=may_conceal)


def _inside(source: Source, whole: nodes.Operand, *, may_conceal: bool) -> Iterator[Diagnostic]:
    for wrong in misplaced(whole):
        yield report(source, "FLOW-E312", wrong.span, _NO_CONDITION)
    yield from loose_durations(source, whole)
    for operand in every_operand(whole):
        yield from windows(source, operand)
        if may_conceal:
            yield from check_concealed(source, operand)
        match operand:
            case nodes.Object(pairs):
                yield from duplicate_keys(source, pairs)
            case nodes.Duration():
                yield from check_duration(source, operand)
            case nodes.Call(nodes.Text("secret"), arguments):
                yield from _secret(source, operand, arguments, may_conceal=may_conceal)
            case nodes.Call(nodes.Text("date"), (nodes.Literal(str() as written) as literal,)):
                yield from check_moment(source, nodes.Text(written, literal.span))
        if is_condition(operand):
            yield from _condition(source, operand)


def duplicate_keys(source: Source, pairs: Iterable[nodes.Pair]) -> Iterator[Diagnostic]:
    """Report keys that stand twice in one pair of braces."""
    first: dict[str, nodes.Pair] = {}
    for pair in pairs:
        earlier = first.setdefault(pair.key.value, pair)
        if earlier is not pair:
            notes = (note(source, earlier.key.span, "first written here"),)
            message = f"{pair.key.value!r} is written twice; remove one of them"
            yield report(source, "FLOW-E304", pair.key.span, message, notes=notes)


def check_moment(source: Source, text: nodes.Text) -> Iterator[Diagnostic]:
    """Report a text that is no ISO date or date and time."""
    if not is_moment(text.value):
        message = 'write a date as "2026-03-01", with a time as "2026-03-01T09:00"'
        yield report(source, "FLOW-E319", text.span, message)


def check_event(source: Source, event: nodes.Text) -> Iterator[Diagnostic]:
    """Report the name of an event that nothing can be called."""
    if not event.value.strip():
        yield report(source, "FLOW-E313", event.span, "an event needs a name")
    elif len(event.value) > LONGEST_EVENT:
        message = f"the name of an event has at most {LONGEST_EVENT} characters"
        yield report(source, "FLOW-E313", event.span, message)


def _secret(
    source: Source,
    call: nodes.Call,
    arguments: tuple[nodes.Operand, ...],
    *,
    may_conceal: bool,
) -> Iterator[Diagnostic]:
    match arguments:
        case (nodes.Literal(str() as name),) if _SECRET_NAME.fullmatch(name):
            pass
        case (argument,):
            message = 'name a secret in letters, digits and _: secret("CRM_TOKEN")'
            yield report(source, "FLOW-E328", argument.span, message)
    if not may_conceal:
        message = "a secret can go into the headers and the body of a web hook, and nowhere else"
        yield report(source, "FLOW-E329", call.span, message)


def _condition(source: Source, condition: nodes.Operand) -> Iterator[Diagnostic]:
    match condition:
        case nodes.Triggered(event) | nodes.Counted(event):
            yield from check_event(source, event)
        case nodes.Mailed(_, template) if template and not template.value.strip():
            yield report(source, "FLOW-E313", template.span, "a template needs a name")
        case nodes.Member():
            yield from _member(source, condition)
        case nodes.RawCondition(written):
            yield from _json(source, written)
    match condition:
        case nodes.Counted(value=nodes.Literal(value) as literal) if not _is_count(value):
            message = "a count is compared with a whole number"
            yield report(source, "FLOW-E306", literal.span, message)


def _is_count(value: nodes.Scalar) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and value % 1 == 0


def _member(source: Source, member: nodes.Member) -> Iterator[Diagnostic]:
    if member.subject != nodes.Name("contact"):
        message = "only the contact can be in a segment; write: contact in segment"
        yield report(source, "FLOW-E306", member.subject.span, message)
    if not member.segment.value.strip():
        yield report(source, "FLOW-E313", member.segment.span, "a segment needs a name")


def _json(source: Source, written: nodes.Text) -> Iterator[Diagnostic]:
    try:
        found = json.loads(written.value)
    except (ValueError, RecursionError):
        message = "this is not JSON; an object stands between { and }"
        yield report(source, "FLOW-E327", written.span, message)
        return
    match found:
        case {"field": _, "operator": str()} | {"logic": "AND" | "OR", "groups": list()}:
            return
        case {"not": _}:
            return
    message = "a condition is a filter with field and operator, or a tree with logic and groups"
    yield report(source, "FLOW-E327", written.span, message)
