"""A stored workflow by name, as the `.flow` language sees it: the way back from ids to words."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from plunk.errors import Conflict
from plunk.models import Step, Transition, Workflow
from plunk.services.workflow_graph import Drawing

PRESENCE = {"exists", "notExists"}
LATE, BRANCHES = {"no"}, {"yes", "no"}
OPTIONAL = {
    "WEBHOOK": ("body", "headers"),
    "EXIT": ("reason",),
    "WAIT_FOR_EVENT": ("timeout", "where"),
}


def by_name(drawing: Drawing, template_names: Mapping[str, str]) -> dict[str, Any]:
    """Return the graph by name; templates without a name of their own are left by id."""
    workflow = drawing.workflow
    keys = {step.id: _key(step) for step in drawing.steps}
    return {
        "name": workflow.name,
        "description": workflow.description,
        "enabled": workflow.enabled,
        "allowReentry": workflow.allow_reentry,
        "reentry": _reentry(workflow),
        "triggers": _triggers(workflow),
        "steps": [_step(step, keys[step.id], template_names) for step in drawing.steps],
        "transitions": [
            way for step in drawing.steps for way in _ways(step, drawing.ways_out(step.id), keys)
        ],
    }


def made_key(step: Step) -> str:
    """Return a key for a step that nobody labelled."""
    return f"s{step.id.replace('-', '')}"


def _key(step: Step) -> str:
    return "trigger" if step.type == "TRIGGER" else step.label or made_key(step)


def _reentry(workflow: Workflow) -> str | dict[str, int]:
    if workflow.allow_reentry and workflow.reentry_seconds is not None:
        return {"after": workflow.reentry_seconds}
    return "always" if workflow.allow_reentry else "never"


def _triggers(workflow: Workflow) -> list[dict[str, Any]]:
    config = workflow.trigger_config or {}
    if workflow.trigger_type != "EVENT":
        return [{"type": "manual"}] if workflow.trigger_type == "MANUAL" else []
    if "triggers" in config:
        return [{"where": None, **one} for one in config["triggers"]]
    name = config.get("eventName")
    return [{"type": "event", "eventName": name, "where": None}] if name else []


def _step(step: Step, key: str, template_names: Mapping[str, str]) -> dict[str, Any]:
    return {
        "key": key,
        "label": step.label,
        "type": step.type,
        "name": step.name,
        "position": None,
        "config": _config(step, template_names),
    }


def _config(step: Step, template_names: Mapping[str, str]) -> dict[str, Any]:
    """Return the configuration in the one spelling that the language has for it."""
    config = dict(step.config)
    match step.type:
        case "SEND_EMAIL":
            return _email(config, step.template_id, template_names)
        case "WEBHOOK":
            config["method"] = config.get("method") or "POST"
        case "UPDATE_CONTACT":
            return _update(config)
        case "CONDITION" if "mode" not in config:
            return _comparison(config)
    return _without_empty(config, OPTIONAL.get(step.type, ()))


def _email(
    config: dict[str, Any], template_id: str | None, template_names: Mapping[str, str]
) -> dict[str, Any]:
    config.pop("templateId", None)
    if config.get("recipient") == {"type": "CONTACT"}:
        del config["recipient"]
    if template_id is None:
        return config
    name = template_names.get(template_id)
    return {"template": {"name": name} if name else {"id": template_id}, **config}


def _update(config: dict[str, Any]) -> dict[str, Any]:
    updates = config.pop("updates", None) or config.pop("data", None)
    config.pop("data", None)
    if config.get("subscriptionAction") in (None, "none"):
        config.pop("subscriptionAction", None)
    return {"updates": updates, **config} if updates else config


def _comparison(config: dict[str, Any]) -> dict[str, Any]:
    field = config.get("field")
    if isinstance(field, str) and field.startswith("data."):
        config["field"] = f"contact.{field}"
    if config.get("operator") in PRESENCE:
        config.pop("value", None)
    return config


def _without_empty(config: dict[str, Any], keys: Collection[str]) -> dict[str, Any]:
    return {key: value for key, value in config.items() if value or key not in keys}


def _ways(step: Step, edges: Sequence[Transition], keys: Mapping[str, str]) -> list[dict[str, Any]]:
    """Return the edges out of a step, with the priorities that the language would give them."""
    if step.type == "WAIT_FOR_EVENT":
        return _waits(step, edges, keys)
    branches = [_branch(edge) for edge in edges]
    are_distinct = set(branches) <= BRANCHES and len(set(branches)) == len(branches)
    return [
        _way(
            edge,
            keys,
            priority=int(branch in LATE) if are_distinct else edge.priority,
            condition=edge.condition,
        )
        for edge, branch in zip(edges, branches, strict=True)
    ]


def _branch(edge: Transition) -> str | None:
    condition = edge.condition
    if condition is None:
        return None
    if condition.keys() == {"branch"} and isinstance(condition["branch"], str):
        return condition["branch"]
    raise Conflict("The workflow has an edge with a condition that .flow has no words for.")


def _waits(
    step: Step, edges: Sequence[Transition], keys: Mapping[str, str]
) -> list[dict[str, Any]]:
    """Return both ways out of a wait; a plain edge stands for each that has no edge of its own."""
    named = {edge.wait_outcome: edge for edge in edges}
    plain = named.get(None)
    outcomes = ["EVENT", "TIMEOUT"] if step.config.get("timeout") else ["EVENT"]
    if len(named) < len(edges) or (plain is not None and plain.condition is not None):
        raise Conflict("The workflow has a wait with edges that .flow has no words for.")
    return [
        _way(edge, keys, priority=int(outcome == "TIMEOUT"), outcome=outcome)
        for outcome in outcomes
        if (edge := named.get(outcome, plain)) is not None
    ]


def _way(
    edge: Transition,
    keys: Mapping[str, str],
    *,
    priority: int,
    condition: Mapping[str, Any] | None = None,
    outcome: str | None = None,
) -> dict[str, Any]:
    return {
        "from": keys[edge.from_step_id],
        "to": keys[edge.to_step_id],
        "condition": condition,
        "priority": priority,
        "waitOutcome": outcome,
    }
