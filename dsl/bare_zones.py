"""Time zones that nobody put in quotes: timezone Europe/Brussels."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from dsl.tokens import Token

_PARTS = frozenset({"NAME", "NUMBER", "SLASH", "MINUS", "PLUS"})
_WORDS = frozenset({"UTC", "GMT", "CET", "EET", "MET", "WET", "EST", "MST", "HST"})


def bare_zones(tokens: Sequence[Token]) -> Iterator[tuple[int, int]]:
    """Yield where such names begin and end; a name with dots in it is a field."""
    for index, token in enumerate(tokens):
        if token.type == "TIMEZONE":
            end = _end(tokens, index + 1)
            written = [part.value for part in tokens[index + 1 : end]]
            if "/" in written or (len(written) == 1 and written[0] in _WORDS):
                yield index + 1, end


def _end(tokens: Sequence[Token], start: int) -> int:
    """Return the first place behind the tokens that touch each other from here on."""
    end = start
    while end < len(tokens) and tokens[end].type in _PARTS:
        if end > start and tokens[end].start_pos != tokens[end - 1].end_pos:
            break
        end += 1
    return end
