"""What a `.flow` text wants a workflow to be: its graph by name, ready to be stored."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

MAX_DESCRIPTION, MAX_STEP_NAME, MAX_EVENT_NAME = 500, 100, 255
MAX_CONFIG_BYTES = 64 * 1024
MAX_STEPS = 1_000

ByName = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class PlannedStep:
    """A step as the text has it; `key` is its name within the text."""

    key: str
    type: str
    name: str
    label: str | None
    position: Any
    config: dict[str, Any]
    template_id: str | None


@dataclass(frozen=True, slots=True)
class PlannedEdge:
    """An edge between two steps, by their keys."""

    source: str
    target: str
    condition: dict[str, Any] | None
    priority: int
    wait_outcome: str | None


@dataclass(frozen=True, slots=True)
class Plan:
    """A workflow as the text has it."""

    name: str
    description: str | None
    enabled: bool
    allow_reentry: bool
    reentry_seconds: int | None
    trigger_type: str
    trigger_config: dict[str, Any] | None
    steps: Sequence[PlannedStep]
    edges: Sequence[PlannedEdge]


def plan_of(workflow: ByName, template_ids: Mapping[str, str]) -> Plan:
    """Return the plan of a compiled workflow; every template it names is among the ids."""
    again = workflow["reentry"]
    events = [one for one in workflow["triggers"] if one["type"] == "event"]
    return Plan(
        name=workflow["name"],
        description=workflow["description"],
        enabled=workflow["enabled"],
        allow_reentry=again != "never",
        reentry_seconds=max(1, round(again["after"])) if isinstance(again, dict) else None,
        trigger_type="EVENT" if events else "MANUAL",
        trigger_config=_trigger_config(events, workflow["triggers"]),
        steps=[_step(step, template_ids) for step in workflow["steps"]],
        edges=[_edge(edge) for edge in workflow["transitions"]],
    )


def templates_named(workflow: ByName) -> set[str]:
    """Return the names of the templates that a compiled workflow sends."""
    return {found["name"] for found in _references(workflow) if "name" in found}


def templates_by_id(workflow: ByName) -> set[str]:
    """Return the ids of the templates that a compiled workflow sends."""
    return {found["id"] for found in _references(workflow) if "id" in found}


def excesses(workflow: ByName) -> Iterator[str]:
    """Say what in a compiled workflow is longer than can be stored."""
    if len(workflow["description"] or "") > MAX_DESCRIPTION:
        yield f"the description is longer than {MAX_DESCRIPTION} characters"
    if len(workflow["steps"]) > MAX_STEPS:
        yield f"the workflow has more than {MAX_STEPS} steps"
    for trigger in workflow["triggers"]:
        if len(trigger.get("eventName", "")) > MAX_EVENT_NAME:
            yield f"the name of an event is longer than {MAX_EVENT_NAME} characters"
    for step in workflow["steps"]:
        if len(step["name"]) > MAX_STEP_NAME or len(step["label"] or "") > MAX_STEP_NAME:
            yield f"the name of step {step['name'][:20]!r} has more than {MAX_STEP_NAME} characters"
        if len(json.dumps(step["config"])) > MAX_CONFIG_BYTES:
            yield f"the step {step['name'][:20]!r} takes more than {MAX_CONFIG_BYTES} bytes"


def _references(workflow: ByName) -> Iterator[Mapping[str, str]]:
    for step in workflow["steps"]:
        if step["type"] == "SEND_EMAIL":
            yield step["config"]["template"]


def _trigger_config(events: Sequence[ByName], triggers: Sequence[ByName]) -> dict[str, Any] | None:
    if not events:
        return None
    config: dict[str, Any] = {"eventName": events[0]["eventName"]}
    if len(triggers) == 1 and events[0]["where"] is None:
        return config
    return {**config, "triggers": [dict(trigger) for trigger in triggers]}


def _step(step: ByName, template_ids: Mapping[str, str]) -> PlannedStep:
    config, template_id = dict(step["config"]), None
    if step["type"] == "SEND_EMAIL":
        reference = config.pop("template")
        template_id = reference.get("id") or template_ids[reference["name"]]
        config["templateId"] = template_id
    return PlannedStep(
        key=step["key"],
        type=step["type"],
        name=step["name"],
        label=step["label"],
        position=step["position"],
        config=config,
        template_id=template_id,
    )


def _edge(edge: ByName) -> PlannedEdge:
    return PlannedEdge(
        edge["from"], edge["to"], edge["condition"], edge["priority"], edge["waitOutcome"]
    )
