"""Fields that name history, to and from JSON; the operator decides that a field is one.

events      "event.<name>", or a bare name        with triggered … and perhaps "where": tree
e-mails     "email.<activity>"                    with triggered … and perhaps "template": {"id"}
membership  "segment.<id>"                        with memberOfSegment, notMemberOfSegment
count       {"$count": {"event", "where"?: tree, "within"?: {"value", "unit"}}}
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from math import isfinite
from typing import TypeAlias

from plunk.conditions.history import asked
from plunk.conditions.instants import UNIT_SECONDS
from plunk.conditions.names import ACTIVITIES, canonical_activity, canonical_event
from plunk.conditions.nodes import Condition, Count, Emails, Events, History, Membership, Operand
from plunk.errors import InvalidCondition

RECENT = frozenset({"triggeredWithin", "notTriggeredWithin"})  # what is older does not matter
WITH_WINDOW = RECENT | {"triggeredOlderThan"}
HAPPENING = WITH_WINDOW | {"triggered", "notTriggered"}
MEMBERSHIP = frozenset({"memberOfSegment", "notMemberOfSegment"})
COUNT = "$count"
Reader: TypeAlias = Callable[[object, str], Condition]
Writer: TypeAlias = Callable[[Condition], dict[str, object]]


def history_from_json(raw: Mapping[str, object], at: str, read: Reader) -> History | None:
    """Return the history that a comparison's field names, or None when it names something else.

    `read` reads a nested tree at a place.
    """
    field, operator = raw.get("field"), raw.get("operator")
    if not isinstance(operator, str):
        return None
    if operator in HAPPENING:
        return _happening(field, raw, at, read)
    if operator in MEMBERSHIP:
        return Membership(_segment_id(field, f"{at}.field"))
    if isinstance(field, dict) and COUNT in field:
        return _count(field, f"{at}.field", read)
    return None


def events_asked(raw: object) -> Iterator[tuple[str, float | None]]:
    """Yield the events that conditions anywhere inside a JSON value ask about, by name.

    With each goes how many seconds back it is asked about at most; None stands for ever.
    """
    match raw:
        case {"operator": str() as operator, "field": str() as field} if operator in HAPPENING:
            seconds = _seconds(raw) if operator in RECENT else None
            yield canonical_event(field.removeprefix("event.")), seconds
        case {"$count": {"event": str() as name, **others}}:
            yield canonical_event(name), _seconds(others.get("within"))
    if isinstance(raw, dict | list):
        for part in raw.values() if isinstance(raw, dict) else raw:
            yield from events_asked(part)


def _seconds(raw: object) -> float | None:
    match raw:
        case {"value": bool()}:
            return None
        case {"value": int() | float() as value, "unit": str() as unit} if unit in UNIT_SECONDS:
            return value * UNIT_SECONDS[unit]
    return None


def _happening(field: object, raw: Mapping[str, object], at: str, read: Reader) -> Events | Emails:
    kind, _, name = field.partition(".") if isinstance(field, str) else ("", "", "")
    if kind == "email" and name:
        return _emails(name, raw, at)
    if "template" in raw:
        raise InvalidCondition(f"{at}.template belongs to e-mail activities only")
    if kind == "event" and name:
        return Events(canonical_event(name), _where(raw, at, read))
    if not isinstance(field, str) or not field or field == "event.":
        raise InvalidCondition(f"{at}.field must name an event or an e-mail activity")
    return Events(canonical_event(field), _where(raw, at, read))


def _emails(name: str, raw: Mapping[str, object], at: str) -> Emails:
    activity = canonical_activity(name)
    if activity is None:
        raise InvalidCondition(f"{at}.field: e-mail activities are {', '.join(ACTIVITIES)}")
    if raw.get("where") is not None:
        raise InvalidCondition(f"{at}.where belongs to events only")
    match raw.get("template"):
        case None:
            return Emails(activity)
        case {"id": str() as template_id, **others} if template_id and not others:
            return Emails(activity, template_id)
    raise InvalidCondition(f"{at}.template must be an object with the template's id")


def _where(raw: Mapping[str, object], at: str, read: Reader) -> Condition | None:
    if raw.get("where") is None:
        return None
    where = read(raw["where"], f"{at}.where")
    if asked(where):
        raise InvalidCondition(f"{at}.where cannot ask about history itself")
    return where


def _segment_id(field: object, at: str) -> str:
    match field:
        case {"$segment": {"id": str() as segment_id, **others}, **more} if segment_id:
            if not others and not more:
                return segment_id
        case str() if field.startswith("segment.") and field != "segment.":
            return field.removeprefix("segment.")
    raise InvalidCondition(f"{at} must be segment. and the segment's id")


def _count(field: Mapping[str, object], at: str, read: Reader) -> Count:
    raw, at = field[COUNT], f"{at}.{COUNT}"
    if len(field) > 1 or not isinstance(raw, dict) or raw.keys() - {"event", "where", "within"}:
        raise InvalidCondition(f"{at} takes event, where and within")
    name = raw.get("event")
    if not isinstance(name, str) or not name:
        raise InvalidCondition(f"{at}.event must name an event")
    within, unit = _window(raw.get("within"), f"{at}.within")
    return Count(canonical_event(name), _where(raw, at, read), within, unit)


def _window(raw: object, at: str) -> tuple[float | None, str | None]:
    match raw:
        case None:
            return None, None
        case {"value": int() | float() as value, "unit": str() as unit, **others}:
            is_number = not isinstance(value, bool) and isfinite(value)
            if is_number and unit in UNIT_SECONDS and not others:
                return value, unit
    raise InvalidCondition(f"{at} needs a number as value and a unit: {', '.join(UNIT_SECONDS)}")


def history_json(field: History, write: Writer) -> object:
    """Return a comparison's field that names history; `write` writes a tree."""
    match field:
        case Events(name):
            return f"event.{name}"
        case Emails(activity):
            return f"email.{activity}"
        case Membership(segment_id):
            return f"segment.{segment_id}"
        case Count():
            return {COUNT: _count_json(field, write)}


def detail_json(field: Operand, write: Writer) -> dict[str, object]:
    """Return what stands beside a field that names history."""
    match field:
        case Events(where=where) if where is not None:
            return {"where": write(where)}
        case Emails(template_id=template_id) if template_id is not None:
            return {"template": {"id": template_id}}
    return {}


def _count_json(count: Count, write: Writer) -> dict[str, object]:
    json: dict[str, object] = {"event": count.event}
    if count.where is not None:
        json["where"] = write(count.where)
    if count.unit is not None:
        json["within"] = {"value": count.within, "unit": count.unit}
    return json
