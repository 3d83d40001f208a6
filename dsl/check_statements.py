"""What single statements must say."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from dsl import nodes
from dsl.check_templates import duplicate_keys, unknown_keys
from dsl.diagnostics import Diagnostic, did_you_mean, fix, report
from dsl.durations import LONGEST_DAYS, LONGEST_REENTRY, UNITS, is_unit, seconds
from dsl.walking import (
    conditions,
    durations,
    every_item,
    every_operand,
    is_condition,
    misplaced,
    values,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dsl.spans import Source, Span

METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
OVERRIDES = ("from", "fromName", "replyTo", "subject")
OPTIONS = ("headers", "body")


def check_statements(source: Source, workflow: nodes.Workflow) -> Iterator[Diagnostic]:
    """Report what is wrong with each statement and header."""
    for item in every_item(workflow.body.items):
        for duration in durations(item):
            is_pause = not isinstance(item, nodes.Reentry)
            yield from _duration(source, duration, LONGEST_DAYS if is_pause else LONGEST_REENTRY)
        yield from _values(source, item)
        yield from _statement(source, item)


def _statement(source: Source, item: nodes.Item) -> Iterator[Diagnostic]:
    match item:
        case nodes.OnEvent(event) | nodes.WaitForEvent(event) if not event.value.strip():
            yield report(source, "FLOW-E313", event.span, "an event needs a name")
        case nodes.WaitForEvent(timeout=timeout, limit=None) if timeout:
            message = "without a limit there is no time-out; write: up to 7 days"
            yield report(source, "FLOW-E311", timeout.span, message)
        case nodes.SendEmail():
            yield from _email(source, item)
        case nodes.Webhook():
            yield from _webhook(source, item)
        case nodes.UpdateContact(updates) if not (updates.pairs or updates.is_damaged):
            message = "nothing is updated; write at least one key: value"
            yield report(source, "FLOW-E305", updates.span, message)


def _duration(source: Source, duration: nodes.Duration, longest: int) -> Iterator[Diagnostic]:
    if not is_unit(duration.unit):
        hint = did_you_mean(duration.unit, UNITS)
        message = f"{duration.unit!r} is no unit of time; use {', '.join(UNITS)}"
        yield report(source, "FLOW-E307", duration.span, message, hint=hint)
    elif duration.amount <= 0:
        yield report(source, "FLOW-E307", duration.span, "a duration must be longer than nothing")
    elif seconds(duration) > longest * UNITS["days"]:
        message = f"a duration is {longest:,} days at most here"
        yield report(source, "FLOW-E307", duration.span, message)


def _values(source: Source, item: nodes.Item) -> Iterator[Diagnostic]:
    """Conditions where values belong, and keys written twice."""
    message = "a condition cannot stand here, only a value; use if to decide"
    for value in values(item):
        if is_condition(value):
            yield report(source, "FLOW-E312", value.span, message)
    for value in (*values(item), *conditions(item)):
        for wrong in misplaced(value):
            yield report(source, "FLOW-E312", wrong.span, message)
        for inner in every_operand(value):
            if isinstance(inner, nodes.Object):
                yield from duplicate_keys(source, inner.pairs)


def _email(source: Source, item: nodes.SendEmail) -> Iterator[Diagnostic]:
    if not item.template.value.strip():
        yield report(source, "FLOW-E313", item.template.span, "a template needs a name")
    overrides = item.overrides.pairs if item.overrides else ()
    yield from unknown_keys(source, overrides, OVERRIDES, "an e-mail")
    for pair in overrides:
        yield from _must_be_text(source, pair.value, pair.key.value)
    if item.to:
        yield from _must_be_text(source, item.to, "the recipient")


def _must_be_text(source: Source, value: nodes.Operand, what: str) -> Iterator[Diagnostic]:
    """Report a value that is certainly no text."""
    is_other_literal = isinstance(value, nodes.Literal) and not isinstance(value.value, str)
    if is_other_literal or isinstance(value, nodes.ListOf | nodes.Object):
        yield report(source, "FLOW-E306", value.span, f"{what} must be a text")


def _webhook(source: Source, item: nodes.Webhook) -> Iterator[Diagnostic]:
    yield from _method(source, item.method)
    if not _is_absolute(item.url.value):
        message = 'a web hook needs an absolute address: "https://example.com/path"'
        yield report(source, "FLOW-E309", item.url.span, message)
    for pair in item.options.pairs if item.options else ():
        if pair.key.value == "retry":
            yield _not_yet(source, pair.key.span, "retry")
            continue
        yield from unknown_keys(source, (pair,), OPTIONS, "a web hook")
        if pair.key.value == "headers":
            yield from _headers(source, pair.value)


def _method(source: Source, method: nodes.Text) -> Iterator[Diagnostic]:
    if method.value in METHODS:
        return
    upper = method.value.upper()
    edits = (fix(source, method.span, upper),) if upper in METHODS else ()
    message = f"{method.value!r} is no method; use {', '.join(METHODS)}"
    hint = None if edits else did_you_mean(method.value, METHODS)
    yield report(source, "FLOW-E310", method.span, message, hint=hint, fixes=edits)


def _headers(source: Source, value: nodes.Operand) -> Iterator[Diagnostic]:
    if not isinstance(value, nodes.Object):
        message = 'headers must be pairs: { "X-Token": "…" }'
        yield report(source, "FLOW-E306", value.span, message)
        return
    for pair in value.pairs:
        yield from _must_be_text(source, pair.value, "a header")


def _is_absolute(url: str) -> bool:
    try:
        parts = urlsplit(url)
        return parts.scheme in {"http", "https"} and bool(parts.hostname)
    except ValueError:
        return False


def _not_yet(source: Source, span: Span, what: str) -> Diagnostic:
    message = f"{what!r} is not supported yet by this version"
    return report(source, "FLOW-E190", span, message)
