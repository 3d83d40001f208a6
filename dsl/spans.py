"""Where things stand in a text: offsets, lines and columns."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, order=True)
class Position:
    """A place as people count it: line and column from 1, columns in code points."""

    line: int
    column: int


@dataclass(frozen=True, slots=True)
class Span:
    """A piece of a text: offsets in code points, the end not included."""

    start: int
    end: int


NOWHERE = Span(0, 0)


@dataclass(frozen=True, slots=True)
class Range:
    """A span as people count it."""

    start: Position
    end: Position


@dataclass(frozen=True, slots=True)
class Source:
    """One text with its path, and where its lines begin."""

    path: str
    text: str
    line_starts: tuple[int, ...] = field(repr=False, compare=False)

    @classmethod
    def of(cls, path: str, text: str) -> Source:
        """Index the lines of a text."""
        starts = [0]
        starts.extend(offset + 1 for offset, char in enumerate(text) if char == "\n")
        return cls(path, text, tuple(starts))

    def position(self, offset: int) -> Position:
        """Line and column of an offset; beyond the end means the end."""
        offset = max(0, min(offset, len(self.text)))
        line = bisect_right(self.line_starts, offset)
        return Position(line, offset - self.line_starts[line - 1] + 1)

    def range(self, span: Span) -> Range:
        """Line and column of both ends."""
        return Range(self.position(span.start), self.position(span.end))
