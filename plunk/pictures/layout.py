"""Where the boxes of a workflow stand, by the Sugiyama method; lengths are in pixels."""

from __future__ import annotations

import importlib
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from plunk.errors import Misconfigured
from plunk.pictures.scenes import Scene

Point: TypeAlias = tuple[float, float]
SPACING = 100
COLUMN, ROW = 230.0, 110.0


@dataclass(frozen=True, slots=True)
class Layout:
    """The middle of each box, the points that each arrow passes, and the size of the whole."""

    boxes: Mapping[int, Point]
    paths: Mapping[tuple[int, int], Sequence[Point]]
    width: float
    height: float


def lay_out(scene: Scene) -> Layout:
    """Place the boxes of a scene, connected pieces side by side."""
    edges = [(one.source, one.target) for one in scene.arrows if one.source != one.target]
    boxes: dict[int, Point] = {}
    paths: dict[tuple[int, int], Sequence[Point]] = {}
    left = height = 0.0
    for piece in _pieces(edges):
        points, width, tall = _scaled(piece, left)
        boxes |= {place: at for place, at in points.items() if place < len(scene.boxes)}
        paths |= _paths(points, piece[3], edges, len(scene.boxes))
        left, height = left + width, max(height, tall)
    for place in range(len(scene.boxes)):
        if place not in boxes:  # nothing leads to it or away from it
            boxes[place] = (left + COLUMN / 2, ROW / 2)
            left, height = left + COLUMN, max(height, ROW)
    return Layout(boxes, paths, left, height)


def _pieces(edges: Sequence[tuple[int, int]]) -> Sequence[Any]:
    if not edges:
        return []
    try:
        sugiyama = importlib.import_module("fast_sugiyama")
    except ImportError as error:
        raise Misconfigured("SVG needs one more package: pip install 'plunk-py[graph]'.") from error
    return list(sugiyama.from_edges(edges, vertex_spacing=SPACING))


def _scaled(piece: Any, left: float) -> tuple[dict[int, Point], float, float]:  # noqa: ANN401 - the library's tuple
    """Return the points of a piece, the first row on top, and how much room it takes."""
    placed, width, height, _ = piece
    points = {
        place: (
            left + x / SPACING * COLUMN + COLUMN / 2,
            (height - y) / SPACING * ROW + ROW / 2,
        )
        for place, (x, y) in placed
    }
    return points, width / SPACING * COLUMN + COLUMN, height / SPACING * ROW + ROW


def _paths(
    points: Mapping[int, Point],
    links: Sequence[tuple[int, int]],
    edges: Sequence[tuple[int, int]],
    count: int,
) -> dict[tuple[int, int], list[Point]]:
    """Follow each arrow through the bends that the layout put into it."""
    following: dict[int, list[int]] = defaultdict(list)
    for source, target in links:
        following[source].append(target)
    found = {}
    for source, target in edges:
        if source in points:
            bends = _bends(source, target, following, count) or [source, target]
            found[source, target] = [points[place] for place in bends]
    return found


def _bends(
    source: int, target: int, following: Mapping[int, list[int]], count: int
) -> list[int] | None:
    """Return the way from a box to another over bends alone; numbers from `count` on are bends."""
    for first in following.get(source, ()):
        path = [source, first]
        while path[-1] >= count:
            path.append(following[path[-1]][0])
        if path[-1] == target:
            return path
    return None
