"""Conditions → the JSON filter tree."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dsl import nodes
from dsl.values import COMPUTED, expression_json, full_path, is_literal, is_word, value_json

if TYPE_CHECKING:
    from dsl.graph import Json, JsonObject


def tree_json(condition: nodes.Condition) -> JsonObject:
    """Return the tree: groups joined by logic, everything inside a group joined by AND."""
    match condition:
        case nodes.Not(part):
            return {"not": tree_json(part)}
        case nodes.AllOf(parts):
            return _tree("AND", _runs(parts))
        case nodes.AnyOf(parts):
            return _tree("OR", [_alternative(part) for part in parts])
        case nodes.Test() | nodes.Bare():
            return _tree("AND", [_group([condition])])


def filter_json(test: nodes.Test | nodes.Bare) -> JsonObject:
    """One comparison; a value standing alone must be true."""
    if isinstance(test, nodes.Bare):
        return {"field": _field(test.subject), "operator": "equals", "value": True}
    found: JsonObject = {"field": _field(test.subject), "operator": test.operator}
    return found if test.value is None else {**found, "value": value_json(test.value)}


def condition_config(condition: nodes.Condition) -> JsonObject:
    """Config of a step that branches: one plain comparison, or a whole tree."""
    if isinstance(condition, nodes.Test | nodes.Bare) and _is_plain(condition):
        return filter_json(condition)
    return {"mode": "expression", "condition": tree_json(condition)}


def _tree(logic: str, groups: list[Json]) -> JsonObject:
    return {"logic": logic, "groups": groups}


def _group(tests: list[nodes.Test | nodes.Bare]) -> JsonObject:
    return {"filters": [filter_json(test) for test in tests]}


def _nested(condition: nodes.Condition) -> JsonObject:
    return {"filters": [], "conditions": tree_json(condition)}


def _runs(parts: tuple[nodes.Condition, ...]) -> list[Json]:
    """Return groups of AND: neighbouring tests share one, anything else has its own."""
    groups: list[Json] = []
    run: list[nodes.Test | nodes.Bare] = []
    for part in parts:
        if isinstance(part, nodes.Test | nodes.Bare):
            run.append(part)
            continue
        groups += [_group(run), _nested(part)] if run else [_nested(part)]
        run = []
    return [*groups, _group(run)] if run else groups


def _alternative(part: nodes.Condition) -> JsonObject:
    """Group of OR: tests joined by "and" need no tree of their own."""
    match part:
        case nodes.Test() | nodes.Bare():
            return _group([part])
        case nodes.AllOf(parts):
            tests = [test for test in parts if isinstance(test, nodes.Test | nodes.Bare)]
            return _group(tests) if len(tests) == len(parts) else _nested(part)
    return _nested(part)


def _field(subject: nodes.Operand) -> Json:
    """Dotted path where every key is a word, else an expression."""
    if isinstance(subject, nodes.Name):
        path = full_path(subject)
        if all(is_word(key) for key in path):
            return ".".join(str(key) for key in path)
    return {COMPUTED: expression_json(subject)}


def _is_plain(test: nodes.Test | nodes.Bare) -> bool:
    has_path = isinstance(_field(test.subject), str)
    value = test.value if isinstance(test, nodes.Test) else None
    return has_path and (value is None or is_literal(value))
