"""Placeholders and tags of messages that are opened and never closed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dsl import nodes
from dsl.bundle import file_reference
from dsl.compile_templates import text_of
from dsl.diagnostics import Diagnostic, report
from dsl.liquid import Fault, fault
from dsl.placeholders import placeholders
from dsl.spans import Span
from dsl.walking import every_item

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dsl.bundle import Bundle
    from dsl.spans import Source

_TEXTS = ("subject", "body")


def check_liquid(bundle: Bundle) -> Iterator[Diagnostic]:
    """Report texts that would be sent with their braces, because these do not fit together."""
    for file, template in bundle.templates():
        for pair in template.fields.pairs:
            if pair.key.value in _TEXTS:
                text = text_of(bundle, file.source.path, pair.value)
                yield from _faults(file.source, pair.value, text)
    for file, workflow in bundle.workflows():
        for item in every_item(workflow.body.items):
            for written, is_filled in placeholders(item):
                if is_filled:
                    yield from _faults(file.source, written, str(written.value))


def _faults(source: Source, written: nodes.Operand | nodes.Text, text: str) -> Iterator[Diagnostic]:
    found = fault(text)
    if found is None:
        return
    message = found.message
    path = None if isinstance(written, nodes.Text) else file_reference(written)
    if path:
        message = f"line {text.count(chr(10), 0, found.start) + 1} of this file: {message}"
        yield report(source, "FLOW-E337", path.span, message)
    else:
        place = _place(source, written.span, text, found) or written.span
        yield report(source, "FLOW-E337", place, message)


def _place(source: Source, span: Span, text: str, found: Fault) -> Span | None:
    """Return where the fault stands in the text as it is written, escapes and all."""
    piece = text[found.start : found.end]
    at = span.start
    for _ in range(text.count(piece, 0, found.start) + 1):
        at = source.text.find(piece, at + 1, span.end)
        if at < 0:
            return None
    return Span(at, at + len(piece))
