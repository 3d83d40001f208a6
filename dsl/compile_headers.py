"""Headers → what starts, stops and times a workflow, everything by name."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dsl import nodes
from dsl.conditions import reference_json, tree_json
from dsl.durations import seconds
from dsl.graph import Headers, Reentry
from dsl.step_configs import offset_json
from dsl.values import COMPUTED, expression_json

if TYPE_CHECKING:
    from collections.abc import Iterable

    from dsl.graph import Json, JsonObject


def compile_headers(headers: Iterable[nodes.Header]) -> Headers:
    """Compile all headers of a workflow."""
    written = list(headers)
    zones = (header for header in written if isinstance(header, nodes.Timezone))
    quiet = (header for header in written if isinstance(header, nodes.QuietHours))
    described = (header for header in written if isinstance(header, nodes.Description))
    description = next(described, None)
    return Headers(
        description=description.text.value if description else None,
        enabled=not any(isinstance(header, nodes.Disabled) for header in written),
        reentry=_reentry(written),
        triggers=tuple(found for header in written if (found := _trigger(header))),
        stops=tuple(_happening(one.when) for one in written if isinstance(one, nodes.Stop)),
        goals=tuple(_goal(header) for header in written if isinstance(header, nodes.Goal)),
        timezone=next((_timezone(header) for header in zones), None),
        quiet_hours=next((_quiet_hours(header) for header in quiet), None),
    )


def _trigger(header: nodes.Header) -> JsonObject | None:
    match header:
        case nodes.OnEvent(event, where):
            condition = tree_json(where) if where else None
            return {"type": "event", "eventName": event.value, "where": condition}
        case nodes.OnManual():
            return {"type": "manual"}
        case nodes.OnSegment(segment, is_entry):
            when = "entry" if is_entry else "exit"
            return {"type": "segment", "segment": reference_json(segment), "when": when}
        case nodes.OnSchedule(cron, zone, segment):
            return {
                "type": "schedule",
                "cron": cron.value,
                "timezone": zone.value if zone else None,
                "segment": reference_json(segment),
            }
        case nodes.OnDate(date, offset, is_yearly, at):
            return {
                "type": "date",
                "field": {COMPUTED: expression_json(date)},
                "offset": offset_json(offset) if offset else None,
                "everyYear": is_yearly,
                "at": at.value if at else None,
            }
    return None


def _happening(when: nodes.Happening) -> JsonObject:
    match when:
        case nodes.EventHappens(event, where):
            return {"eventName": event.value, "where": tree_json(where) if where else None}
        case nodes.ConditionHolds(condition):
            return {"condition": tree_json(condition)}


def _goal(goal: nodes.Goal) -> JsonObject:
    return {"name": goal.name.value, **_happening(goal.when), "exit": goal.exits}


def _timezone(header: nodes.Timezone) -> JsonObject:
    subject: Json = {COMPUTED: expression_json(header.subject)} if header.subject else None
    return {"field": subject, "default": header.default.value if header.default else "UTC"}


def _quiet_hours(header: nodes.QuietHours) -> JsonObject:
    return {"from": header.start.value, "to": header.end.value}


def _reentry(headers: Iterable[nodes.Header]) -> Reentry:
    for header in headers:
        match header:
            case nodes.Reentry("always"):
                return Reentry("always")
            case nodes.Reentry("after", after) if after:
                return Reentry("after", seconds(after))
    return Reentry()
