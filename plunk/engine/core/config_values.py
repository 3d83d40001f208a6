"""Values inside stored configurations, each read with a message that names it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import time, timedelta

from plunk.conditions import tree
from plunk.conditions.instants import UNIT_SECONDS
from plunk.conditions.nodes import Condition
from plunk.conditions.operators.workflow import OPERATORS
from plunk.errors import BadRequest

Config = Mapping[str, object]

MAX_WAIT = timedelta(days=365)
MAX_EVENT_NAME = 255
CLOCK_TIME = re.compile(r"([01]\d|2[0-3]):[0-5]\d\Z", re.ASCII)


class InvalidConfig(BadRequest):
    """A step's configuration, or a workflow's header, breaks the rules."""


def text(config: Config, key: str, at: str | None = None) -> str:
    """Return a text that has to be there."""
    value = config.get(key)
    if not isinstance(value, str) or not value:
        raise InvalidConfig(f"{f'{at}.' if at else ''}{key} is required and must be text")
    return value


def event_name(config: Config) -> str:
    """Return the name of an event."""
    name = text(config, "eventName")
    if len(name) > MAX_EVENT_NAME:
        raise InvalidConfig(f"eventName must have at most {MAX_EVENT_NAME} characters")
    return name


def text_or_computed(config: Config, key: str) -> object:
    """Return a text, or what computes one."""
    value = config[key]
    if not isinstance(value, str) and not is_computed(value):
        raise InvalidConfig(f"{key} must be text")
    return value


def is_computed(value: object) -> bool:
    """Tell whether a value is to be computed."""
    return isinstance(value, dict) and value.keys() == {"$expr"}


def mapping(config: Config, key: str) -> Config:
    """Return an object, which may be left out."""
    value = config.get(key)
    if value is not None and not isinstance(value, dict):
        raise InvalidConfig(f"{key} must be an object")
    return value or {}


def required_mapping(value: object, at: str) -> Config:
    """Return an object that has to be there."""
    if not isinstance(value, dict):
        raise InvalidConfig(f"{at} must be an object")
    return value


def condition(config: Config, key: str) -> Condition:
    """Return a condition tree of the workflow's rule set."""
    return tree.from_json(config.get(key), OPERATORS)


def optional_condition(config: Config, key: str) -> Condition | None:
    """Return a condition tree, or None when there is none."""
    return None if config.get(key) is None else condition(config, key)


def number(value: object, key: str) -> float:
    """Return a number."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise InvalidConfig(f"{key} must be a number")
    return value


def unit(config: Config) -> str:
    """Return the unit of a duration."""
    name = config.get("unit")
    if not isinstance(name, str) or name not in UNIT_SECONDS:
        raise InvalidConfig(f"unit must be one of {', '.join(UNIT_SECONDS)}")
    return name


def duration(value: object, key: str, seconds: int) -> timedelta:
    """Return a length of time above nothing and up to a year."""
    amount = number(value, key)
    if not 0 < amount * seconds <= MAX_WAIT.total_seconds():
        raise InvalidConfig(f"{key} must be above 0 and at most {MAX_WAIT.days} days in all")
    return timedelta(seconds=amount * seconds)


def clock_time(value: object, key: str) -> time:
    """Return a time of day, written HH:MM."""
    if not isinstance(value, str) or not CLOCK_TIME.match(value):
        raise InvalidConfig(f"{key} must be a time of day, written HH:MM")
    return time.fromisoformat(value)
