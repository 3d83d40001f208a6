"""A stored workflow or segment, put into the words of the language; everything else by id."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import Any

from plunk.models import Segment, Step, Transition, Workflow
from plunk.services import workflow_text
from plunk.services.flow_graphs import TRIGGER, FlowGraph, FlowStep, Json, Way
from plunk.services.flow_references import map_config, map_filters
from plunk.services.workflow_graph import Drawing

PRESENCE = {"exists", "notExists", "isEmpty", "isNotEmpty"}
MEMBERSHIP = {"memberOfSegment", "notMemberOfSegment"}
HISTORY = {
    "triggered",
    "notTriggered",
    "triggeredWithin",
    "triggeredOlderThan",
    "notTriggeredWithin",
}
OPTIONAL = {
    "WEBHOOK": ("body", "headers"),
    "EXIT": ("reason",),
    "WAIT_FOR_EVENT": ("timeout", "where"),
}
SEGMENT_PREFIX = "segment."


def graph_of(drawing: Drawing) -> FlowGraph:
    """Return a stored graph by id, in its one spelling; the keys are the ids of the steps."""
    triggers = triggers_of(drawing.workflow)
    keys = {step.id: TRIGGER if step.type == "TRIGGER" else step.id for step in drawing.steps}
    steps = {keys[step.id]: _step(step, keys[step.id], triggers) for step in drawing.steps}
    return workflow_text.canonical(
        FlowGraph(
            name=drawing.workflow.name,
            headers=headers_of(drawing.workflow),
            steps=steps,
            ways={
                keys[step.id]: [_way(edge, keys) for edge in drawing.ways_out(step.id)]
                for step in drawing.steps
            },
        ).normal()
    )


def segment_of(segment: Segment) -> Json:
    """Return a stored segment by id, in its one spelling."""
    return workflow_text.canonical_segment(
        {
            "name": segment.name,
            "description": segment.description,
            "type": segment.type,
            "condition": map_filters(segment.condition, by_reference),
            "trackMembership": segment.track_membership,
        }
    )


def headers_of(workflow: Workflow) -> Json:
    """Return all that is said about the workflow as a whole."""
    stored = workflow.headers or {}
    return {
        "description": workflow.description,
        "enabled": workflow.enabled,
        "reentry": _reentry(workflow),
        "triggers": triggers_of(workflow),
        "stops": [_watch(one) for one in stored.get("stops") or ()],
        "goals": [
            {"name": one["name"], **_watch(one), "exit": one.get("exit") is True}
            for one in stored.get("goals") or ()
        ],
        "timezone": _timezone(stored.get("timezone")),
        "quietHours": stored.get("quietHours"),
    }


def triggers_of(workflow: Workflow) -> list[Json]:
    """Return what starts a workflow; by hand where nothing else does."""
    config = workflow.trigger_config or {}
    name = config.get("eventName") if workflow.trigger_type == "EVENT" else None
    items = config.get("triggers") or ([{"type": "event", "eventName": name}] if name else [])
    if workflow.trigger_type == "MANUAL":
        items = []
    return [_trigger(item) for item in items] or [{"type": "manual"}]


def by_reference(found: Json) -> Json:
    """Return a filter that names a segment as the language does."""
    match found:
        case {"field": str(field), "operator": str(operator)} if operator in MEMBERSHIP:
            if field.startswith(SEGMENT_PREFIX):
                segment = {"id": field.removeprefix(SEGMENT_PREFIX)}
                return {**found, "field": {"$segment": segment}}
    return found


def _trigger(item: Mapping[str, Any]) -> Json:
    match item["type"]:
        case "event":
            name = item["eventName"]
            return {"type": "event", "eventName": name, "where": _tree(item.get("where"))}
        case "segment":
            when = item.get("when") or "entry"
            return {"type": "segment", "segment": item["segment"], "when": when}
        case "schedule":
            zone = item.get("timezone")
            return {
                "type": "schedule",
                "cron": item["cron"],
                "timezone": zone,
                "segment": item["segment"],
            }
        case "date":
            return _date(item)
    return {"type": "manual"}


def _date(item: Mapping[str, Any]) -> Json:
    field = item["field"]
    if isinstance(field, str):
        path = field.removeprefix("contact.").split(".")
        field = {"$expr": ["get", "contact", *path]}
    return {
        "type": "date",
        "field": field,
        "offset": item.get("offset"),
        "everyYear": item.get("everyYear") is True,
        "at": item.get("at"),
    }


def _watch(item: Mapping[str, Any]) -> Json:
    if item.get("condition") is not None:
        return {"condition": _tree(item["condition"])}
    return {"eventName": item.get("eventName"), "where": _tree(item.get("where"))}


def _tree(tree: object) -> Any:  # noqa: ANN401 - JSON
    return map_filters(tree, by_reference)


def _timezone(stored: Mapping[str, Any] | None) -> Json | None:
    if not stored or not (stored.get("field") or stored.get("default")):
        return None
    return {"field": stored.get("field"), "default": stored.get("default") or "UTC"}


def _reentry(workflow: Workflow) -> str | dict[str, int]:
    if workflow.allow_reentry and workflow.reentry_seconds is not None:
        return {"after": workflow.reentry_seconds}
    return "always" if workflow.allow_reentry else "never"


def _step(step: Step, key: str, triggers: list[Json]) -> FlowStep:
    if step.type == "TRIGGER":
        return workflow_text.trigger_step(triggers)
    return FlowStep(key, step.type, step.name, config_of(step), step.label)


def config_of(step: Step) -> Json:
    """Return a configuration in the one spelling that the language has for it."""
    config = map_config(step.type, dict(step.config), by_reference)
    match step.type:
        case "SEND_EMAIL":
            return _email(config, step.template_id)
        case "WEBHOOK":
            config["method"] = config.get("method") or "POST"
        case "UPDATE_CONTACT":
            return _update(config)
        case "CONDITION" if "mode" not in config:
            return _comparison(config)
        case "SEGMENT" if isinstance(config.get("segmentId"), str):
            segment = config.pop("segmentId")
            return {**config, "segment": {"id": segment}}
    return _without_empty(config, OPTIONAL.get(step.type, ()))


def _email(config: Json, template_id: str | None) -> Json:
    config.pop("templateId", None)
    if config.get("recipient") == {"type": "CONTACT"}:
        del config["recipient"]
    return config if template_id is None else {"template": {"id": template_id}, **config}


def _update(config: Json) -> Json:
    updates = config.pop("updates", None) or config.pop("data", None)
    config.pop("data", None)
    if config.get("subscriptionAction") in (None, "none"):
        config.pop("subscriptionAction", None)
    return {"updates": updates, **config} if updates else config


def _comparison(config: Json) -> Json:
    """Return a comparison as the language would write it: history takes a whole tree."""
    field, operator = config.get("field"), config.get("operator")
    asks_more = isinstance(operator, str) and operator in MEMBERSHIP | HISTORY
    if asks_more or (isinstance(field, dict) and "$count" in field):
        tree = {"logic": "AND", "groups": [{"filters": [config]}]}
        return {"mode": "expression", "condition": tree}
    if isinstance(field, str) and field.startswith("data."):
        config["field"] = f"contact.{field}"
    if isinstance(operator, str) and operator in PRESENCE:
        config.pop("value", None)
    return config


def _without_empty(config: Json, keys: Collection[str]) -> Json:
    return {key: value for key, value in config.items() if value or key not in keys}


def _way(edge: Transition, keys: Mapping[str, str]) -> Way:
    return Way(keys[edge.to_step_id], edge.condition, edge.wait_outcome, edge.priority)


def relabelled(graph: FlowGraph, labels: Mapping[str, str | None]) -> FlowGraph:
    """Return the graph with other labels."""
    steps = {
        key: replace(step, label=labels.get(key, step.label)) for key, step in graph.steps.items()
    }
    return replace(graph, steps=steps)
