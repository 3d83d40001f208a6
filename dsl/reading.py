"""JSON of conditions → nodes, the reverse of conditions.py."""

from __future__ import annotations

import json
from typing import Any

from dsl import nodes
from dsl.building.conditions import OPERATORS, PRESENCE
from dsl.conditions import ACTIVITIES, SEGMENT, WORKFLOW, Place
from dsl.durations import is_unit
from dsl.expressions_reading import Unreadable, expression_node, is_root, value_node
from dsl.values import COMPUTED, is_word

__all__ = ["Unreadable", "condition_node", "leaf_node", "reference_node", "subject_node"]
_FIELDS = frozenset({"id", "email", "subscribed", "createdAt", "updatedAt"})
_WORDS = {wire: word for word, wire in ACTIVITIES.items()}
_HAPPENED = {
    "triggered": (False, None),
    "triggeredWithin": (False, False),
    "triggeredOlderThan": (False, True),
    "notTriggered": (True, None),
    "notTriggeredWithin": (True, False),
}
_FILTER_KEYS = frozenset({"field", "operator", "value", "unit", "where", "template"})


def condition_node(tree: Any, place: Place = WORKFLOW) -> nodes.Condition:  # noqa: ANN401 - JSON
    """Return a condition from its tree."""
    match tree:
        case {"not": part, **others} if not others:
            return nodes.Not(condition_node(part, place))
        case {"logic": "AND", "groups": [*groups]}:
            return _all([part for group in groups for part in _group(group, place)])
        case {"logic": "OR", "groups": [*groups]}:
            return _any([_all(_group(group, place)) for group in groups])
    raise Unreadable("it has a condition that is no tree of groups")


def leaf_node(data: Any, place: Place = WORKFLOW) -> nodes.Condition:  # noqa: ANN401 - JSON
    """One filter; what has no words of its own is kept as JSON."""
    try:
        found = _filter(data, place)
    except Unreadable:
        found = None
    if found is None:
        return nodes.RawCondition(nodes.Text(json.dumps(data, ensure_ascii=False)))
    return found


def reference_node(data: Any) -> nodes.Reference:  # noqa: ANN401 - JSON
    """Return a template or segment by name or id."""
    match data:
        case {"name": str(name), **others} if not others:
            return nodes.Reference(name)
        case {"id": str(identifier), **others} if not others:
            return nodes.Reference(identifier, is_id=True)
    raise Unreadable("it refers to something by neither name nor id")


def _filter(  # noqa: C901, PLR0911 - a table
    data: Any,  # noqa: ANN401 - JSON
    place: Place,
) -> nodes.Condition | None:
    if not isinstance(data, dict) or set(data) - _FILTER_KEYS:
        return None
    match data:
        case {"operator": str(operator)} if operator in _HAPPENED:
            return _history(data, operator)
        case {"field": {"$segment": segment}, "operator": str(operator)}:
            return _member(segment, operator)
        case {"where": _} | {"template": _}:
            return None
        case {"field": {"$count": asked}, "operator": str(operator), "value": value}:
            return _counted(asked, operator, value)
        case {"operator": "within" | "olderThan" as operator, "field": field}:
            return nodes.Test(subject_node(field, place), operator, _length(data))
        case {"unit": _}:
            return None
        case {"field": field, "operator": "equals", "value": True} if data["value"] is True:
            return nodes.Bare(subject_node(field, place))
        case {"field": field, "operator": str(operator), "value": value}:
            if operator in OPERATORS.values():
                return nodes.Test(subject_node(field, place), operator, value_node(value))
        case {"field": field, "operator": str(operator)}:
            if operator in PRESENCE.values():
                return nodes.Test(subject_node(field, place), operator)
    return None


def _history(data: dict[str, Any], operator: str) -> nodes.Condition | None:
    is_negated, is_older = _HAPPENED[operator]
    window = None if is_older is None else nodes.Window(_length(data), is_older)
    if window is None and ("value" in data or "unit" in data):
        return None
    found = _happened(data, window)
    return nodes.Not(found) if found and is_negated else found


def _happened(data: dict[str, Any], window: nodes.Window | None) -> nodes.Condition | None:
    match data:
        case {"field": str(field), "template": template} if field.startswith("email."):
            return _mailed(field, reference_node(template), window)
        case {"field": str(field)} if field.startswith("email.") and "where" not in data:
            return _mailed(field, None, window)
        case {"field": str(field)} if field.startswith("event.") and "template" not in data:
            where = condition_node(data["where"]) if "where" in data else None
            return nodes.Triggered(nodes.Text(field.removeprefix("event.")), where, window)
    return None


def _mailed(
    field: str, template: nodes.Reference | None, window: nodes.Window | None
) -> nodes.Mailed | None:
    word = _WORDS.get(field.removeprefix("email."))
    return nodes.Mailed(word, template, window) if word else None


def _member(segment: Any, operator: str) -> nodes.Member | None:  # noqa: ANN401 - JSON
    if operator not in {"memberOfSegment", "notMemberOfSegment"}:
        return None
    return nodes.Member(nodes.Name("contact"), reference_node(segment), operator.startswith("not"))


def _counted(asked: Any, operator: str, value: Any) -> nodes.Counted | None:  # noqa: ANN401 - JSON
    match asked:
        case {"event": str(event)} if set(asked) <= {"event", "where", "within"}:
            where = condition_node(asked["where"]) if "where" in asked else None
            window = nodes.Window(_length(asked["within"])) if "within" in asked else None
        case _:
            return None
    if operator not in OPERATORS.values():
        return None
    return nodes.Counted(nodes.Text(event), where, window, operator, value_node(value))


def _length(data: Any) -> nodes.Duration:  # noqa: ANN401 - JSON
    match data:
        case {"value": int() | float() as amount, "unit": str(unit)}:
            if is_unit(unit) and not isinstance(amount, bool) and amount >= 0:
                return nodes.Duration(amount, unit.removesuffix("s") if amount == 1 else unit)
    raise Unreadable("it looks back over no length of time")


def _group(group: Any, place: Place) -> list[nodes.Condition]:  # noqa: ANN401 - JSON
    if not isinstance(group, dict) or set(group) - {"filters", "conditions"}:
        raise Unreadable("it has a group with unknown keys")
    parts = [leaf_node(data, place) for data in group.get("filters", ())]
    nested = group.get("conditions")
    return parts if nested is None else [*parts, condition_node(nested, place)]


def _all(parts: list[nodes.Condition]) -> nodes.Condition:
    flat: list[nodes.Condition] = []
    for part in parts:
        flat += part.parts if isinstance(part, nodes.AllOf) else (part,)
    return _joined(flat, nodes.AllOf)


def _any(parts: list[nodes.Condition]) -> nodes.Condition:
    flat: list[nodes.Condition] = []
    for part in parts:
        flat += part.parts if isinstance(part, nodes.AnyOf) else (part,)
    return _joined(flat, nodes.AnyOf)


def _joined(parts: list[nodes.Condition], kind: type[nodes.AllOf | nodes.AnyOf]) -> nodes.Condition:
    if not parts:
        raise Unreadable("it has an empty group of conditions")
    return parts[0] if len(parts) == 1 else kind(tuple(parts))


def subject_node(field: Any, place: Place = WORKFLOW) -> nodes.Operand:  # noqa: ANN401 - JSON
    """Return the value that a field names."""
    match field:
        case str():
            root, *path = field.split(".")
            if place == SEGMENT and root in _FIELDS and not path:
                return nodes.Name("contact", (root,))
            if is_root(root, path) and all(is_word(key) for key in path):
                return nodes.Name(root, tuple(path))
        case {**only} if set(only) == {COMPUTED}:
            return expression_node(field[COMPUTED])
    raise Unreadable(f"it compares {field!r}, which is no path of words")
