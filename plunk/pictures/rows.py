"""Rows: how deep each box of a graph lies, and the plain layout that follows from it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TypeAlias

Edge: TypeAlias = tuple[int, int]


def connected(edges: Sequence[Edge]) -> list[list[Edge]]:
    """Return the edges of each connected piece, in the order of their lowest boxes."""
    lead: dict[int, int] = {}
    for source, target in edges:
        one, other = sorted((_leader(lead, source), _leader(lead, target)))
        lead[other] = one
    pieces: dict[int, list[Edge]] = defaultdict(list)
    for edge in edges:
        pieces[_leader(lead, edge[0])].append(edge)
    return [pieces[lowest] for lowest in sorted(pieces)]


def rows_of(edges: Sequence[Edge]) -> dict[int, int]:
    """Return the row of each box: below every box that leads to it, ways back aside."""
    following: dict[int, list[int]] = defaultdict(list)
    for source, target in edges:
        following[source].append(target)
    order = list(reversed(list(_finished(edges, following))))
    places = {box: place for place, box in enumerate(order)}
    rows = dict.fromkeys(order, 0)
    for box in order:
        for target in following.get(box, ()):
            if places[target] > places[box]:
                rows[target] = max(rows[target], rows[box] + 1)
    return rows


def total_length(edges: Iterable[Edge], rows: Mapping[int, int]) -> int:
    """Return how many rows all ways together cross."""
    return sum(abs(rows[source] - rows[target]) for source, target in edges)


def cells(rows: Mapping[int, int]) -> dict[int, tuple[int, int]]:
    """Return the column and row of each box, every row beginning at the left."""
    filled: dict[int, int] = defaultdict(int)
    found = {}
    for box in sorted(rows):
        found[box] = filled[rows[box]], rows[box]
        filled[rows[box]] += 1
    return found


def _leader(lead: dict[int, int], box: int) -> int:
    """Return the lowest box known to be connected with this one."""
    found = box
    while lead.setdefault(found, found) != found:
        found = lead[found]
    lead[box] = found
    return found


def _finished(edges: Sequence[Edge], following: Mapping[int, Sequence[int]]) -> Iterator[int]:
    """Yield the boxes in the order in which a walk down every way is done with them."""
    seen: set[int] = set()
    for start in sorted({box for edge in edges for box in edge}):
        if start in seen:
            continue
        seen.add(start)
        path = [(start, iter(following.get(start, ())))]
        while path:
            box, left = path[-1]
            new = next((one for one in left if one not in seen), None)
            if new is None:
                yield box
                path.pop()
            else:
                seen.add(new)
                path.append((new, iter(following.get(new, ()))))
