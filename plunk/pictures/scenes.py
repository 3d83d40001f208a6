"""What every picture of a workflow shows: boxes with words, and arrows between them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

DECISIONS = frozenset({"CONDITION", "SPLIT"})
PAUSES = frozenset({"DELAY", "WAIT_FOR_EVENT"})
ENDS = frozenset({"EXIT"})
OUTCOMES = {"EVENT": "event", "TIMEOUT": "time-out"}


@dataclass(frozen=True, slots=True)
class Box:
    """One step; `kind` is trigger, decision, pause, end or action."""

    words: str
    type: str
    kind: str


@dataclass(frozen=True, slots=True)
class Arrow:
    """A way from one box to another, by their places; `words` say when it is taken."""

    source: int
    target: int
    words: str = ""


@dataclass(frozen=True, slots=True)
class Scene:
    """One workflow."""

    title: str
    boxes: Sequence[Box]
    arrows: Sequence[Arrow]


def scene(workflow: Mapping[str, Any]) -> Scene:
    """Return what is to be drawn of a graph by name."""
    steps = workflow["steps"]
    places = {step["key"]: place for place, step in enumerate(steps)}
    names = {step["key"]: _branch_names(step["config"]) for step in steps}
    arrows: dict[tuple[int, int], list[str]] = {}
    for way in workflow["transitions"]:
        ends = places[way["from"]], places[way["to"]]
        arrows.setdefault(ends, []).append(_words(way, names[way["from"]]))
    return Scene(
        workflow["name"],
        [_box(step, workflow) for step in steps],
        [
            Arrow(source, target, " · ".join(word for word in words if word))
            for (source, target), words in arrows.items()
        ],
    )


def _box(step: Mapping[str, Any], workflow: Mapping[str, Any]) -> Box:
    kind = step["type"]
    if kind == "TRIGGER":
        return Box(" · ".join(map(_start, workflow["triggers"])) or "never starts", kind, "trigger")
    for group, name in ((DECISIONS, "decision"), (PAUSES, "pause"), (ENDS, "end")):
        if kind in group:
            return Box(step["name"], kind, name)
    return Box(step["name"], kind, "action")


def _start(trigger: Mapping[str, Any]) -> str:
    match trigger:
        case {"type": "event", "eventName": name, "where": where}:
            return f"on {name}" + (" where …" if where else "")
        case {"type": "segment", "segment": segment, "when": when}:
            return f"on {when} of {_named(segment)}"
        case {"type": "schedule", "cron": cron}:
            return f"on schedule {cron}"
        case {"type": "date"}:
            return "on date"
    return "started by hand"


def _named(reference: Mapping[str, str]) -> str:
    return reference.get("name") or reference.get("id") or "?"


def _branch_names(config: Mapping[str, Any]) -> Mapping[str, str]:
    """Return what the branches of a step are called."""
    branches = config.get("branches")
    listed = branches if isinstance(branches, list) else []
    return {one["id"]: one["name"] for one in listed if {"id", "name"} <= one.keys()}


def _words(way: Mapping[str, Any], names: Mapping[str, str]) -> str:
    condition = way.get("condition") or {}
    if outcome := way.get("waitOutcome"):
        return OUTCOMES[str(outcome)]
    branch: object = condition.get("branch", "")
    if branch == "default":
        return "else"
    return str(names.get(branch, branch)) if isinstance(branch, str) else ""
