"""What single headers must say."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dsl import nodes
from dsl.check_durations import check_duration
from dsl.check_times import check_clock, check_cron, check_zone
from dsl.check_values import check_event
from dsl.diagnostics import Diagnostic, note, report
from dsl.durations import LONGEST_REENTRY, seconds
from dsl.naming import LONGEST_NAME
from dsl.values import full_path

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dsl.spans import Source

LONGEST_DESCRIPTION = 500
MOST_STARTS = 50
_STARTS = (nodes.OnEvent, nodes.OnSegment, nodes.OnSchedule, nodes.OnDate)
_TIMES = frozenset({"createdAt", "updatedAt"})
_NO_CONTACT = frozenset({"event", "run", "now"})


def check_headers(source: Source, workflow: nodes.Workflow) -> Iterator[Diagnostic]:
    """Report what is wrong with each header, and with goals and starts together."""
    for header in workflow.headers:
        yield from _header(source, header)
    yield from _goals(source, workflow)
    starts = [header for header in workflow.headers if isinstance(header, _STARTS)]
    if len(starts) > MOST_STARTS:
        message = f"a workflow has at most {MOST_STARTS} starts"
        yield report(source, "FLOW-E322", starts[MOST_STARTS].span, message)


def check_description(source: Source, header: nodes.Description) -> Iterator[Diagnostic]:
    """Report a description that is too long to be kept."""
    if len(header.text.value) > LONGEST_DESCRIPTION:
        message = f"a description has at most {LONGEST_DESCRIPTION} characters"
        yield report(source, "FLOW-E313", header.text.span, message)


def check_timezone(source: Source, header: nodes.Timezone) -> Iterator[Diagnostic]:
    """Report a time zone that there is not."""
    if header.default:
        yield from check_zone(source, header.default)
    path = full_path(header.subject) if header.subject else ()
    if header.subject and (path == ("contact",) or path[0] in _NO_CONTACT):
        message = "timezone looks at a field of the contact: contact.data.zone"
        yield report(source, "FLOW-E306", header.subject.span, message)


def _header(source: Source, header: nodes.Header) -> Iterator[Diagnostic]:
    match header:
        case nodes.Description():
            yield from check_description(source, header)
        case nodes.OnEvent(event):
            yield from check_event(source, event)
        case nodes.OnSchedule(schedule, zone):
            yield from check_cron(source, schedule)
            if zone:
                yield from check_zone(source, zone)
        case nodes.OnDate():
            yield from _date(source, header)
        case nodes.Reentry(_, after) if after:
            yield from _reentry(source, after)
        case nodes.Stop(when) | nodes.Goal(_, when):
            yield from _happening(source, when)
        case nodes.Timezone():
            yield from check_timezone(source, header)
        case nodes.QuietHours(start, end):
            yield from _quiet(source, start, end)


def _happening(source: Source, when: nodes.Happening) -> Iterator[Diagnostic]:
    if isinstance(when, nodes.EventHappens):
        yield from check_event(source, when.event)


def _date(source: Source, header: nodes.OnDate) -> Iterator[Diagnostic]:
    match full_path(header.date):
        case ("contact", "data", _, *_):
            pass
        case ("contact", str(key)) if key in _TIMES:
            pass
        case _:
            message = "on date looks at a date of the contact: contact.data.birthday"
            yield report(source, "FLOW-E306", header.date.span, message)
    if header.offset:
        yield from check_duration(source, header.offset.length, LONGEST_REENTRY)
    if header.at:
        yield from check_clock(source, header.at)


def _reentry(source: Source, after: nodes.Duration) -> Iterator[Diagnostic]:
    yield from check_duration(source, after, LONGEST_REENTRY)
    if seconds(after) % 1:
        message = "the time between two runs is counted in whole seconds"
        yield report(source, "FLOW-E307", after.span, message)


def _quiet(source: Source, start: nodes.Text, end: nodes.Text) -> Iterator[Diagnostic]:
    yield from check_clock(source, start)
    yield from check_clock(source, end)
    if start.value == end.value:
        message = "these quiet hours begin and end at the same time; write two different times"
        yield report(source, "FLOW-E326", end.span, message)


def _goals(source: Source, workflow: nodes.Workflow) -> Iterator[Diagnostic]:
    first: dict[str, nodes.Goal] = {}
    for goal in workflow.headers:
        if not isinstance(goal, nodes.Goal):
            continue
        name = goal.name
        earlier = first.setdefault(name.value, goal)
        if not name.value.strip() or len(name.value) > LONGEST_NAME:
            message = f"a goal needs a name of 1 to {LONGEST_NAME} characters"
            yield report(source, "FLOW-E313", name.span, message)
        elif earlier is not goal:
            notes = (note(source, earlier.name.span, "first written here"),)
            message = f"there is a goal called {name.value!r} already; choose another name"
            yield report(source, "FLOW-E219", name.span, message, notes=notes)
