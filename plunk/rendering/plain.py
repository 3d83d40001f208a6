"""The renderer that cannot fail: `{{path}}` and `{{path ?? fallback}}`, tags left as text."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from plunk.rendering.lexer import decode_entities
from plunk.rendering.limits import MAX_DELIMITERS, MAX_EXPRESSION, MAX_OUTPUT, TooExpensive
from plunk.rendering.placeholders import parse_path, parse_placeholder, split_filters
from plunk.rendering.values import find_path, is_blank, to_output


def render_plain(source: str, variables: Mapping[str, object]) -> str:
    """Fill in what can be filled in; values print nothing once the output is full."""
    pieces: list[str] = []
    left = MAX_OUTPUT
    for text, is_placeholder in _split(source):
        piece = _fill(text, variables) if is_placeholder else text
        left -= len(piece)
        if not is_placeholder or left >= 0:
            pieces.append(piece)
    return "".join(pieces)


def _split(source: str) -> Iterator[tuple[str, bool]]:
    """Yield text, and what stands in placeholders; beyond a limit everything is text."""
    position = seen = 0
    while seen < MAX_DELIMITERS and (end := source.find("}}", position)) >= 0:
        seen += 1
        start = source.rfind("{{", max(position, end - MAX_EXPRESSION), end)
        if start < 0:
            yield source[position : end + 2], False
        else:
            yield source[position:start], False
            yield source[start + 2 : end], True
        position = end + 2
    yield source[position:], False


def _fill(inside: str, variables: Mapping[str, object]) -> str:
    text = decode_entities(inside.removeprefix("-").removesuffix("-"))
    placeholder = parse_placeholder(text, filters=())
    expression, _ = split_filters(placeholder.head)
    path = parse_path(expression)
    value = find_path(variables, path) if path else None
    if placeholder.fallback is not None and is_blank(value):
        return placeholder.fallback
    try:
        return to_output(value, as_list=True)
    except TooExpensive:
        return ""
