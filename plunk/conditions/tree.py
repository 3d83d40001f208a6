"""The condition tree to and from JSON.

tree    {"logic": "AND"|"OR", "groups": [group, ...]}  |  {"not": tree}
group   {"filters": [filter, ...], "conditions"?: tree}        everything in it is ANDed
filter  {"field": field, "operator": name, "value"?: value, "unit"?: unit}
field   dotted text  |  {"$expr": expression}  |  history, see history_json
value   any JSON     |  {"$expr": expression}
"""

from __future__ import annotations

from collections.abc import Container, Mapping, Sequence
from itertools import pairwise

from plunk.conditions.history_json import (
    MEMBERSHIP,
    WITH_WINDOW,
    detail_json,
    history_from_json,
    history_json,
)
from plunk.conditions.instants import UNIT_SECONDS
from plunk.conditions.nodes import (
    All,
    Any,
    Computed,
    Condition,
    Count,
    Emails,
    Events,
    Literal,
    Membership,
    Not,
    Operand,
    Path,
    PathParts,
    Test,
    normal,
)
from plunk.errors import InvalidCondition

MAX_DEPTH = 64
MAX_INDEX_DIGITS = 9
KINDS: Mapping[object, type[All | Any]] = {"AND": All, "OR": Any}
WITHOUT_VALUE = MEMBERSHIP | {
    *("exists", "notExists", "isEmpty", "isNotEmpty"),
    *("triggered", "notTriggered"),
}
WITH_UNIT = WITH_WINDOW | {"within", "olderThan"}


def from_json(raw: object, operators: Container[str] | None = None) -> Condition:
    """Return the tree in normal form; with `operators`, other operator names are refused."""
    return normal(_tree(raw, "condition", operators, 1))


def _tree(raw: object, at: str, operators: Container[str] | None, depth: int) -> Condition:
    if depth > MAX_DEPTH:
        raise InvalidCondition(f"conditions are nested more than {MAX_DEPTH} deep")
    match raw:
        case {"not": part, **others} if not others:
            return Not(_tree(part, f"{at}.not", operators, depth + 1))
        case {"logic": "AND" | "OR" as logic, "groups": [_, *_] as groups}:
            return KINDS[logic](
                tuple(
                    _group(group, f"{at}.groups[{index}]", operators, depth)
                    for index, group in enumerate(groups)
                )
            )
    raise InvalidCondition(f"{at} needs logic AND or OR and at least one group, or not")


def _group(raw: object, at: str, operators: Container[str] | None, depth: int) -> Condition:
    if not isinstance(raw, dict) or not isinstance(raw.get("filters"), list):
        raise InvalidCondition(f"{at} needs an array of filters")
    parts: list[Condition] = [
        comparison_from_json(item, f"{at}.filters[{index}]", operators, depth=depth)
        for index, item in enumerate(raw["filters"])
    ]
    if raw.get("conditions") is not None:
        parts.append(_tree(raw["conditions"], f"{at}.conditions", operators, depth + 1))
    if not parts:
        raise InvalidCondition(f"{at} needs a filter or nested conditions")
    return All(tuple(parts))


def comparison_from_json(
    raw: object,
    at: str,
    operators: Container[str] | None = None,
    *,
    is_value_optional: bool = False,
    depth: int = 1,
) -> Test:
    """Return one comparison; a missing value is only let through where the place allows it."""
    if not isinstance(raw, dict):
        raise InvalidCondition(f"{at} must be an object")
    operator = raw.get("operator")
    if not isinstance(operator, str) or not operator:
        raise InvalidCondition(f"{at}.operator is required")
    if operators is not None and operator not in operators:
        raise InvalidCondition(f"{at}.operator: unknown operator {operator}")
    if "value" not in raw and operator not in WITHOUT_VALUE and not is_value_optional:
        raise InvalidCondition(f"{at}.value is required for {operator}")
    value = _operand(raw["value"], f"{at}.value") if "value" in raw else None
    history = history_from_json(
        raw, at, lambda where, place: normal(_tree(where, place, operators, depth + 1))
    )
    field = history or field_from_json(raw.get("field"), f"{at}.field")
    return Test(field, operator, value, _unit(raw, at))


def _unit(raw: Mapping[str, object], at: str) -> str | None:
    if raw["operator"] not in WITH_UNIT:
        return None
    unit = raw.get("unit")
    if not isinstance(unit, str) or unit not in UNIT_SECONDS:
        raise InvalidCondition(f"{at}.unit must be one of {', '.join(UNIT_SECONDS)}")
    return unit


def field_from_json(raw: object, at: str = "field") -> Operand:
    """Return the operand that a field names."""
    match raw:
        case str() if raw and all(raw.split(".")):
            return Path(_dotted(raw))
        case {"$expr": _}:
            return _operand(raw, at)
    raise InvalidCondition(f"{at} must be a dotted name")


def _operand(raw: object, at: str) -> Operand:
    match raw:
        case {"$expr": ["get", _, *_] as get, **others} if not others:
            return Path(_parts(get[1:], at))
        case {"$expr": expression, **others} if not others:
            return Computed(expression)
    return Literal(raw)


def _parts(raw: Sequence[object], at: str) -> PathParts:
    parts = tuple(part for part in raw if isinstance(part, str | int))
    if len(parts) < len(raw) or any(isinstance(part, bool) for part in parts):
        raise InvalidCondition(f"{at}: the parts of a path are names and positions")
    return parts


def _dotted(text: str) -> PathParts:
    return tuple(int(part) if _is_index(part) else part for part in text.split("."))


def _is_index(part: str) -> bool:
    is_short = len(part) <= MAX_INDEX_DIGITS and part.isascii() and part.isdecimal()
    return is_short and (part == "0" or part[0] != "0")


def to_json(node: Condition) -> dict[str, object]:
    """Return the canonical JSON of a condition."""
    return _tree_json(normal(node))


def _tree_json(node: Condition) -> dict[str, object]:
    match node:
        case Test():
            return _logic("AND", [_group_json((node,))])
        case Not(part):
            return {"not": _tree_json(part)}
        case All(parts):
            return _logic("AND", [_group_json(run) for run in _runs(parts)])
        case Any(parts):
            return _logic("OR", [_any_group(part) for part in parts])


def _logic(logic: str, groups: list[dict[str, object]]) -> dict[str, object]:
    if not groups:
        raise InvalidCondition("a condition without parts has no JSON")
    return {"logic": logic, "groups": groups}


def _any_group(part: Condition) -> dict[str, object]:
    match part:
        case All(parts) if len(_runs(parts)) == 1:
            return _group_json(parts)
        case _:
            return _group_json((part,))


def _runs(parts: Sequence[Condition]) -> list[Sequence[Condition]]:
    """Cut where a group is full: after each part that is not a plain test."""
    ends = [at for at, part in enumerate(parts, 1) if not isinstance(part, Test)]
    cuts = sorted({0, *ends, len(parts)})
    return [parts[start:end] for start, end in pairwise(cuts)]


def _group_json(parts: Sequence[Condition]) -> dict[str, object]:
    group: dict[str, object] = {
        "filters": [_test_json(part) for part in parts if isinstance(part, Test)]
    }
    for part in parts:
        if not isinstance(part, Test):
            group["conditions"] = _tree_json(part)
    return group


def _test_json(test: Test) -> dict[str, object]:
    json: dict[str, object] = {"field": _field_json(test.field), "operator": test.operator}
    if test.value is not None:
        json["value"] = _operand_json(test.value)
    if test.unit is not None:
        json["unit"] = test.unit
    return json | detail_json(test.field, _tree_json)


def _field_json(field: Operand) -> object:
    match field:
        case Events() | Emails() | Membership() | Count():
            return history_json(field, _tree_json)
        case Path(parts):
            text = ".".join(map(str, parts))
            return text if _dotted(text) == parts and all(text.split(".")) else _operand_json(field)
        case _:
            return _operand_json(field)


def _operand_json(operand: Operand) -> object:
    match operand:
        case Literal(value):
            return value
        case Path(parts):
            return {"$expr": ["get", *parts]}
        case Computed(expression):
            return {"$expr": expression}
    raise InvalidCondition("history stands on the left of a comparison only")
