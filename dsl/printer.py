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
from dsl.expression_text import key_text, text
from dsl.phrases import Plain, arm_head, object_of, phrase
from dsl.spans import Span
from dsl.strings import block_or_line, encode

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


def item_lines(item: nodes.Item) -> list[str]:
    """Return the lines of one header or statement."""
    printer = _Printer(())
    printer.item(item)
    return [part for line in printer.lines for part in line.indented().split("\n")]


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
            case nodes.Segment(name, items, span):
                self.items(f"segment {encode(name.value)} {{", items, span)
            case nodes.TestBlock(name, items, span):
                self.items(f"test {encode(name.value)} {{", items, span)

    def items(
        self, head: str, items: Sequence[nodes.SegmentItem | nodes.TestItem], span: Span
    ) -> None:
        """Write a segment or test, whose items are lines without blocks."""
        opening = span.start + 1 if items else max(span.end - 1, span.start)
        self.line(head, span.start, opening)
        self.depth += 1
        for item in items:
            self.plain(item)
        self.depth -= 1
        self.line("}", span.end - 1, span.end)

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
            case nodes.Switch() | nodes.Split():
                self.arms(item)
            case nodes.WaitForEvent(body=body) | nodes.WaitUntil(body=body) if body:
                self.outcomes(item, body)
            case _:
                self.plain(item)

    def plain(self, item: Plain) -> None:
        """Write what has no block: one line, or a head with an object."""
        value = object_of(item)
        if value:
            self.value(_head(item) + " ", value, _tail(item), item.span)
        else:
            self.line(_head(item) + _tail(item), item.span.start, item.span.end)

    def arms(self, statement: nodes.Switch | nodes.Split) -> None:
        """Write all arms of a switch or split."""
        arms = statement.cases if isinstance(statement, nodes.Switch) else statement.shares
        self.line(_head(statement) + " {", statement.span.start, _opening(statement))
        self.depth += 1
        for arm in arms:
            self.block(arm_head(arm) + " {", arm.span.start, arm.body)
            self.line("}", arm.span.end - 1, arm.span.end)
        if statement.otherwise:
            self.block("else {", statement.otherwise.span.start, statement.otherwise)
            end = statement.otherwise.span.end
            self.line("}", end - 1, end)
        self.depth -= 1
        self.line("}", statement.span.end - 1, statement.span.end)

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

    def outcomes(self, statement: nodes.WaitForEvent | nodes.WaitUntil, body: nodes.Block) -> None:
        """Write both arms of waiting for something."""
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
            flat = head + block_or_line(value.value, self.depth) + tail
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


def _opening(statement: nodes.Switch | nodes.Split) -> int:
    """Return a place before the brace and behind all else, so that comments stay inside."""
    if isinstance(statement, nodes.Switch):
        return statement.subject.span.end
    prefix = statement.prefix.span.end if statement.prefix else 0
    return max(prefix, statement.span.start + 1)


def _head(item: Plain) -> str:
    """Return a statement up to its object or block, or a header."""
    prefix = _prefix(getattr(item, "prefix", None))
    return prefix + " ".join(part for part in phrase(item) if part)


def _tail(item: Plain) -> str:
    match item:
        case nodes.Webhook(binding=binding) if binding:
            return f" as {binding.value}"
    return ""
