"""Where the boxes of a workflow stand, by the Sugiyama method; lengths are in pixels.

Ways that cross many rows make it slow: beyond a bound crossings are no longer counted one by one,
and beyond another the boxes stand in plain rows.
"""

from __future__ import annotations

import importlib
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from plunk.errors import Misconfigured
from plunk.pictures.rows import Edge, cells, connected, rows_of, total_length
from plunk.pictures.scenes import Scene

Point: TypeAlias = tuple[float, float]
SPACING = 100
COLUMN, ROW = 230.0, 110.0
# How many rows the ways of a piece may cross: for crossings to be taken out by trying, and at all.
MOST_TRIED, MOST_ORDERED = 5_000, 50_000


@dataclass(frozen=True, slots=True)
class Layout:
    """The middle of each box, the points that each arrow passes, and the size of the whole."""

    boxes: Mapping[int, Point]
    paths: Mapping[Edge, Sequence[Point]]
    width: float
    height: float

    def beside(self, other: Layout) -> Layout:
        """Return both, this one on the left."""
        boxes = {box: _moved(at, self.width) for box, at in other.boxes.items()}
        paths = {
            edge: [_moved(at, self.width) for at in points] for edge, points in other.paths.items()
        }
        return Layout(
            {**self.boxes, **boxes},
            {**self.paths, **paths},
            self.width + other.width,
            max(self.height, other.height),
        )


EMPTY = Layout({}, {}, 0.0, 0.0)


def lay_out(scene: Scene) -> Layout:
    """Place the boxes of a scene, connected pieces side by side."""
    edges = [(one.source, one.target) for one in scene.arrows if one.source != one.target]
    found = EMPTY
    for piece in connected(edges):
        found = found.beside(_piece(piece))
    for place in range(len(scene.boxes)):
        if place not in found.boxes:  # nothing leads to it or away from it
            found = found.beside(Layout({place: _middle(0, 0)}, {}, COLUMN, ROW))
    return found


def _piece(edges: Sequence[Edge]) -> Layout:
    rows = rows_of(edges)
    length = total_length(edges, rows)
    if length > MOST_ORDERED:
        return _in_rows(edges, rows)
    return _ordered(edges, transpose=length <= MOST_TRIED)


def _in_rows(edges: Sequence[Edge], rows: Mapping[int, int]) -> Layout:
    placed = cells(rows)
    boxes = {box: _middle(column, row) for box, (column, row) in placed.items()}
    paths = {edge: [boxes[place] for place in edge] for edge in edges}
    width, height = (max(found) + 1 for found in zip(*placed.values(), strict=True))
    return Layout(boxes, paths, width * COLUMN, height * ROW)


def _ordered(edges: Sequence[Edge], *, transpose: bool) -> Layout:
    # The library numbers the bends of each piece from the highest box on: its boxes have no gaps.
    names = sorted({box for edge in edges for box in edge})
    numbers = {box: number for number, box in enumerate(names)}
    own = [(numbers[source], numbers[target]) for source, target in edges]
    placed, width, height, links = _placed(own, transpose=transpose)
    points = {place: _middle(x / SPACING, (height - y) / SPACING) for place, (x, y) in placed}
    boxes = {box: points[number] for box, number in numbers.items()}
    paths = _paths(points, links, own, len(names))
    return Layout(
        boxes,
        {(names[source], names[target]): path for (source, target), path in paths.items()},
        width / SPACING * COLUMN + COLUMN,
        height / SPACING * ROW + ROW,
    )


def _placed(edges: Sequence[Edge], *, transpose: bool) -> Any:  # noqa: ANN401 - the library's tuple
    try:
        sugiyama = importlib.import_module("fast_sugiyama")
    except ImportError as error:
        raise Misconfigured("SVG needs one more package: pip install 'plunk-py[graph]'.") from error
    # Not the ranking that makes ways shortest: it never ends on some graphs.
    (found,) = sugiyama.from_edges(
        edges, vertex_spacing=SPACING, ranking_type="up", transpose=transpose
    )
    return found


def _middle(column: float, row: float) -> Point:
    return column * COLUMN + COLUMN / 2, row * ROW + ROW / 2


def _moved(point: Point, right: float) -> Point:
    return point[0] + right, point[1]


def _paths(
    points: Mapping[int, Point], links: Sequence[Edge], edges: Sequence[Edge], count: int
) -> dict[Edge, list[Point]]:
    """Follow each arrow through the bends that the layout put into it."""
    following: dict[int, list[int]] = defaultdict(list)
    for source, target in links:
        following[source].append(target)
    found = {}
    for source, target in edges:
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
