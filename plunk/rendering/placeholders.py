"""What may stand between `{{` and `}}`, in both renderers.

The grammar:

placeholder = expression [ "??" fallback { "??" ignored } ] { "|" filter }
expression  = name { "." name } | literal          each with { "|" filter }
name        = letters, digits, "_", "-" and spaces
fallback    = quoted text | text up to the next "??" or known filter
"""

from __future__ import annotations

import re
from collections.abc import Container
from dataclasses import dataclass

_MARK = re.compile(r""""[^"]*"|'[^']*'|\?\?|\|""")
_QUOTED = re.compile(r"""\s*(?:"(?P<double>[^"]*)"|'(?P<single>[^']*)')\s*(?=$|\?\?|\|)""")
_END = re.compile(r"\?\?|\|\s*(?P<filter>\w+)")
_PATH = re.compile(r"[\w.\- \t\r\n]+")
_LITERAL = re.compile(r"-?\d+(?:\.\d+)?|true|false|nil|null|empty|blank")


@dataclass(frozen=True, slots=True)
class Placeholder:
    """A placeholder taken apart; `head` and `tail` are still text, `tail` starts with `|`."""

    head: str
    fallback: str | None = None
    tail: str = ""


def parse_placeholder(text: str, filters: Container[str]) -> Placeholder:
    """Split a placeholder at its `??`; only names in `filters` end an unquoted fallback."""
    position = _find_mark(text, "??")
    if position is None:
        return Placeholder(text.strip())
    fallback, tail = _split_fallback(text[position + 2 :], filters)
    return Placeholder(text[:position].strip(), fallback, tail)


def split_filters(head: str) -> tuple[str, str]:
    """Return what stands before the first filter, and the filters."""
    position = _find_mark(head, "|")
    return (head, "") if position is None else (head[:position].rstrip(), head[position:])


def parse_path(expression: str) -> tuple[str, ...] | None:
    """Return the names of a dotted path, whose names may hold spaces; None for anything else."""
    if _LITERAL.fullmatch(expression) or not _PATH.fullmatch(expression):
        return None
    return tuple(" ".join(name.split()) for name in expression.split("."))


def to_liquid(head: str) -> str:
    """Rewrite a path so that any Liquid parser takes it, whatever its names are."""
    expression, filters = split_filters(head)
    path = parse_path(expression)
    if path is None:
        return head
    return "".join(f'["{name}"]' for name in path) + filters


def _find_mark(text: str, mark: str) -> int | None:
    return next((found.start() for found in _MARK.finditer(text) if found[0] == mark), None)


def _split_fallback(text: str, filters: Container[str]) -> tuple[str, str]:
    quoted = _QUOTED.match(text)
    rest = text[quoted.end() :] if quoted else text
    end, tail = _find_end(rest, filters)
    if quoted:
        return quoted["double"] if quoted["double"] is not None else quoted["single"], tail
    return rest[:end].strip(), tail


def _find_end(text: str, filters: Container[str]) -> tuple[int, str]:
    """Return where the fallback ends, and the filters that follow it."""
    end = len(text)
    for match in _END.finditer(text):
        if match["filter"] is None:
            end = min(end, match.start())
        elif match["filter"] in filters:
            return min(end, match.start()), text[match.start() :]
    return end, ""
