"""Templates and segments that a graph or a segment refers to, found and replaced."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Literal, TypeGuard

Json = dict[str, Any]
Kind = Literal["template", "segment"]
Rename = Callable[[Kind, Json], Any]
Change = Callable[[Json], Json]
LISTS = ("triggers", "stops", "goals")
TREES = ("where", "condition")


def references(declared: Mapping[str, Any]) -> list[tuple[Kind, Json]]:
    """Return every reference in a workflow or segment, as {"name": …} or {"id": …}."""
    found: list[tuple[Kind, Json]] = []

    def note(kind: Kind, reference: Json) -> Json:
        found.append((kind, reference))
        return reference

    renamed(declared, note)
    return found


def renamed(declared: Mapping[str, Any], rename: Rename) -> Json:
    """Return a workflow or segment by name with every reference replaced."""
    changed = dict(declared)
    for key in LISTS:
        if declared.get(key):
            changed[key] = [_watch(item, rename) for item in declared[key]]
    if "steps" in declared:
        changed["steps"] = [
            {**step, "config": config_renamed(step["type"], step["config"], rename)}
            for step in declared["steps"]
        ]
    if declared.get("condition") is not None:
        changed["condition"] = map_filters(declared["condition"], _renamed_filter(rename))
    return changed


def config_renamed(type_: str, config: Json, rename: Rename) -> Json:
    """Return a step's configuration with every reference replaced."""
    change = _renamed_filter(rename)
    match type_:
        case "SEND_EMAIL" if is_reference(config.get("template")):
            return {**config, "template": rename("template", config["template"])}
        case "SEGMENT" if is_reference(config.get("segment")):
            return {**config, "segment": rename("segment", config["segment"])}
    return map_config(type_, config, change)


def map_config(type_: str, config: Json, change: Change) -> Json:
    """Return a step's configuration with the filters of its conditions changed."""
    if type_ not in {"WAIT_FOR_EVENT", "CONDITION"}:
        return config
    trees = {key: map_filters(config[key], change) for key in TREES if config.get(key) is not None}
    if type_ == "CONDITION" and "field" in config:
        return {**change(_nested(config, change)), **trees}
    return {**config, **trees}


def map_filters(tree: Any, change: Change) -> Any:  # noqa: ANN401 - JSON
    """Return a condition tree with each of its filters changed, the inner ones first."""
    match tree:
        case {"not": part}:
            return {**tree, "not": map_filters(part, change)}
        case {"groups": [*groups]}:
            return {**tree, "groups": [_group(group, change) for group in groups]}
    return tree


def _group(group: Any, change: Change) -> Any:  # noqa: ANN401 - JSON
    if not isinstance(group, dict):
        return group
    changed = dict(group)
    if isinstance(group.get("filters"), list):
        changed["filters"] = [
            change(_nested(one, change)) if isinstance(one, dict) else one
            for one in group["filters"]
        ]
    if group.get("conditions") is not None:
        changed["conditions"] = map_filters(group["conditions"], change)
    return changed


def _nested(found: Json, change: Change) -> Json:
    """Return a filter whose own condition on events is changed."""
    match found:
        case {"field": {"$count": {"where": where, **asked}}} if where is not None:
            inner = {**asked, "where": map_filters(where, change)}
            return {**found, "field": {"$count": inner}}
        case {"where": where} if where is not None:
            return {**found, "where": map_filters(where, change)}
    return found


def _watch(item: Json, rename: Rename) -> Json:
    changed = dict(item)
    if is_reference(item.get("segment")):
        changed["segment"] = rename("segment", item["segment"])
    for key in TREES:
        if item.get(key) is not None:
            changed[key] = map_filters(item[key], _renamed_filter(rename))
    return changed


def _renamed_filter(rename: Rename) -> Change:
    def change(found: Json) -> Json:
        match found:
            case {"field": {"$segment": segment, **others}} if not others:
                if is_reference(segment):
                    return {**found, "field": {"$segment": rename("segment", segment)}}
            case {"operator": str(), "template": template} if is_reference(template):
                return {**found, "template": rename("template", template)}
        return found

    return change


def is_reference(value: object) -> TypeGuard[Json]:
    """Tell whether this is {"name": …} or {"id": …}."""
    match value:
        case {"name": str(), **others} | {"id": str(), **others}:
            return not others
    return False
