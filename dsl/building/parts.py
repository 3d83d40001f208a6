"""The parts of a rule: tokens, nodes, or None for what was left out; and where they stand."""

from __future__ import annotations

from typing import Any, TypeAlias

from dsl import nodes, strings
from dsl.moments import is_clock
from dsl.spans import Span

Parts: TypeAlias = list[Any]
LONGEST_NUMBER = 40


def number(written: str) -> int | float:
    """Value of a written number; the token check has refused what does not fit."""
    if len(written) > LONGEST_NUMBER:
        return 0
    value = float(written)
    return int(written) if written.isdecimal() else value


def start_of(part: Any) -> int:  # noqa: ANN401 - a token or a node
    """Return where a part begins; asking forgiveness is the fast way here."""
    try:
        start: int = part.span.start
    except AttributeError:
        start = part.start_pos
    return start


def end_of(part: Any) -> int:  # noqa: ANN401 - a token or a node
    """Return where a part ends."""
    try:
        end: int = part.span.end
    except AttributeError:
        end = part.end_pos
    return end


def span_of(parts: Parts) -> Span:
    """Return the piece from the first part that is there to the last."""
    first, last = 0, -1
    while parts[first] is None:
        first += 1
    while parts[last] is None:
        last -= 1
    return Span(start_of(parts[first]), end_of(parts[last]))


def word(token: Any) -> nodes.Text:  # noqa: ANN401 - a token
    """Return a token as a text."""
    return nodes.Text(str(token), Span(token.start_pos, token.end_pos))


def maybe_word(token: Any) -> nodes.Text | None:  # noqa: ANN401 - a token
    """Return a token as a text, if it is there."""
    return None if token is None else word(token)


def clock(token: Any) -> nodes.Text:  # noqa: ANN401 - a token
    """Return a time of day with two digits for its hour; what is none stays as it is."""
    written = str(token)
    padded = written.zfill(len("00:00")) if is_clock(written) else written
    return nodes.Text(padded, Span(token.start_pos, token.end_pos))


def label(token: Any) -> nodes.Text:  # noqa: ANN401 - a token
    """Return a label without its sign."""
    return nodes.Text(str(token).removeprefix("@"), Span(token.start_pos, token.end_pos))


def text(parts: Parts) -> nodes.Text:
    """Return STRING | TRIPLE."""
    return nodes.Text(strings.decode(parts[0]), span_of(parts))


def as_condition(operand: nodes.Operand) -> nodes.Condition:
    """Return a condition; a value that stands alone must be true."""
    if isinstance(operand, nodes.CONDITIONS):
        return operand
    return nodes.Bare(operand, operand.span)
