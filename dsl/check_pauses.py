"""Statements that wait."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dsl import nodes
from dsl.check_durations import check_duration
from dsl.check_times import check_clock, check_days
from dsl.check_values import check_event, check_moment
from dsl.diagnostics import Diagnostic, fix, report
from dsl.durations import LONGEST_DAYS
from dsl.expression_text import text
from dsl.spans import Span
from dsl.walking import is_condition

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dsl.spans import Source

_NO_LIMIT = "without a limit there is no time-out; write: up to 7 days"


def check_pause(source: Source, item: nodes.Item) -> Iterator[Diagnostic]:
    """Report what is wrong with a statement that waits; nothing about others."""
    match item:
        case nodes.Wait(duration):
            yield from check_duration(source, duration, LONGEST_DAYS)
        case nodes.WaitForEvent(event, limit=limit):
            yield from check_event(source, event)
            yield from _limit(source, limit, item.timeout)
        case nodes.WaitUntil(moment, limit=limit) if is_condition(moment):
            yield from _limit(source, limit, item.timeout)
            yield from _only_for_times(source, item)
        case nodes.WaitUntil():
            yield from _moment(source, item)
            yield from _only_for_conditions(source, item)
        case nodes.WaitClock(time, days):
            yield from check_clock(source, time)
            yield from check_days(source, days)


def _limit(
    source: Source, limit: nodes.Duration | None, timeout: nodes.Block | None
) -> Iterator[Diagnostic]:
    if limit:
        yield from check_duration(source, limit, LONGEST_DAYS)
    elif timeout:
        yield report(source, "FLOW-E311", timeout.span, _NO_LIMIT)


def _moment(source: Source, item: nodes.WaitUntil) -> Iterator[Diagnostic]:
    moment = item.moment
    match moment:
        case nodes.Literal(str() as written):
            yield from check_moment(source, nodes.Text(written, moment.span))
        case nodes.Literal() | nodes.ListOf() | nodes.Object():
            message = "wait until a time: contact.data.endsAt, or until a condition holds"
            yield report(source, "FLOW-E306", moment.span, message)
        case nodes.Duration():
            return  # a duration alone is reported wherever it stands
    if item.offset:
        yield from check_duration(source, item.offset.length, LONGEST_DAYS)


def _only_for_times(source: Source, item: nodes.WaitUntil) -> Iterator[Diagnostic]:
    if item.offset:
        message = f"{item.offset.sign} goes with a time; this waits for a condition"
        yield report(source, "FLOW-E323", item.offset.span, message)
    if item.exits_when_past:
        message = "when past exit goes with a time; this waits for a condition"
        place = _words(source, item, "when")
        edits = (fix(source, place, ""),) if place != item.span else ()
        yield report(source, "FLOW-E323", place, message, fixes=edits)


def _only_for_conditions(source: Source, item: nodes.WaitUntil) -> Iterator[Diagnostic]:
    what = item.limit or item.body
    if what:
        asked = f"to wait for a condition, write: {text(item.moment)} == true"
        word = "up to" if item.limit else "a block"
        message = f"{word} goes with a condition; this waits for a time"
        hint = asked if isinstance(item.moment, nodes.Name) else None
        yield report(source, "FLOW-E323", what.span, message, hint=hint)


def _words(source: Source, item: nodes.WaitUntil, first: str) -> Span:
    """Return where `when past exit` stands, behind the condition of a wait."""
    behind = item.offset.span.end if item.offset else item.moment.span.end
    start = source.text.find(first, behind, item.span.end)
    end = source.text.find("exit", start, item.span.end)
    return Span(start, end + len("exit")) if 0 <= start < end else item.span
