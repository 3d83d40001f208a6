"""What is different between two graphs of one workflow."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from plunk.services import step_matching
from plunk.services.flow_graphs import HEADERS, TRIGGER, FlowGraph, Way
from plunk.services.json_values import same

NOTHING: Sequence[object] = (None, [], "never")  # what a header says that is not there


@dataclass(frozen=True, slots=True)
class Changes:
    """Differences of structure; steps of the new graph by its keys, removed ones by the old.

    Labels and places on the canvas are none: they say how a step is found and where it is drawn.
    """

    pairs: Mapping[str, str]
    headers: Sequence[str]
    added: Sequence[str]
    removed: Sequence[str]
    changed: Sequence[str]
    rerouted: Sequence[str]

    def __bool__(self) -> bool:
        """Whether there is any."""
        return bool(self.headers) or self.has_structure

    @property
    def has_structure(self) -> bool:
        """Whether there is any of steps or ways."""
        return bool(self.added or self.removed or self.changed or self.rerouted)


def find(old: FlowGraph, new: FlowGraph) -> Changes:
    """Return what makes the new graph another one than the old.

    A text may switch a workflow off, but never on: that a person disabled it counts for more.
    """
    pairs = step_matching.match(old, new)
    kept = [key for key in new.steps if key in pairs]
    return Changes(
        pairs=pairs,
        headers=_headers(old, new),
        added=[key for key in new.steps if key not in pairs],
        removed=[key for key in old.steps if key not in set(pairs.values())],
        changed=[
            key
            for key in kept
            if key != TRIGGER and not step_matching.is_alike(old.steps[pairs[key]], new.steps[key])
        ],
        rerouted=[
            key
            for key in new.steps
            if not _same_ways(old.ways.get(pairs.get(key, ""), ()), new.ways[key], pairs)
        ],
    )


def of_new(graph: FlowGraph) -> Changes:
    """Return what a workflow comes with that did not exist before."""
    headers = [name for name in HEADERS if graph.headers[name] not in NOTHING]
    added = [key for key in graph.steps if key != TRIGGER]
    return Changes({}, headers, added, (), (), ())


def same_way(old: Way, new: Way, pairs: Mapping[str, str]) -> bool:
    """Tell whether two ways out of one step are the same."""
    return (
        old.target == pairs.get(new.target)
        and (old.outcome, old.priority) == (new.outcome, new.priority)
        and same(old.condition, new.condition)
    )


def _headers(old: FlowGraph, new: FlowGraph) -> list[str]:
    found = ["name"] if old.name != new.name else []
    found += [
        name
        for name in HEADERS
        if name != "enabled" and not same(old.headers[name], new.headers[name])
    ]
    is_switched_off = old.headers["enabled"] and not new.headers["enabled"]
    return [*found, "enabled"] if is_switched_off else found


def _same_ways(old: Sequence[Way], new: Sequence[Way], pairs: Mapping[str, str]) -> bool:
    return len(old) == len(new) and all(
        same_way(one, other, pairs) for one, other in zip(old, new, strict=True)
    )
