"""A workflow as plain data: headers, steps by key, and the ways between them.

The same shape holds what a text says and what is stored, so that the two can be compared. Things
outside the workflow are referred to by {"name": …} or {"id": …}; how they are stored is none of its
business.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from plunk.engine.core.edges import EVENT_BRANCHES, TIMEOUT_BRANCHES

Json = dict[str, Any]
TRIGGER = "trigger"
REST = "default"
EVENT, TIMEOUT = "EVENT", "TIMEOUT"
HEADERS = (
    "description",
    "enabled",
    "reentry",
    "triggers",
    "stops",
    "goals",
    "timezone",
    "quietHours",
)


@dataclass(frozen=True, slots=True)
class FlowStep:
    """One step; its key is its identity within the graph."""

    key: str
    type: str
    name: str
    config: Json
    label: str | None = None
    position: Any = None


@dataclass(frozen=True, slots=True)
class Way:
    """A way out of a step; an empty condition and outcome are those of every plain way."""

    target: str
    condition: Json | None = None
    outcome: str | None = None
    priority: int = 0

    @property
    def branch(self) -> str | None:
        """The branch this way belongs to, if that is all its condition says."""
        match self.condition:
            case {"branch": str(branch), **others} if not others:
                return branch
        return None

    @property
    def has_other_condition(self) -> bool:
        """Whether its condition says more than a branch."""
        return self.condition is not None and self.branch is None


@dataclass(frozen=True, slots=True)
class FlowGraph:
    """One workflow."""

    name: str
    headers: Mapping[str, Any]
    steps: Mapping[str, FlowStep]
    ways: Mapping[str, Sequence[Way]]

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> FlowGraph:
        """Read the form in which the language compiles a workflow."""
        steps = {step["key"]: _step(step) for step in data["steps"]}
        ways: dict[str, list[Way]] = {key: [] for key in steps}
        for edge in data["transitions"]:
            ways[edge["from"]].append(_way(edge))
        headers = {name: data.get(name) for name in HEADERS}
        return cls(data["name"], headers, steps, {key: _sorted(out) for key, out in ways.items()})

    def to_json(self) -> Json:
        """Return the form that the language decompiles."""
        return {
            "name": self.name,
            **self.headers,
            "steps": [_step_json(step) for step in self.steps.values()],
            "transitions": [_way_json(key, way) for key, out in self.ways.items() for way in out],
        }

    def normal(self) -> FlowGraph:
        """Return the same graph with the priorities that the language gives to its ways."""
        return replace(
            self, ways={key: normal(self.steps[key], out) for key, out in self.ways.items()}
        )

    def reading_order(self) -> list[str]:
        """Return the keys from the trigger on, each branch to its end before the next one."""
        order: dict[str, None] = {}
        stack = list(reversed([TRIGGER, *self.steps]))
        while stack:
            here = stack.pop()
            if here not in order and here in self.steps:
                order[here] = None
                stack.extend(way.target for way in reversed(self.ways[here]))
        return list(order)


def normal(step: FlowStep, ways: Iterable[Way]) -> list[Way]:
    """Return ways out of a step in the order of its branches, where nothing but that matters.

    Ways that overlap, or belong to no branch of the step, are left as they are.
    """
    listed = list(ways)
    if step.type == "WAIT_FOR_EVENT":
        listed = _outcomes(step, listed)
    order = _natural(step)
    kinds = [(way.branch, way.outcome) for way in listed]
    is_regular = len(set(kinds)) == len(kinds) and set(kinds) <= set(order)
    if not is_regular or any(way.has_other_condition for way in listed):
        return _sorted(listed)
    return _sorted(
        replace(way, priority=order.index(kind)) for way, kind in zip(listed, kinds, strict=True)
    )


def _natural(step: FlowStep) -> list[tuple[str | None, str | None]]:  # noqa: PLR0911 - a table
    """Return the ways out that a step has by its nature, as (branch, outcome)."""
    match step.type, step.config:
        case "EXIT", _:
            return []
        case "CONDITION", {"mode": "multi", "branches": [*branches]}:
            return [(name, None) for name in (*_ids(branches), REST)]
        case "CONDITION", _:
            return [("yes", None), ("no", None)]
        case "SPLIT", {"branches": [*branches]}:
            return [(name, None) for name in (*_ids(branches), REST)]
        case "WAIT_FOR_EVENT", {"timeout": limit} if limit is not None:
            return [(None, EVENT), (None, TIMEOUT)]
        case "WAIT_FOR_EVENT", _:
            return [(None, EVENT)]
    return [(None, None)]


def _ids(branches: Iterable[object]) -> list[str]:
    """Return what the ways are called; several branches of one name are one way."""
    found = (one.get("id") for one in branches if isinstance(one, dict))
    return list(dict.fromkeys(name for name in found if isinstance(name, str)))


def _outcomes(step: FlowStep, ways: list[Way]) -> list[Way]:
    """Return a wait's ways by outcome; a plain way stands for each that has none of its own."""
    named = {_outcome(way): way for way in ways}
    plain = named.get(None)
    wanted = [outcome for _, outcome in _natural(step)]
    is_odd = plain is not None and plain.condition is not None
    if len(named) < len(ways) or is_odd or not named.keys() <= {None, *wanted}:
        return ways
    found = ((outcome, named.get(outcome, plain)) for outcome in wanted)
    return [Way(way.target, outcome=outcome) for outcome, way in found if way is not None]


def _outcome(way: Way) -> str | None:
    """Return what a way out of a wait is for; the engine reads some branches as outcomes."""
    if way.outcome is not None:
        return way.outcome
    if way.branch in EVENT_BRANCHES:
        return EVENT
    return TIMEOUT if way.branch in TIMEOUT_BRANCHES else None


def _sorted(ways: Iterable[Way]) -> list[Way]:
    return sorted(ways, key=lambda way: way.priority)


def _step(data: Mapping[str, Any]) -> FlowStep:
    return FlowStep(
        key=data["key"],
        type=data["type"],
        name=data["name"],
        config=data["config"],
        label=data.get("label"),
        position=data.get("position"),
    )


def _way(data: Mapping[str, Any]) -> Way:
    return Way(data["to"], data["condition"], data["waitOutcome"], data["priority"])


def _step_json(step: FlowStep) -> Json:
    return {
        "key": step.key,
        "label": step.label,
        "type": step.type,
        "name": step.name,
        "position": step.position,
        "config": step.config,
    }


def _way_json(source: str, way: Way) -> Json:
    return {
        "from": source,
        "to": way.target,
        "condition": way.condition,
        "priority": way.priority,
        "waitOutcome": way.outcome,
    }
