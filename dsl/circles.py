"""Rings in what refers to what."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from collections.abc import Set as AbstractSet


def circles(onward: Mapping[str, Iterable[str]]) -> Iterator[list[str]]:
    """Yield a shortest ring through each name that is on one, no name in two of them."""
    told: set[str] = set()
    for start in onward:
        if start not in told:
            ring = _way_back(start, onward, told)
            told |= set(ring)
            if ring:
                yield ring


def _way_back(
    start: str, onward: Mapping[str, Iterable[str]], without: AbstractSet[str]
) -> list[str]:
    """Return the names on a shortest way from one back to itself; none when there is no way."""
    came_from: dict[str, str] = {}
    waiting = [start]
    for here in waiting:  # grows while it is walked through
        for target in onward.get(here, ()):
            if target == start:
                return _path(start, here, came_from)
            if target not in came_from and target not in without:
                came_from[target] = here
                waiting.append(target)
    return []


def _path(start: str, end: str, came_from: Mapping[str, str]) -> list[str]:
    path = [end]
    while path[-1] != start:
        path.append(came_from[path[-1]])
    return path[::-1]
