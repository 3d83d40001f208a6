"""Quoted texts: from what is written to what is meant, and back."""

from __future__ import annotations

import re
import sys
from textwrap import dedent, indent

from dsl.spans import Span

_ESCAPE = re.compile(r"\\(u\{[0-9A-Fa-f]{1,6}\}|.)")
_PLAIN = {'"': '"', "\\": "\\", "n": "\n", "t": "\t"}
_UNPRINTABLE = re.compile(r'["\\\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff\ufeff]')
_MEANINGLESS = frozenset({0, *range(0xD800, 0xE000)})
_FORBIDDEN = re.compile(r"\x00")
_WRITTEN = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\t": "\\t"}
_RAW_FORBIDDEN = re.compile(r'"""|[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff\ufeff]')


def decode(written: str) -> str:
    """Meaning of a quoted token, quotes included; wrong escapes are kept as they are."""
    if written.startswith('"""'):
        return _block(written[3:-3])
    inner = written[1:-1]
    return _ESCAPE.sub(_unescape, inner) if "\\" in inner else inner


def wrong_escapes(written: str, offset: int) -> list[Span]:
    """Where a quoted token that begins at the offset holds escapes without a meaning."""
    if written.startswith('"""') or "\\" not in written:
        return []
    found = _ESCAPE.finditer(written)
    return [
        Span(offset + match.start(), offset + match.end())
        for match in found
        if _meaning(match[1]) is None
    ]


def forbidden(written: str, offset: int) -> list[Span]:
    """Where a quoted token that begins at the offset holds characters that no store accepts."""
    found = _FORBIDDEN.finditer(written)
    return [Span(offset + match.start(), offset + match.end()) for match in found]


def encode(value: str) -> str:
    """Return the value between quotes, on one line."""
    return '"' + _UNPRINTABLE.sub(_escape, value) + '"'


def encode_block(value: str, margin: str) -> str | None:
    """Return the value as a block between triple quotes, or None where only escapes can say it."""
    if "\n" not in value or _RAW_FORBIDDEN.search(value):
        return None
    inner = "\n" + indent(value, margin + "  ") + "\n" + margin
    return f'"""{inner}"""' if _block(inner) == value else None


def _block(inner: str) -> str:
    """Drop a blank first and last line and the common indentation."""
    first, *rest = inner.split("\n")
    if not rest:
        return inner
    if not rest[-1].strip(" \t"):
        rest.pop()
    body = dedent("\n".join(rest))
    return body if not first.strip(" \t") else "\n".join((first, *body.split("\n")))


def _unescape(match: re.Match[str]) -> str:
    meaning = _meaning(match[1])
    return match[0] if meaning is None else meaning


def _meaning(escape: str) -> str | None:
    """Character behind an escape; NUL and half characters have none, no store accepts them."""
    if not escape.startswith("u{"):
        return _PLAIN.get(escape)
    code = int(escape[2:-1], 16)
    return None if code in _MEANINGLESS or code > sys.maxunicode else chr(code)


def _escape(match: re.Match[str]) -> str:
    return _WRITTEN.get(match[0]) or f"\\u{{{ord(match[0]):X}}}"


def block_or_line(text: str, depth: int) -> str:
    """Return a text between triple quotes where it has lines, else in quotes."""
    return encode_block(text, "  " * depth) or encode(text)
