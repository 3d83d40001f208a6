"""What a test must say."""

from __future__ import annotations

from typing import TYPE_CHECKING, get_args

from dsl import nodes
from dsl.check_durations import check_duration
from dsl.check_expectations import Expected, check_expectation
from dsl.check_headers import check_timezone
from dsl.check_keys import unknown_keys
from dsl.check_names import Names
from dsl.check_values import check_event, check_moment, check_values
from dsl.diagnostics import Diagnostic, note, report
from dsl.moments import moment
from dsl.strings import encode
from dsl.suggestions import advice

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dsl.bundle import Bundle
    from dsl.parser import Parsed
    from dsl.spans import Source

_ONCE = (nodes.UnderTest, nodes.StartsAt, nodes.Timezone, nodes.Person)
_SETTING = (*_ONCE, nodes.MockWebhook, nodes.MockRandom, nodes.Broken)
_PERSON = ("email", "subscribed", "data", "createdAt", "id")
_CHANGE = ("email", "subscribed", "data")
_ANSWER = ("status", "body", "error")
_STATUS = range(100, 600)
_EXPECTATIONS = frozenset(get_args(nodes.Expectation))
_CLOCK = frozenset({"now"})


def check_test(bundle: Bundle, file: Parsed, test: nodes.TestBlock) -> Iterator[Diagnostic]:
    """Report what is wrong with one test."""
    source = file.source
    is_damaged = any(isinstance(item, nodes.Broken) for item in test.items)
    if not is_damaged:
        yield from _complete(source, test)
    yield from _order(source, test)
    yield from _workflow(bundle, source, test)
    expected = Expected.of(bundle, source, test)
    for item in test.items:
        yield from _item(source, item)
        yield from check_expectation(expected, item)
    yield from _clock(source, test)


def _complete(source: Source, test: nodes.TestBlock) -> Iterator[Diagnostic]:
    kinds = {type(item) for item in test.items}
    if nodes.UnderTest not in kinds:
        message = 'this test needs: workflow "…"'
        yield report(source, "FLOW-E331", test.name.span, message)
    if not kinds & _EXPECTATIONS:
        message = "this test expects nothing; add a line that begins with expect"
        yield report(source, "FLOW-W407", test.name.span, message)


def _order(source: Source, test: nodes.TestBlock) -> Iterator[Diagnostic]:
    """Report what stands twice, or behind the first thing that happens."""
    first: dict[type, nodes.TestItem] = {}
    happened: nodes.TestItem | None = None
    for item in test.items:
        earlier = first.setdefault(type(item), item)
        if isinstance(item, _ONCE) and earlier is not item:
            notes = (note(source, earlier.span, "first written here"),)
            message = "this line is written twice; remove one of them"
            yield report(source, "FLOW-E302", item.span, message, notes=notes)
        elif isinstance(item, _ONCE) and happened:
            notes = (note(source, happened.span, "the test begins here"),)
            message = "what a test starts from stands before the first thing that happens"
            yield report(source, "FLOW-E332", item.span, message, notes=notes)
        if not isinstance(item, _SETTING):
            happened = happened or item


def _workflow(bundle: Bundle, source: Source, test: nodes.TestBlock) -> Iterator[Diagnostic]:
    known = {workflow.name.value for _, workflow in bundle.workflows()}
    if _has_broken_workflow(bundle):
        return
    for item in test.items:
        if isinstance(item, nodes.UnderTest) and item.workflow.value not in known:
            name = item.workflow.value
            message = f"there is no workflow called {name!r} in these files"
            hint, edits = advice(source, item.workflow.span, name, known, encode)
            yield report(source, "FLOW-E216", item.workflow.span, message, hint=hint, fixes=edits)


def _has_broken_workflow(bundle: Bundle) -> bool:
    """Whether a workflow could not be read, so that its name is not known."""
    return any(
        isinstance(found, nodes.Broken)
        and file.source.text.startswith("workflow", found.span.start)
        for file in bundle.files
        for found in file.file.declarations
    )


def _item(source: Source, item: nodes.TestItem) -> Iterator[Diagnostic]:
    match item:
        case nodes.Person(data):
            yield from _contact(source, data, _PERSON)
        case nodes.SetContact(data):
            yield from _contact(source, data, _CHANGE)
        case nodes.Track(event, data):
            yield from check_event(source, event)
            yield from _given(source, data)
        case nodes.Started(context):
            yield from _given(source, context)
        case nodes.Advance(length):
            yield from check_duration(source, length)
        case nodes.StartsAt(time) | nodes.AdvanceUntil(time):
            yield from check_moment(source, time)
        case nodes.Timezone(None):
            yield from check_timezone(source, item)
        case nodes.Timezone(subject) if subject:
            message = 'a test stands in one time zone: timezone "Europe/Brussels"'
            yield report(source, "FLOW-E306", subject.span, message)
        case nodes.MockWebhook(_, answer):
            yield from _answer(source, answer)


def _contact(source: Source, data: nodes.Object, keys: tuple[str, ...]) -> Iterator[Diagnostic]:
    yield from _given(source, data)
    own = 'keys of your own stand in data: { plan: "pro" }'
    yield from unknown_keys(source, data.pairs, keys, "the contact of a test", own)
    for pair in data.pairs:
        match pair.key.value, pair.value:
            case ("email" | "id" | "createdAt") as key, nodes.Literal(value):
                if not isinstance(value, str):
                    yield report(source, "FLOW-E306", pair.value.span, f"{key} must be a text")
                elif key == "createdAt":
                    yield from check_moment(source, nodes.Text(value, pair.value.span))
            case "subscribed", value if not _is_flag(value):
                message = "subscribed is true or false"
                yield report(source, "FLOW-E306", value.span, message)
            case "data", value if not isinstance(value, nodes.Object):
                message = 'data must be pairs: { plan: "pro" }'
                yield report(source, "FLOW-E306", value.span, message)


def _is_flag(value: nodes.Operand) -> bool:
    return isinstance(value, nodes.Literal) and isinstance(value.value, bool)


def _answer(source: Source, answer: nodes.Object) -> Iterator[Diagnostic]:
    yield from _given(source, answer)
    yield from unknown_keys(source, answer.pairs, _ANSWER, "the answer of a web hook")
    for pair in answer.pairs:
        match pair.key.value, pair.value:
            case "status", nodes.Literal(value):
                if type(value) is not int or value not in _STATUS:
                    message = "an HTTP status is a whole number from 100 to 599"
                    yield report(source, "FLOW-E306", pair.value.span, message)
            case "error", nodes.Literal(value) if not isinstance(value, str):
                message = "error must be a text: what went wrong"
                yield report(source, "FLOW-E306", pair.value.span, message)


def _given(source: Source, data: nodes.Object | None) -> Iterator[Diagnostic]:
    """Report what is wrong in data that a test makes up; it knows the time and nothing else."""
    if data:
        yield from check_values(source, [data])
        yield from Names(source, _CLOCK).inside(data)


def _clock(source: Source, test: nodes.TestBlock) -> Iterator[Diagnostic]:
    """Report times that the clock of a test has passed already."""
    latest: nodes.Text | None = None
    for item in test.items:
        if isinstance(item, nodes.StartsAt | nodes.AdvanceUntil):
            before, now = moment(latest.value) if latest else None, moment(item.time.value)
            if isinstance(item, nodes.AdvanceUntil) and latest and before and now and now <= before:
                notes = (note(source, latest.span, "the clock shows this already"),)
                message = "a clock does not go back; advance to a later time"
                yield report(source, "FLOW-E319", item.time.span, message, notes=notes)
            latest = item.time
