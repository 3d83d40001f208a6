"""Diagnostics as people read them: message, excerpt, caret, advice."""

from __future__ import annotations

from typing import TYPE_CHECKING
from unicodedata import east_asian_width

if TYPE_CHECKING:
    from dsl.diagnostics import Diagnostic
    from dsl.spans import Range

_WIDEST_LINE = 160


def render(diagnostic: Diagnostic, text: str) -> str:
    """Message and excerpt with a caret under the place; notes about the same file likewise."""
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    shown = [f"{diagnostic.severity} {diagnostic.code}: {diagnostic.message}"]
    shown += _excerpt(diagnostic.file, diagnostic.range, lines)
    for note in diagnostic.notes:
        same = note.file == diagnostic.file
        shown += [f"note: {note.message}", *_excerpt(note.file, note.range, lines if same else [])]
    if diagnostic.hint:
        shown.append(f"hint: {diagnostic.hint}")
    shown += [f"fix: {fix.title}" for fix in diagnostic.fixes]
    return "\n".join(shown) + "\n"


def _excerpt(file: str, place: Range, lines: list[str]) -> list[str]:
    """Return the first line of the place, and its marks."""
    head = f"  --> {file}:{place.start.line}:{place.start.column}"
    if place.start.line > len(lines):
        return [head]
    number = str(place.start.line)
    line = lines[place.start.line - 1][:_WIDEST_LINE]
    margin = " " * len(number)
    shown = "".join(char if char.isprintable() or char == "\t" else "\ufffd" for char in line)
    return [head, f"{margin} |", f"{number} | {shown}", f"{margin} | {_marks(place, line)}"]


def _marks(place: Range, line: str) -> str:
    """Carets under the place; tabs stay tabs, so that the caret stands where it should."""
    start = place.start.column - 1
    end = place.end.column - 1 if place.end.line == place.start.line else len(line)
    blank = "".join("\t" if char == "\t" else " " * _width(char) for char in line[:start])
    return blank + "^" * max(1, sum(map(_width, line[start : min(end, len(line))])))


def _width(char: str) -> int:
    """Return how many columns a terminal takes for a character: two for emoji and wide letters."""
    return 2 if east_asian_width(char) in {"W", "F"} else 1
