"""One spelling for graphs that mean the same, so that they can be compared."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeAlias

from dsl.conditions import SEGMENT, WORKFLOW, Place, tree_json
from dsl.expressions_reading import Unreadable
from dsl.graph import TRIGGER
from dsl.reading import condition_node

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dsl.graph import Headers, JsonObject, SegmentText, WorkflowGraph

_Way: TypeAlias = tuple[str | int | None, ...]
_TREES = ("condition", "where")


def config_form(config: JsonObject) -> JsonObject:
    """Return a config whose condition trees have the one layout that the language gives them."""
    return {key: tree_form(value) if key in _TREES else value for key, value in config.items()}


def tree_form(tree: Any, place: Place = WORKFLOW) -> Any:  # noqa: ANN401 - JSON
    """Return a condition tree in its one layout; what is no tree stays as it is."""
    if not isinstance(tree, dict):
        return tree
    try:
        return tree_json(condition_node(tree, place), place)
    except (Unreadable, KeyError, TypeError, RecursionError):
        return tree


def headers_form(headers: Headers) -> Headers:
    """Return headers whose conditions are in their one layout."""
    return replace(
        headers,
        triggers=tuple(config_form(one) for one in headers.triggers),
        stops=tuple(config_form(one) for one in headers.stops),
        goals=tuple(config_form(one) for one in headers.goals),
    )


def segment_form(segment: SegmentText) -> SegmentText:
    """Return a segment whose condition is in its one layout."""
    return replace(segment, condition=tree_form(segment.condition, SEGMENT))


def same_graph(one: WorkflowGraph, other: WorkflowGraph) -> bool:
    """Tell whether two workflows are the same up to what their steps are called inside.

    Steps that no way leads to are matched by their keys.
    """
    reached = _reached(one)
    keys = {step.key for step in other.steps}
    labels = {step.label: step.key for step in other.steps if step.label}
    known = {step.key: labels[step.label] for step in one.steps if step.label in labels}
    loose = {step.key: step.key for step in one.steps if step.key in keys - reached}
    names = {TRIGGER: TRIGGER, **loose, **known}
    return one.name == other.name and not difference(one, other, names)


def _reached(graph: WorkflowGraph) -> set[str]:
    """Return the steps that some way from the trigger comes to."""
    reached, ways = [TRIGGER], _by_source(graph)
    for key in reached:
        reached += [target for target in ways.get(key, {}).values() if target not in reached]
    return set(reached)


def difference(
    one: WorkflowGraph, other: WorkflowGraph, known: Mapping[str, str]
) -> tuple[str, str] | None:
    """Return the first step of one graph that the other has not, and what differs.

    Steps are matched by the ways that lead to them, and by the keys that are known to be theirs:
    what a step is called inside does not count.
    """
    if headers_form(one.headers) != headers_form(other.headers):
        return "trigger", "its headers would come out differently"
    steps = {step.key: step for step in one.steps}
    others = {step.key: step for step in other.steps}
    ways, other_ways = _by_source(one), _by_source(other)
    names = dict(known)
    queue = [key for key in steps if key in names]
    for key in queue:
        match = others.get(names[key])
        if match is None or _content(steps[key]) != _content(match):
            return key, "it would come out differently"
        own, their = ways.get(key, {}), other_ways.get(names[key], {})
        if own.keys() != their.keys():
            return key, "its ways would come out differently"
        for way, target in own.items():
            if names.setdefault(target, their[way]) != their[way]:
                return key, "its ways would lead elsewhere"
            if target not in queue:
                queue.append(target)
    lost = next((key for key in steps if key not in names), None)
    if lost or len(steps) != len(others):
        return lost or "trigger", "it would be lost"
    return None


def _content(step: Any) -> tuple[object, ...]:  # noqa: ANN401 - a step
    return step.type, step.name, config_form(step.config), step.position


def _by_source(graph: WorkflowGraph) -> dict[str, dict[_Way, str]]:
    """Return where the ways out of each step lead; twins are numbered."""
    found: dict[str, dict[_Way, str]] = {}
    for way in graph.transitions:
        own = found.setdefault(way.source, {})
        kind = (way.branch, way.outcome, way.priority, repr(way.condition))
        twins = sum(1 for other in own if other[:-1] == kind)
        own[*kind, twins] = way.target
    return found
