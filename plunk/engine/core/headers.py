"""Workflow headers: what holds wherever in the graph a run stands.

{"stops":     [{"eventName", "where"?} | {"condition"}, ...],
 "goals":     [{"name", "exit"?, "eventName", "where"?} | {"name", "exit"?, "condition"}, ...],
 "timezone":  {"field"?: {"$expr": e}, "default"?: "UTC"},
 "quietHours": {"from": "21:00", "to": "08:00"}}                        each member may be null
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import time
from typing import Any, TypeAlias

from plunk.conditions.nodes import Condition
from plunk.engine.core import config_values
from plunk.engine.core.config_values import Config, InvalidConfig
from plunk.engine.core.signals import canonical_name
from plunk.engine.core.zones import find_zone

MAX_WATCHES = 20
MAX_GOAL_NAME = 100


@dataclass(frozen=True, slots=True)
class EventWatch:
    """Met when this event arrives and `where` holds."""

    event_name: str
    where: Condition | None = None


@dataclass(frozen=True, slots=True)
class ConditionWatch:
    """Met as soon as the condition holds."""

    condition: Condition


Watch: TypeAlias = EventWatch | ConditionWatch


@dataclass(frozen=True, slots=True)
class Goal:
    """Something to be reached; counted once for each run."""

    name: str
    watch: Watch
    exits: bool = False


@dataclass(frozen=True, slots=True)
class TimezoneHeader:
    """Whose clocks times of day mean; `field` may be None."""

    field: object
    default: str | None


@dataclass(frozen=True, slots=True)
class QuietHours:
    """When marketing mail waits, on the clocks of its recipient."""

    start: time
    end: time


@dataclass(frozen=True, slots=True)
class Headers:
    """All headers that a run has to heed."""

    stops: tuple[Watch, ...] = ()
    goals: tuple[Goal, ...] = ()
    timezone: TimezoneHeader | None = None
    quiet_hours: QuietHours | None = None

    @property
    def is_watching(self) -> bool:
        """Whether there is anything to be met; most workflows have nothing."""
        return bool(self.stops or self.goals)

    @property
    def conditions(self) -> Iterable[Condition]:
        """Every condition in the headers."""
        for watch in (*self.stops, *(goal.watch for goal in self.goals)):
            match watch:
                case ConditionWatch(condition):
                    yield condition
                case EventWatch(where=where) if where is not None:
                    yield where

    @classmethod
    def from_json(cls, raw: object) -> Headers:
        """Read headers; InvalidConfig or InvalidCondition names what cannot be read."""
        if raw is None:
            return NONE
        config = config_values.required_mapping(raw, "headers")
        goals = tuple(
            _goal(item, f"goals[{at}]") for at, item in enumerate(_items(config, "goals"))
        )
        if len({goal.name for goal in goals}) < len(goals):
            raise InvalidConfig("goals must have different names")
        return cls(
            tuple(_watch(item, f"stops[{at}]") for at, item in enumerate(_items(config, "stops"))),
            goals,
            _timezone(config),
            _quiet_hours(config),
        )


NONE = Headers()


def _items(config: Config, key: str) -> list[Any]:
    items = config.get(key)
    if items is None:
        return []
    if not isinstance(items, list) or len(items) > MAX_WATCHES:
        raise InvalidConfig(f"{key} must be an array of at most {MAX_WATCHES}")
    return items


def _watch(raw: object, at: str) -> Watch:
    config = config_values.required_mapping(raw, at)
    if (config.get("eventName") is None) == (config.get("condition") is None):
        raise InvalidConfig(f"{at} needs an eventName or a condition, and not both")
    if config.get("condition") is not None:
        return ConditionWatch(config_values.condition(config, "condition"))
    name = canonical_name(config_values.event_name(config))
    return EventWatch(name, config_values.optional_condition(config, "where"))


def _goal(raw: object, at: str) -> Goal:
    config = config_values.required_mapping(raw, at)
    name, exits = config_values.text(config, "name", at), config.get("exit")
    if len(name) > MAX_GOAL_NAME:
        raise InvalidConfig(f"{at}.name must have at most {MAX_GOAL_NAME} characters")
    if exits is not None and not isinstance(exits, bool):
        raise InvalidConfig(f"{at}.exit must be true or false")
    return Goal(name, _watch(config, at), exits=bool(exits))


def _timezone(config: Config) -> TimezoneHeader | None:
    if config.get("timezone") is None:
        return None
    header = config_values.mapping(config, "timezone")
    field, default = header.get("field"), header.get("default")
    if field is not None and not _is_contacts(field):
        raise InvalidConfig("timezone.field must name a field of the contact, or be null")
    if default is not None and find_zone(default) is None:
        raise InvalidConfig("timezone.default must be the name of a time zone")
    return TimezoneHeader(field, default if isinstance(default, str) else None)


def _is_contacts(field: object) -> bool:
    match field:
        case {"$expr": ["get", "contact", str(), *path], **others} if not others:
            return all(isinstance(part, str | int) for part in path)
    return False


def _quiet_hours(config: Config) -> QuietHours | None:
    if config.get("quietHours") is None:
        return None
    window = config_values.mapping(config, "quietHours")
    start = config_values.clock_time(window.get("from"), "quietHours.from")
    end = config_values.clock_time(window.get("to"), "quietHours.to")
    if start == end:
        raise InvalidConfig("quietHours must not begin when they end")
    return QuietHours(start, end)
