"""What a statement that calls a web hook must say."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from dsl import nodes
from dsl.check_emails import must_be_text
from dsl.check_keys import unknown_keys
from dsl.check_names import RESERVED
from dsl.diagnostics import Diagnostic, report
from dsl.suggestions import advice

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dsl.spans import Source

METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
OPTIONS = ("headers", "body", "retry")
_RETRY = ("attempts", "on")
_MOST_ATTEMPTS = 20
_STATUS = range(100, 600)


def check_webhook(source: Source, item: nodes.Webhook) -> Iterator[Diagnostic]:
    """Report a method, an address or options that do not fit, and a name that is taken."""
    yield from _method(source, item.method)
    if not _is_absolute(item.url.value):
        message = 'a web hook needs an absolute address: "https://example.com/path"'
        yield report(source, "FLOW-E309", item.url.span, message)
    pairs = item.options.pairs if item.options else ()
    yield from unknown_keys(source, pairs, OPTIONS, "a web hook")
    for pair in pairs:
        match pair.key.value:
            case "headers":
                yield from _headers(source, pair.value)
            case "body":
                yield from _body(source, pair)
            case "retry":
                yield from _retry(source, pair.value)
    if item.binding and item.binding.value in RESERVED:
        message = f"{item.binding.value!r} has a meaning already; choose another name"
        yield report(source, "FLOW-E207", item.binding.span, message)


def _method(source: Source, method: nodes.Text) -> Iterator[Diagnostic]:
    if method.value in METHODS:
        return
    hint, edits = advice(source, method.span, method.value, METHODS)
    message = f"{method.value!r} is no method; use {', '.join(METHODS)}"
    yield report(source, "FLOW-E310", method.span, message, hint=hint, fixes=edits)


def _headers(source: Source, value: nodes.Operand) -> Iterator[Diagnostic]:
    if not isinstance(value, nodes.Object):
        message = 'headers must be pairs: { "X-Token": "…" }'
        yield report(source, "FLOW-E306", value.span, message)
        return
    for pair in value.pairs:
        yield from must_be_text(source, pair.value, "a header")


def _body(source: Source, pair: nodes.Pair) -> Iterator[Diagnostic]:
    """Report a body that the engine takes for none, and sends its own instead."""
    match pair.value:
        case nodes.Object((), is_damaged=False) | nodes.ListOf(()):
            pass
        case nodes.Literal(value) if not value:
            pass
        case _:
            return
    message = (
        "an empty body counts as none: a description of the run is sent; remove it, or fill it"
    )
    yield report(source, "FLOW-W414", pair.value.span, message)


def _retry(source: Source, value: nodes.Operand) -> Iterator[Diagnostic]:
    if not isinstance(value, nodes.Object):
        message = 'retry must be pairs: { attempts: 5, on: ["network", 503] }'
        yield report(source, "FLOW-E306", value.span, message)
        return
    yield from unknown_keys(source, value.pairs, _RETRY, "retry")
    for pair in value.pairs:
        match pair.key.value, pair.value:
            case "attempts", nodes.Literal(count) if type(count) is int:
                if not 1 <= count <= _MOST_ATTEMPTS:
                    message = f"at least 1 and at most {_MOST_ATTEMPTS} attempts are made"
                    yield report(source, "FLOW-E306", pair.value.span, message)
            case "attempts", _:
                message = "attempts is a whole number"
                yield report(source, "FLOW-E306", pair.value.span, message)
            case "on", nodes.ListOf(reasons):
                yield from _reasons(source, reasons)
            case "on", _:
                message = 'on lists "network" and HTTP statuses: ["network", 503]'
                yield report(source, "FLOW-E306", pair.value.span, message)


def _reasons(source: Source, reasons: tuple[nodes.Operand, ...]) -> Iterator[Diagnostic]:
    message = 'a reason to try again is "network" or an HTTP status, 100 to 599'
    for reason in reasons:
        match reason:
            case nodes.Literal("network"):
                continue
            case nodes.Literal(status) if type(status) is int and status in _STATUS:
                continue
        yield report(source, "FLOW-E306", reason.span, message)


def _is_absolute(url: str) -> bool:
    try:
        parts = urlsplit(url)
        return parts.scheme in {"http", "https"} and bool(parts.hostname)
    except ValueError:
        return False
