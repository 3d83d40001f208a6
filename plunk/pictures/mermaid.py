"""Workflows as a Mermaid flowchart (https://mermaid.js.org/syntax/flowchart.html)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from plunk.pictures.scenes import Box, Scene

SHAPES = {
    "trigger": ("([", "])"),
    "decision": ("{", "}"),
    "pause": ("[/", "/]"),
    "end": ("((", "))"),
    "action": ("[", "]"),
}
# Mermaid reads these as its own signs, even between quotes.
ENTITIES = str.maketrans({'"': "#quot;", "#": "#35;", "<": "#lt;", ">": "#gt;", "\\": "#92;"})


def draw(scenes: Sequence[Scene]) -> str:
    """Return one flowchart; several workflows are subgraphs of it."""
    return "\n".join(_lines(scenes)) + "\n"


def _lines(scenes: Sequence[Scene]) -> Iterator[str]:
    yield "flowchart TD"
    for number, one in enumerate(scenes):
        prefix = f"w{number}s" if len(scenes) > 1 else "s"
        if len(scenes) > 1:
            yield f'  subgraph w{number}["{_text(one.title)}"]'
        for place, box in enumerate(one.boxes):
            yield f"  {prefix}{place}{_box(box)}"
        for arrow in one.arrows:
            words = f'|"{_text(arrow.words)}"|' if arrow.words else ""
            yield f"  {prefix}{arrow.source} -->{words} {prefix}{arrow.target}"
        if len(scenes) > 1:
            yield "  end"


def _box(box: Box) -> str:
    opening, closing = SHAPES[box.kind]
    return f'{opening}"{_text(box.words)}"{closing}'


def _text(words: str) -> str:
    return " ".join(words.split()).translate(ENTITIES)
