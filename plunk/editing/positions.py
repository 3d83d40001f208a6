"""Places as an editor counts them: lines from 0, columns in the units that it asked for."""

from __future__ import annotations

from lsprotocol import types
from pygls.workspace import PositionCodec

from dsl.spans import Position, Range, Source, Span


class Positions:
    """Places in one text, to and from the units of one editor."""

    def __init__(self, source: Source, codec: PositionCodec) -> None:
        self.source = source
        self.codec = codec
        self.lines = source.text.split("\n")

    def of_span(self, span: Span) -> types.Range:
        """Return the place of a span."""
        return self.of_range(self.source.range(span))

    def of_range(self, place: Range) -> types.Range:
        """Return a place that is counted the way of diagnostics."""
        return types.Range(self._position(place.start), self._position(place.end))

    def whole(self) -> types.Range:
        """Return the place of the whole text."""
        return self.of_span(Span(0, len(self.source.text)))

    def offset(self, place: types.Position) -> int:
        """Return the offset of a place; beyond the end of a line means its end."""
        if place.line >= len(self.lines):
            return len(self.source.text)
        found = self.codec.position_from_client_units(self.lines, place)
        column = min(found.character, len(self.lines[place.line]))
        return self.source.line_starts[place.line] + column

    def _position(self, place: Position) -> types.Position:
        counted = types.Position(place.line - 1, place.column - 1)
        return self.codec.position_to_client_units(self.lines, counted)
