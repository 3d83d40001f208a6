"""Workflows as SVG, readable on light and dark pages."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence
from itertools import pairwise
from xml.sax.saxutils import escape

from plunk.pictures.layout import Layout, Point, lay_out
from plunk.pictures.scenes import Arrow, Box, Scene

WIDTH, HEIGHT, MARGIN, HEAD = 190.0, 58.0, 24.0, 34.0
LINE, MOST_LINES, MOST_LETTERS = 15, 2, 27
COLOURS = {  # fill, border
    "trigger": ("#e3f2e6", "#2e7d3b"),
    "decision": ("#fdf0d5", "#b06f00"),
    "pause": ("#e8eefb", "#3b62b5"),
    "end": ("#f1f1f1", "#666666"),
    "action": ("#ffffff", "#444444"),
}
STYLE = (
    "text{font:12px system-ui,sans-serif;fill:#222}.title{font-weight:600;font-size:15px}"
    ".type{font-size:9px;fill:#666;letter-spacing:.04em}.words{font-size:11px;fill:#333}"
    ".way{fill:none;stroke:#777;stroke-width:1.4}.halo{fill:#fff;opacity:.9}"
)


def draw(scenes: Sequence[Scene]) -> str:
    """Return one picture, the workflows below each other."""
    parts: list[str] = []
    top, width = 0.0, 2 * MARGIN
    for one in scenes:
        layout = lay_out(one)
        parts += _scene(one, layout, top)
        top += layout.height + HEAD + MARGIN
        width = max(width, layout.width + 2 * MARGIN)
    size = f"{width:.0f}", f"{top + MARGIN:.0f}"
    return "\n".join([*_head(*size), *parts, "</svg>"]) + "\n"


def _head(width: str, height: str) -> Iterator[str]:
    yield (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}"'
        f' viewBox="0 0 {width} {height}" role="img">'
    )
    yield f"<style>{STYLE}</style>"
    yield (
        '<defs><marker id="tip" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7"'
        ' markerHeight="7" orient="auto"><path d="M0 0L8 4L0 8z" fill="#777"/></marker></defs>'
    )
    yield f'<rect width="{width}" height="{height}" fill="#fff"/>'


def _scene(scene: Scene, layout: Layout, top: float) -> Iterator[str]:
    yield f'<g transform="translate({MARGIN:.0f} {top + HEAD:.0f})">'
    yield f'<text class="title" x="0" y="-8">{_safe(scene.title)}</text>'
    for arrow in scene.arrows:
        yield from _arrow(arrow, layout)
    for place, box in enumerate(scene.boxes):
        yield from _box(box, layout.boxes[place])
    yield "</g>"


def _box(box: Box, middle: Point) -> Iterator[str]:
    fill, border = COLOURS[box.kind]
    x, y = middle[0] - WIDTH / 2, middle[1] - HEIGHT / 2
    round_by = HEIGHT / 2 if box.kind in {"trigger", "end"} else 6
    yield (
        f'<g><title>{_safe(box.words)}</title><rect x="{x:.1f}" y="{y:.1f}" width="{WIDTH:.0f}"'
        f' height="{HEIGHT:.0f}" rx="{round_by:.0f}" fill="{fill}" stroke="{border}"/>'
    )
    yield (
        f'<text class="type" x="{middle[0]:.1f}" y="{y + 14:.1f}" text-anchor="middle">'
        f"{_safe(box.type.replace('_', ' '))}</text>"
    )
    lines = textwrap.wrap(
        _plain(box.words), MOST_LETTERS, max_lines=MOST_LINES, placeholder="…"
    ) or [""]
    for number, line in enumerate(lines):
        at = y + 32 + number * LINE - (0 if len(lines) > 1 else -4)
        yield f'<text x="{middle[0]:.1f}" y="{at:.1f}" text-anchor="middle">{_safe(line)}</text>'
    yield "</g>"


def _arrow(arrow: Arrow, layout: Layout) -> Iterator[str]:
    points = _ends_trimmed(arrow, layout)
    path = f"M{points[0][0]:.1f} {points[0][1]:.1f}"
    for (x1, y1), (x2, y2) in pairwise(points):
        bend = (y2 - y1) / 2
        path += f" C{x1:.1f} {y1 + bend:.1f} {x2:.1f} {y2 - bend:.1f} {x2:.1f} {y2:.1f}"
    yield f'<path class="way" d="{path}" marker-end="url(#tip)"/>'
    if arrow.words:
        yield from _words(arrow.words, points)


def _ends_trimmed(arrow: Arrow, layout: Layout) -> list[Point]:
    """Return the points of an arrow, from the edge of one box to the edge of the other."""
    half = HEIGHT / 2
    if arrow.source == arrow.target:
        x, y = layout.boxes[arrow.source]
        side = x + WIDTH / 2
        return [(side - 14, y + half), (side + 16, y), (side - 14, y - half)]
    first, *bends, last = layout.paths[arrow.source, arrow.target]
    leaves = half if (bends or [last])[0][1] >= first[1] else -half
    enters = -half if (bends or [first])[-1][1] <= last[1] else half
    return [(first[0], first[1] + leaves), *bends, (last[0], last[1] + enters)]


def _words(words: str, points: Sequence[Point]) -> Iterator[str]:
    (x1, y1), (x2, y2) = points[0], points[1]
    x, y = x1 + (x2 - x1) * 0.45, y1 + (y2 - y1) * 0.5
    shown = textwrap.shorten(_plain(words), MOST_LETTERS, placeholder="…")
    wide = 6.2 * len(shown) + 8
    yield (
        f'<rect class="halo" x="{x - wide / 2:.1f}" y="{y - 8:.1f}" width="{wide:.1f}"'
        ' height="16" rx="3"/>'
    )
    yield (
        f'<text class="words" x="{x:.1f}" y="{y + 4:.1f}" text-anchor="middle">'
        f"{_safe(shown)}</text>"
    )


def _plain(words: str) -> str:
    return " ".join(words.split())


def _safe(words: str) -> str:
    """Return a text as XML may hold it: no control characters, no signs of its own."""
    return escape("".join(char for char in _plain(words) if char.isprintable()))
