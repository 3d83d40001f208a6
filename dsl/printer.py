"""Syntax tree → lines of canonical text. The only place that knows the layout.

Two spaces per level. An object or list stays on its line when the whole line fits 80 columns
and holds no comment; templates always have one key per line; a text with line breaks stands
between triple quotes. One blank line separates declarations, and headers from statements.
"""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dsl import nodes
from dsl.expression_text import duration_text, key_text, text
from dsl.spans import Span
from dsl.strings import encode, encode_block

if TYPE_CHECKING:
    from collections.abc import Sequence

_WIDTH = 80


@dataclass(frozen=True, slots=True)
class Line:
    """One line, or one block text, and the part of the source it stands for."""

    text: str
    depth: int
    span: Span
    has_gap: bool = False

    def indented(self) -> str:
        """Return the line with its margin."""
        return "  " * self.depth + self.text


def print_file(file: nodes.File) -> str:
    """Canonical text of a tree that has no comments."""
    shown = [("\n" if line.has_gap else "") + line.indented() + "\n" for line in lines(file, ())]
    return "".join(shown)


def lines(file: nodes.File, comments: Sequence[int]) -> list[Line]:
    """Return the lines of a file; objects around the given places are spread out for comments."""
    printer = _Printer(comments)
    for declaration in file.declarations:
        printer.has_gap = bool(printer.lines)
        printer.declaration(declaration)
    return printer.lines


class _Printer:
    """Lines written so far, and how deep the next one stands."""

    def __init__(self, comments: Sequence[int]) -> None:
        self.comments = comments
        self.lines: list[Line] = []
        self.depth = 0
        self.has_gap = False

    def line(self, written: str, start: int, end: int) -> None:
        """Write one line that stands for a part of the source."""
        self.lines.append(Line(written, self.depth, Span(start, end), self.has_gap))
        self.has_gap = False

    def declaration(self, declaration: nodes.Declaration) -> None:
        """Write a workflow or template."""
        match declaration:
            case nodes.Workflow(name, body, span):
                self.block(f"workflow {encode(name.value)} {{", span.start, body)
                self.line("}", body.span.end - 1, body.span.end)
            case nodes.Template(name, fields, span):
                self.spread(f"template {encode(name.value)} ", fields, "", span)

    def block(self, head: str, start: int, block: nodes.Block) -> None:
        """Write the line that opens a block, and its items; the caller closes it."""
        self.line(head, start, block.span.start + 1)
        self.depth += 1
        before: nodes.Item | None = None
        for item in block.items:
            is_header = isinstance(item, nodes.HEADERS)
            self.has_gap = isinstance(before, nodes.HEADERS) and not is_header
            self.item(item)
            before = item
        self.depth -= 1

    def item(self, item: nodes.Item) -> None:
        """Write a header or statement."""
        match item:
            case nodes.If():
                self.branches(item)
            case nodes.WaitForEvent(body=body) if body:
                self.outcomes(item, body)
            case nodes.SendEmail(overrides=value) | nodes.Webhook(options=value) if value:
                self.value(_head(item) + " ", value, _tail(item), item.span)
            case nodes.UpdateContact(updates):
                self.value(_head(item) + " ", updates, "", item.span)
            case _:
                self.line(_head(item) + _tail(item), item.span.start, item.span.end)

    def branches(self, statement: nodes.If) -> None:
        """Write all arms of an if."""
        start, head = statement.span.start, _prefix(statement.prefix)
        for number, branch in enumerate(statement.branches):
            if number:
                head = "} else " + _prefix(branch.prefix)
            self.block(f"{head}if {text(branch.condition)} {{", start, branch.body)
            start = branch.body.span.end - 1
        if statement.otherwise:
            self.block("} else {", start, statement.otherwise)
        self.line("}", statement.span.end - 1, statement.span.end)

    def outcomes(self, statement: nodes.WaitForEvent, body: nodes.Block) -> None:
        """Write both arms of waiting for an event."""
        self.block(_head(statement) + " {", statement.span.start, body)
        if statement.timeout:
            self.block("} timeout {", body.span.end - 1, statement.timeout)
        self.line("}", statement.span.end - 1, statement.span.end)

    def value(self, head: str, value: nodes.Operand, tail: str, span: Span) -> None:
        """Write a value between a head and a tail, spread over lines where it must be."""
        flat = head + text(value) + tail
        if isinstance(value, nodes.Object | nodes.ListOf) and not self.fits(flat, value):
            self.spread(head, value, tail, span)
            return
        if isinstance(value, nodes.Literal) and isinstance(value.value, str):
            flat = head + _text(value.value, self.depth) + tail
        self.line(flat, span.start, span.end)

    def fits(self, flat: str, value: nodes.Object | nodes.ListOf) -> bool:
        """Whether an object or list may stay on one line."""
        first = bisect_left(self.comments, value.span.start)
        has_comment = first < len(self.comments) and self.comments[first] < value.span.end
        return not has_comment and len(flat) + 2 * self.depth <= _WIDTH and not _has_block(value)

    def spread(self, head: str, value: nodes.Object | nodes.ListOf, tail: str, span: Span) -> None:
        """Write an object or list with one part per line."""
        opening, closing = "{}" if isinstance(value, nodes.Object) else "[]"
        self.line(head + opening, span.start, value.span.start + 1)
        self.depth += 1
        if isinstance(value, nodes.Object):
            for pair in value.pairs:
                self.value(f"{key_text(pair.key.value)}: ", pair.value, "", pair.span)
        else:
            for item in value.items:
                self.value("", item, ",", item.span)
        self.depth -= 1
        self.line(closing + tail, value.span.end - 1, span.end)


def _text(value: str, depth: int) -> str:
    return encode_block(value, "  " * depth) or encode(value)


def _has_block(value: nodes.Operand) -> bool:
    """Whether a part of the object or list is a text with line breaks."""
    match value:
        case nodes.Literal(str() as written):
            return "\n" in written
        case nodes.Object(pairs):
            return any(_has_block(pair.value) for pair in pairs)
        case nodes.ListOf(items):
            return any(_has_block(item) for item in items)
    return False


def _prefix(prefix: nodes.Prefix | None) -> str:
    """Return the written prefix and a space."""
    if prefix is None:
        return ""
    parts = [f"@{prefix.label or ''}"]
    if prefix.name is not None:
        parts.append(encode(prefix.name))
    if prefix.position:
        parts.append(f"({prefix.position[0]}, {prefix.position[1]})")
    return " ".join(parts) + " "


def _head(item: nodes.Item) -> str:
    """Return a statement up to its object or block, or a header."""
    prefix = _prefix(getattr(item, "prefix", None))
    return prefix + " ".join(part for part in _words(item) if part)


def _words(item: nodes.Item) -> tuple[str, ...]:  # noqa: C901, PLR0911 - a table
    match item:
        case nodes.SendEmail(reference, to):
            name = ("id " if reference.is_id else "") + encode(reference.value)
            return "send email", name, f"to {text(to)}" if to else ""
        case nodes.Wait(duration):
            return "wait", duration_text(duration)
        case nodes.WaitForEvent(event, where, limit):
            until = f"up to {duration_text(limit)}" if limit else ""
            return "wait for event", encode(event.value), _where(where), until
        case nodes.Webhook(method, url):
            return "webhook", method.value, encode(url.value)
        case nodes.UpdateContact():
            return ("update contact",)
        case nodes.Exit(reason):
            return "exit", encode(reason.value) if reason else ""
        case nodes.Description(written):
            return "description", _text(written.value, 1)
        case nodes.OnEvent(event, where):
            return "on event", encode(event.value), _where(where)
        case nodes.OnManual():
            return ("on manual",)
        case nodes.Reentry(policy, after):
            return "reentry", policy, duration_text(after) if after else ""
    return (type(item).__name__.lower(),)


def _where(condition: nodes.Condition | None) -> str:
    return f"where {text(condition)}" if condition else ""


def _tail(item: nodes.Item) -> str:
    match item:
        case nodes.Webhook(binding=binding) if binding:
            return f" as {binding.value}"
    return ""
