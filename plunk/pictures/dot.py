"""Workflows as a DOT graph (https://graphviz.org/doc/info/lang.html)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from plunk.pictures.scenes import Box, Scene

SHAPES = {
    "trigger": "oval",
    "decision": "diamond",
    "pause": "parallelogram",
    "end": "doublecircle",
    "action": "box",
}


def draw(scenes: Sequence[Scene]) -> str:
    """Return one digraph with a cluster for each workflow."""
    return "\n".join(_lines(scenes)) + "\n"


def _lines(scenes: Sequence[Scene]) -> Iterator[str]:
    yield "digraph workflows {"
    yield "  rankdir=TB;"
    for number, one in enumerate(scenes):
        yield f"  subgraph cluster_{number} {{"
        yield f"    label={_text(one.title)};"
        for place, box in enumerate(one.boxes):
            yield f"    w{number}s{place} {_box(box)};"
        for arrow in one.arrows:
            words = f" [label={_text(arrow.words)}]" if arrow.words else ""
            yield f"    w{number}s{arrow.source} -> w{number}s{arrow.target}{words};"
        yield "  }"
    yield "}"


def _box(box: Box) -> str:
    return f"[label={_text(box.words)}, shape={SHAPES[box.kind]}]"


def _text(words: str) -> str:
    return '"' + " ".join(words.split()).replace("\\", "\\\\").replace('"', '\\"') + '"'
