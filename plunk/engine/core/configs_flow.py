"""Configurations of the steps that decide when and where a run goes on.

DELAY           {"amount": 1, "unit": "days"}
                {"until": {"time": ISO text | {"$expr": e},
                           "offset"?: {"amount": -3, "unit": "days"}, "whenPast"?: "exit"}}
                {"until": {"timeOfDay": "09:00", "days"?: ["monday", "weekends", ...]}}
WAIT_FOR_EVENT  {"eventName": name, "where"?: tree, "timeout"?: seconds}
                {"condition": tree, "timeout"?: seconds}
CONDITION       one comparison, {"mode": "multi", ...} or {"mode": "expression", ...}
SPLIT           {"branches": [{"id", "name"?, "weight"}, ...]}     the rest goes the way "default"
"""

from __future__ import annotations

import math

from plunk.conditions import tree
from plunk.conditions.instants import UNIT_SECONDS, instant
from plunk.conditions.nodes import Operand, Test
from plunk.conditions.operators.workflow import OPERATORS
from plunk.engine.core import config_values, steps
from plunk.engine.core.config_values import Config, InvalidConfig, text
from plunk.engine.core.zones import DAYS

MAX_BRANCHES = 20
WHOLE = 100


def delay(config: Config) -> steps.Action:
    """Read a DELAY."""
    until = config.get("until")
    if until is None:
        unit = config_values.unit(config)
        amount = config_values.number(config.get("amount"), "amount")
        length = config_values.duration(amount, "amount", UNIT_SECONDS[unit])
        return steps.Delay(amount, unit, length)
    until = config_values.required_mapping(until, "until")
    return _time_of_day(until) if "timeOfDay" in until else _until_time(until)


def _until_time(until: Config) -> steps.Action:
    time, when_past = until.get("time"), until.get("whenPast")
    if not config_values.is_computed(time) and instant(time) is None:
        raise InvalidConfig("until.time must be an ISO date or date-time, or computed")
    if when_past not in {None, "exit"}:
        raise InvalidConfig("until.whenPast must be exit, or left out")
    return steps.DelayUntil(time, _offset(until), exits_when_past=when_past == "exit")


def _offset(until: Config) -> steps.Offset | None:
    offset = config_values.mapping(until, "offset")
    if not offset:
        return None
    unit = config_values.unit(offset)
    amount = config_values.number(offset.get("amount"), "until.offset.amount")
    limit = config_values.MAX_WAIT.total_seconds()
    if not abs(amount * UNIT_SECONDS[unit]) <= limit:
        raise InvalidConfig("until.offset must be at most 365 days")
    return steps.Offset(amount, unit)


def _time_of_day(until: Config) -> steps.Action:
    at = config_values.clock_time(until.get("timeOfDay"), "until.timeOfDay")
    days = until.get("days")
    if days is None:
        return steps.DelayUntilTimeOfDay(at)
    if not isinstance(days, list) or not days or not all(_is_day(day) for day in days):
        raise InvalidConfig(f"until.days must list some of {', '.join(DAYS)}")
    return steps.DelayUntilTimeOfDay(at, frozenset().union(*(DAYS[day] for day in days)))


def _is_day(day: object) -> bool:
    return isinstance(day, str) and day in DAYS


def wait(config: Config) -> steps.Action:
    """Read a WAIT_FOR_EVENT."""
    timeout = config.get("timeout")
    length = None if timeout is None else config_values.duration(timeout, "timeout", 1)
    if config.get("condition") is not None:
        return steps.WaitForCondition(config_values.condition(config, "condition"), length)
    where = config_values.optional_condition(config, "where")
    return steps.WaitForEvent(text(config, "eventName"), length, where)


def condition(config: Config) -> steps.Action:
    """Read a CONDITION."""
    match config.get("mode"):
        case "multi":
            return _multi_condition(config)
        case "expression":
            return steps.ExpressionCondition(config_values.condition(config, "condition"))
    return steps.BinaryCondition(config.get("field"), _test(config, config.get("field"), "config"))


def _multi_condition(config: Config) -> steps.Action:
    field = config.get("field")
    parsed = tuple(
        _branch(raw, field, f"branches[{at}]") for at, raw in enumerate(_branches(config))
    )
    return steps.MultiCondition(field, _field(field), parsed)


def _branches(config: Config) -> list[object]:
    branches = config.get("branches")
    if not isinstance(branches, list) or not 1 <= len(branches) <= MAX_BRANCHES:
        raise InvalidConfig(f"branches must be an array of 1 to {MAX_BRANCHES}")
    return branches


def _branch(raw: object, field: object, at: str) -> steps.Branch:
    branch = config_values.required_mapping(raw, at)
    id_ = text(branch, "id", at)
    return steps.Branch(id_, _name(branch, id_), _test(branch, field, at))


def _name(branch: Config, id_: str) -> str:
    name = branch.get("name")
    return name if isinstance(name, str) else id_


def _test(raw: Config, field: object, at: str) -> Test:
    return tree.comparison_from_json({**raw, "field": field}, at, OPERATORS, is_value_optional=True)


def _field(field: object) -> Operand:
    return tree.field_from_json(field, "field")


def split(config: Config) -> steps.Action:
    """Read a SPLIT."""
    shares = tuple(_share(raw, f"branches[{at}]") for at, raw in enumerate(_branches(config)))
    if len({share.id for share in shares}) < len(shares):
        raise InvalidConfig("the branches must have different ids")
    if sum(share.weight for share in shares) > WHOLE + 1e-9:
        raise InvalidConfig(f"the weights must add up to at most {WHOLE}")
    return steps.Split(shares)


def _share(raw: object, at: str) -> steps.Share:
    branch = config_values.required_mapping(raw, at)
    id_, weight = text(branch, "id", at), config_values.number(branch.get("weight"), f"{at}.weight")
    if not math.isfinite(weight) or weight <= 0:
        raise InvalidConfig(f"{at}.weight must be above 0")
    return steps.Share(id_, _name(branch, id_), weight)
