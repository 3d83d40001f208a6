"""Texts with {{ placeholders }} and {% tags %}: whether each that is opened is closed again."""

from __future__ import annotations

import re
from typing import NamedTuple

_OPENING = re.compile(r"\{\{|\{%")
_CLOSING = {"{{": "}}", "{%": "%}"}
_WORD = re.compile(r"\{%-?\s*(\w+)")
_BLOCKS = frozenset({"if", "unless", "for", "case", "tablerow", "capture"})
_SILENT = frozenset({"raw", "comment"})  # what stands inside them is no placeholder
_QUOTED = re.compile(r"'[^']*'|\"[^\"]*\"")


class Fault(NamedTuple):
    """What is wrong with a text, and where in it."""

    start: int
    end: int
    message: str


def fault(text: str) -> Fault | None:
    """Return the first placeholder or tag that is opened and not closed, or the other way round."""
    opened: list[tuple[str, int, int]] = []
    at = 0
    while found := _OPENING.search(text, at):
        start, sign = found.start(), found[0]
        end = text.find(_CLOSING[sign], start)
        if end < 0 or _OPENING.search(_QUOTED.sub("", text[start + 2 : end])):
            return Fault(start, start + 2, f"this {sign} is not closed; write {_CLOSING[sign]}")
        at = end + 2
        word = _word(text, start) if sign == "{%" else ""
        if word in _SILENT:
            closing = re.compile(rf"\{{%-?\s*end{word}\s*-?%\}}").search(text, at)
            if closing is None:
                return _unclosed(word, start, at)
            at = closing.end()
        elif word in _BLOCKS:
            opened.append((word, start, at))
        elif word.startswith("end") and word[3:] in _BLOCKS:
            if not opened or opened[-1][0] != word[3:]:
                return Fault(start, at, f"this closes nothing; there is no open {word[3:]}")
            opened.pop()
    return _unclosed(*opened[-1]) if opened else None


def _word(text: str, start: int) -> str:
    found = _WORD.match(text, start)
    return found[1] if found else ""


def _unclosed(word: str, start: int, end: int) -> Fault:
    return Fault(start, end, f"this {word} is not closed; write {{% end{word} %}}")
