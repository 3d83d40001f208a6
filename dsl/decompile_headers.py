"""Compiled headers → nodes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dsl import nodes
from dsl.durations import from_seconds
from dsl.expressions_reading import value_node
from dsl.reading import Unreadable, condition_node, reference_node

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dsl.graph import Headers


def header_nodes(headers: Headers) -> Iterator[nodes.Header]:
    """Yield the headers that compile to these; raises Unreadable where there are no words."""
    if headers.description is not None:
        yield nodes.Description(nodes.Text(headers.description))
    for trigger in headers.triggers:
        yield _trigger(trigger)
    yield from _reentry(headers)
    for stop in headers.stops:
        yield nodes.Stop(_happening(stop))
    for goal in headers.goals:
        yield _goal(goal)
    if headers.timezone:
        yield _timezone(headers.timezone)
    if headers.quiet_hours:
        yield _quiet_hours(headers.quiet_hours)
    if not headers.enabled:
        yield nodes.Disabled()


def _reentry(headers: Headers) -> Iterator[nodes.Reentry]:
    if headers.reentry.policy == "after":
        after = from_seconds(headers.reentry.after_seconds or 0)
        yield nodes.Reentry("after", duration(*after))
    elif headers.reentry.policy == "always":
        yield nodes.Reentry("always")
    elif any(map(_repeats, headers.triggers)):
        yield nodes.Reentry("never")  # the default, but here the checker asks for a word


def _repeats(trigger: Any) -> bool:  # noqa: ANN401 - JSON
    match trigger:
        case {"type": "schedule"} | {"type": "date", "everyYear": True}:
            return True
    return False


def _trigger(trigger: Any) -> nodes.Header:  # noqa: ANN401 - JSON
    match trigger:
        case {"type": "event", "eventName": str(event)}:
            return nodes.OnEvent(nodes.Text(event), _where(trigger))
        case {"type": "manual"}:
            return nodes.OnManual()
        case {"type": "segment", "segment": segment, "when": "entry" | "exit" as when}:
            return nodes.OnSegment(reference_node(segment), when == "entry")
        case {"type": "schedule", "cron": str(cron), "timezone": zone, "segment": segment}:
            place = nodes.Text(zone) if isinstance(zone, str) else None
            return nodes.OnSchedule(nodes.Text(cron), place, reference_node(segment))
        case {"type": "date", "field": field, "everyYear": bool(is_yearly)}:
            return _on_date(field, trigger, is_yearly=is_yearly)
    raise Unreadable("it has a trigger the language does not know")


def _on_date(field: Any, trigger: dict[str, Any], *, is_yearly: bool) -> nodes.OnDate:  # noqa: ANN401 - JSON
    date, at = value_node(field), trigger.get("at")
    if not isinstance(date, nodes.Name):
        raise Unreadable("its date is not a field")
    time = nodes.Text(at) if isinstance(at, str) else None
    return nodes.OnDate(date, offset_node(trigger.get("offset")), is_yearly, time)


def offset_node(offset: Any) -> nodes.Offset | None:  # noqa: ANN401 - JSON
    """Return an offset from its amount and unit."""
    match offset:
        case None:
            return None
        case {"amount": int() | float() as amount, "unit": str(unit)}:
            return nodes.Offset("minus" if amount < 0 else "plus", duration(abs(amount), unit))
    raise Unreadable("it has an offset the language does not know")


def duration(amount: float, unit: str) -> nodes.Duration:
    """Return a duration, in the singular where there is one."""
    return nodes.Duration(amount, unit.removesuffix("s") if amount == 1 else unit)


def _happening(data: Any) -> nodes.Happening:  # noqa: ANN401 - JSON
    match data:
        case {"eventName": str(event)}:
            return nodes.EventHappens(nodes.Text(event), _where(data))
        case {"condition": tree}:
            return nodes.ConditionHolds(condition_node(tree))
    raise Unreadable("it stops or counts at something the language does not know")


def _goal(goal: Any) -> nodes.Goal:  # noqa: ANN401 - JSON
    return nodes.Goal(nodes.Text(goal["name"]), _happening(goal), goal.get("exit") is True)


def _where(data: dict[str, Any]) -> nodes.Condition | None:
    where = data.get("where")
    return condition_node(where) if where else None


def _timezone(data: Any) -> nodes.Timezone:  # noqa: ANN401 - JSON
    default, field = nodes.Text(data["default"]), data["field"]
    if field is None:
        return nodes.Timezone(None, default)
    subject = value_node(field)
    if not isinstance(subject, nodes.Name):
        raise Unreadable("its time zone is not a field")
    return nodes.Timezone(subject, default)


def _quiet_hours(data: Any) -> nodes.QuietHours:  # noqa: ANN401 - JSON
    return nodes.QuietHours(nodes.Text(data["from"]), nodes.Text(data["to"]))
