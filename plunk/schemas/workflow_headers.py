"""Headers of workflows, coming in and going out."""

from __future__ import annotations

import re

from marshmallow import Schema

from plunk.schemas.fields import ConditionField, Flag, Input, JsonObject, Pattern, Text

MAX_BYTES = 64 * 1024
MAX_ITEMS, MAX_GOAL_NAME, MAX_EVENT_NAME, MAX_ZONE = 20, 100, 255, 64
HOUR = Pattern(re.compile("([01][0-9]|2[0-3]):[0-5][0-9]"), "Must be a time of day, written HH:MM")
OPTIONAL = {"optional": True}
STOPS = {"example": [{"eventName": "account-deleted"}]}
GOALS = {"example": [{"name": "Upgraded", "eventName": "upgraded", "exit": True}]}
TIMEZONE = {
    "example": {"field": {"$expr": ["get", "contact", "data", "timezone"]}, "default": "UTC"}
}
QUIET = {"example": {"from": "21:00", "to": "08:00"}}


class WatchIn(Input):
    """An event, with a condition on its data or without, or a condition that is to hold."""

    eventName = Text(low=1, high=MAX_EVENT_NAME, allow_none=True)
    where = ConditionField(allow_none=True)
    condition = ConditionField(allow_none=True)


class GoalIn(WatchIn):
    """Something to be reached, which counts once for each run; `exit` also ends the run."""

    name = Text(low=1, high=MAX_GOAL_NAME, required=True)
    exit = Flag()


class TimezoneIn(Input):
    """Whose clocks times of day mean: a field of the contact, else the default."""

    field = JsonObject(max_bytes=MAX_BYTES, allow_none=True)
    default = Text(low=1, high=MAX_ZONE, allow_none=True)


class QuietHoursIn(Input):
    """When messages that are not transactional wait; the hours may span midnight."""

    start = Text(pattern=HOUR, data_key="from", attribute="from", required=True)
    to = Text(pattern=HOUR, required=True)


class WatchOut(Schema):
    """An event or a condition that is watched for."""

    eventName = Text(metadata=OPTIONAL, allow_none=True)
    where = JsonObject(metadata=OPTIONAL, allow_none=True)
    condition = JsonObject(metadata=OPTIONAL, allow_none=True)


class GoalOut(WatchOut):
    """Something to be reached."""

    name = Text()
    exit = Flag(metadata=OPTIONAL)


class TimezoneOut(Schema):
    """Whose clocks times of day mean."""

    field = JsonObject(metadata=OPTIONAL, allow_none=True)
    default = Text(metadata=OPTIONAL, allow_none=True)


class QuietHoursOut(Schema):
    """When messages that are not transactional wait."""

    start = Text(data_key="from", attribute="from")
    to = Text()
