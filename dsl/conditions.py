"""Conditions → the JSON filter tree."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Literal, TypeAlias

from dsl import nodes
from dsl.durations import plural
from dsl.values import COMPUTED, expression_json, full_path, is_literal, is_word, value_json

if TYPE_CHECKING:
    from dsl.graph import Json, JsonObject

Place: TypeAlias = Literal["workflow", "segment"]
WORKFLOW: Place = "workflow"
SEGMENT: Place = "segment"
ACTIVITIES = {
    "sent": "sent",
    "received": "delivered",
    "opened": "opened",
    "clicked": "clicked",
    "bounced": "bounced",
    "complained": "complained",
}
_HAPPENED = {None: "triggered", False: "triggeredWithin", True: "triggeredOlderThan"}
_NOT_HAPPENED = {None: "notTriggered", False: "notTriggeredWithin"}


def tree_json(condition: nodes.Condition, place: Place = WORKFLOW) -> JsonObject:
    """Return the tree: groups joined by logic, everything inside a group joined by AND.

    The place decides how a field of the contact is spelt: `email` in segments, where everything
    is about the contact, `contact.email` in workflows.
    """
    return _Trees(place).tree(condition)


def condition_config(condition: nodes.Condition) -> JsonObject:
    """Config of a step that branches: one plain comparison, or a whole tree."""
    if isinstance(condition, nodes.Test | nodes.Bare) and _is_plain(condition):
        return _Trees(WORKFLOW).filter(condition)
    return {"mode": "expression", "condition": tree_json(condition)}


def field_json(subject: nodes.Operand, place: Place = WORKFLOW) -> Json:
    """Dotted path where every key is a word, else an expression."""
    if isinstance(subject, nodes.Name):
        path = full_path(subject)
        if place == SEGMENT and path[0] == "contact" and len(path) > 1:
            path = path[1:]
        if all(is_word(key) for key in path):
            return ".".join(str(key) for key in path)
    return {COMPUTED: expression_json(subject)}


def reference_json(reference: nodes.Reference) -> JsonObject:
    """Return {"name": …} or {"id": …}."""
    return {"id" if reference.is_id else "name": reference.value}


class _Trees:
    """Trees as they are written in one kind of place."""

    def __init__(self, place: Place) -> None:
        self.place = place

    def tree(self, condition: nodes.Condition) -> JsonObject:
        if _is_filter(condition):
            return self._leaf_tree(condition)
        match condition:
            case nodes.Not(part):
                return {"not": self.tree(part)}
            case nodes.AllOf(parts):
                return _tree("AND", self._runs(parts))
            case nodes.AnyOf(parts):
                return _tree("OR", [self._alternative(part) for part in parts])
        raise AssertionError(condition)

    def _leaf_tree(self, leaf: nodes.Condition) -> JsonObject:
        found = self.filter(leaf)
        return found if _is_tree(found) else _tree("AND", [{"filters": [found]}])

    def filter(self, leaf: nodes.Condition) -> JsonObject:  # noqa: PLR0911 - a table
        """One comparison; a value standing alone must be true."""
        match leaf:
            case nodes.Bare(subject):
                return {"field": self._field(subject), "operator": "equals", "value": True}
            case nodes.Test(subject, operator, value):
                found: JsonObject = {"field": self._field(subject), "operator": operator}
                return {**found, **_compared(value)}
            case nodes.Member(_, segment, is_negated):
                operator = "notMemberOfSegment" if is_negated else "memberOfSegment"
                return {"field": {"$segment": reference_json(segment)}, "operator": operator}
            case nodes.Counted(_, _, _, operator, value):
                return {"field": self._count(leaf), "operator": operator, **_compared(value)}
            case nodes.RawCondition(written):
                return parsed_object(written.value)
            case nodes.Not(part):
                return self._history(part, _NOT_HAPPENED)
        return self._history(leaf, _HAPPENED)

    def _history(self, leaf: nodes.Condition, operators: dict[bool | None, str]) -> JsonObject:
        match leaf:
            case nodes.Triggered(event, where, window):
                asked: JsonObject = {"field": f"event.{event.value}"}
                more: JsonObject = {"where": _Trees(WORKFLOW).tree(where)} if where else {}
            case nodes.Mailed(activity, template, window):
                asked = {"field": f"email.{ACTIVITIES[activity]}"}
                more = {"template": reference_json(template)} if template else {}
            case _:
                raise AssertionError(leaf)
        asked["operator"] = operators[window.is_older if window else None]
        return {**asked, **(_compared(window.length) if window else {}), **more}

    def _count(self, leaf: nodes.Counted) -> JsonObject:
        asked: JsonObject = {"event": leaf.event.value}
        if leaf.where:
            asked["where"] = _Trees(WORKFLOW).tree(leaf.where)
        if leaf.window:
            asked["within"] = _compared(leaf.window.length)
        return {"$count": asked}

    def _field(self, subject: nodes.Operand) -> Json:
        return field_json(subject, self.place)

    def _runs(self, parts: tuple[nodes.Condition, ...]) -> list[Json]:
        """Return groups of AND: neighbouring filters share one, anything else has its own."""
        groups: list[Json] = []
        run: list[Json] = []
        for part in parts:
            found = self.filter(part) if _is_filter(part) else self.tree(part)
            if not _is_tree(found):
                run.append(found)
                continue
            groups += [_group(run), _nested(found)] if run else [_nested(found)]
            run = []
        return [*groups, _group(run)] if run else groups

    def _alternative(self, part: nodes.Condition) -> JsonObject:
        """Group of OR: filters joined by "and" need no tree of their own."""
        parts = part.parts if isinstance(part, nodes.AllOf) else (part,)
        if all(_is_filter(one) for one in parts):
            found: list[Json] = [self.filter(one) for one in parts]
            if not any(_is_tree(one) for one in found):
                return _group(found)
        return _nested(self.tree(part))


def is_object(written: str) -> bool:
    """Tell whether a text is a JSON object."""
    try:
        return isinstance(json.loads(written), dict)
    except (ValueError, RecursionError):
        return False


def parsed_object(written: str) -> JsonObject:
    """Return the JSON object in a text; empty when it is none, which the checker reports."""
    try:
        found = json.loads(written)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _is_filter(condition: nodes.Condition) -> bool:
    """Tell whether one filter of a group can say it."""
    match condition:
        case nodes.Not(nodes.Triggered(window=window) | nodes.Mailed(window=window)):
            return window is None or not window.is_older
    return isinstance(condition, nodes.LEAVES)


def _is_tree(found: Json) -> bool:
    return isinstance(found, dict) and ("logic" in found or "not" in found)


def _compared(value: nodes.Operand | None) -> JsonObject:
    match value:
        case None:
            return {}
        case nodes.Duration(amount, unit):
            return {"value": amount, "unit": plural(unit)}
    return {"value": value_json(value)}


def _tree(logic: str, groups: list[Json]) -> JsonObject:
    return {"logic": logic, "groups": groups}


def _group(filters: list[Json]) -> JsonObject:
    return {"filters": filters}


def _nested(tree: Json) -> JsonObject:
    return {"filters": [], "conditions": tree}


def _is_plain(test: nodes.Test | nodes.Bare) -> bool:
    has_path = isinstance(field_json(test.subject), str)
    value = test.value if isinstance(test, nodes.Test) else None
    return has_path and (value is None or is_literal(value))
