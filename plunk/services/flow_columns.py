"""How what a text says about workflows and segments is stored, once everything in it has an id."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from plunk.services.flow_graphs import FlowGraph, FlowStep, Json
from plunk.services.flow_references import map_config, map_filters

WATCHED = ("stops", "goals")
TIMES = ("timezone", "quietHours")
COLUMNS = {
    "description": ("description",),
    "reentry": ("allow_reentry", "reentry_seconds"),
    "triggers": ("trigger_type", "trigger_config"),
    **dict.fromkeys((*WATCHED, *TIMES), ("headers",)),
}


def workflow_columns(graph: FlowGraph) -> Json:
    """Return the columns of a workflow, without those of its steps and edges."""
    again = graph.headers["reentry"]
    return {
        "name": graph.name,
        "description": graph.headers["description"],
        "allow_reentry": again != "never",
        "reentry_seconds": max(1, round(again["after"])) if isinstance(again, dict) else None,
        "trigger_type": _trigger_type(graph.headers["triggers"]),
        "trigger_config": _trigger_config(graph.headers["triggers"]),
        "headers": _headers(graph.headers),
    }


def step_columns(step: FlowStep) -> Json:
    """Return what a step does, as columns."""
    config = map_config(step.type, dict(step.config), by_field)
    template_id: str | None = None
    match step.type, config:
        case "SEND_EMAIL", {"template": {"id": str(given)}}:
            del config["template"]
            config["templateId"] = template_id = given
        case "SEGMENT", {"segment": {"id": str(segment_id)}}:
            del config["segment"]
            config["segmentId"] = segment_id
    return {"name": step.name, "config": config, "template_id": template_id}


def tree_column(tree: object) -> Any:  # noqa: ANN401 - JSON
    """Return a condition as it is stored."""
    return map_filters(tree, by_field)


def by_field(found: Json) -> Json:
    """Return a filter that names a segment by its field."""
    match found:
        case {"field": {"$segment": {"id": str(segment_id), **more}, **others}}:
            if not more and not others:
                return {**found, "field": f"segment.{segment_id}"}
    return found


def _trigger_type(triggers: list[Json]) -> str:
    kinds = {trigger["type"] for trigger in triggers}
    if kinds <= {"manual"}:
        return "MANUAL"
    return "SCHEDULE" if kinds <= {"schedule", "date", "manual"} else "EVENT"


def _trigger_config(triggers: list[Json]) -> Json | None:
    if _trigger_type(triggers) == "MANUAL":
        return None
    names = [trigger["eventName"] for trigger in triggers if trigger["type"] == "event"]
    config = {"eventName": names[0]} if names else {}
    if names and len(triggers) == 1 and triggers[0]["where"] is None:
        return config
    return {**config, "triggers": [_watched(trigger) for trigger in triggers]}


def _headers(headers: Mapping[str, Any]) -> Json | None:
    stored = {
        **{name: [_watched(one) for one in headers[name] or ()] for name in WATCHED},
        **{name: headers[name] for name in TIMES},
    }
    return stored if any(stored.values()) else None


def _watched(item: Json) -> Json:
    trees = {key: tree_column(item[key]) for key in ("where", "condition") if item.get(key)}
    return {**item, **trees}
