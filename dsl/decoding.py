"""From what was handed in to text that can be read, or the reason why not."""

from __future__ import annotations

import re

from dsl.diagnostics import Diagnostic, report
from dsl.spans import NOWHERE, Source, Span

LARGEST_FILE = 256 * 1024
_HALF_CHARACTER = re.compile("[\ud800-\udfff]")


def decode_source(path: str, content: str | bytes) -> tuple[Source, Diagnostic | None]:
    """Return the text with plain line ends and no byte order mark, or why it is refused."""
    if len(content) > LARGEST_FILE:
        return _too_large(path)
    text = content if isinstance(content, str) else content.decode("utf-8", "surrogateescape")
    text = text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")
    broken = _HALF_CHARACTER.search(text)
    if broken:
        source = Source.of(path, text)
        message = "this is not UTF-8 text; save the file as UTF-8"
        return source, report(source, "FLOW-E108", Span(*broken.span()), message)
    if len(text.encode()) > LARGEST_FILE:
        return _too_large(path)
    return Source.of(path, text), None


def decode_text(content: str | bytes) -> str | None:
    """Text of a file that a template refers to, or None when it is not UTF-8."""
    try:
        return content.encode().decode() if isinstance(content, str) else content.decode()
    except UnicodeError:
        return None


def _too_large(path: str) -> tuple[Source, Diagnostic]:
    source = Source.of(path, "")
    message = f"a file may hold {LARGEST_FILE // 1024} KB at most; split it into several"
    return source, report(source, "FLOW-E107", NOWHERE, message)
