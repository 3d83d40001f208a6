"""What a workflow listens for: read from its configuration, kept as rows that events find.

triggerConfig  {"eventName": name}  |  {"triggers": [trigger, ...], ...}
trigger        {"type": "event", "eventName": name, "where": condition | null}
               {"type": "manual"}
               {"type": "segment", "segment": {"id": id}, "when": "entry" | "exit"}
               {"type": "schedule", "cron": "0 9 * * MON", "timezone": name | null,
                "segment": {"id": id}}
               {"type": "date", "field": field, "offset": {"amount": -3, "unit": "days"} | null,
                "everyYear": true | false, "at": "09:00" | null}
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from plunk.conditions.instants import UNIT_SECONDS
from plunk.conditions.nodes import Path
from plunk.conditions.operators.workflow import OPERATORS
from plunk.conditions.tree import field_from_json, from_json
from plunk.engine.core.signals import canonical_name
from plunk.engine.core.zones import find_zone
from plunk.errors import FieldProblem, Invalid, InvalidCondition, SegmentNotFound
from plunk.ids import parse_id
from plunk.models import Segment, Trigger, Workflow
from plunk.models.workflow import ANYTHING
from plunk.services import schedules
from plunk.services.json_values import same
from plunk.services.schedules import TIME_OF_DAY
from plunk.services.workflow_graph import Drawing

MAX_EVENT_NAME = 255
MAX_TRIGGERS = 50
MAX_CRON = 100
MAX_OFFSET_SECONDS = 10 * 366 * 86_400
DEFAULT_ZONE = "UTC"
Config = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Listening:
    """One thing to listen for; the members are those of a row, in its table's spelling."""

    position: int
    kind: str = "start"
    event_name: str | None = None
    condition: dict[str, Any] | None = None
    segment_id: str | None = None
    cron: str | None = None
    timezone: str | None = None
    date_config: dict[str, Any] | None = None

    def is_like(self, row: Trigger) -> bool:
        """Tell whether a stored row listens for the same, wherever it stood in its list."""
        names = [field.name for field in fields(self) if field.name != "position"]
        return all(same(getattr(self, name), getattr(row, name)) for name in names)

    def next_at(self, after: datetime) -> datetime | None:
        """Return when to look at it for the first time, or None when only events matter."""
        if self.cron is not None:
            return schedules.following_cron(self.cron, self.timezone or DEFAULT_ZONE, after)
        return schedules.next_look(after) if self.date_config is not None else None


def segment_event(segment_id: str, when: str) -> str:
    """Return the name that triggers on a segment listen under, whatever the segment is called."""
    return f"segment.{segment_id}.{when}"


def listening(config: Config | None, headers: Config | None = None) -> list[Listening]:
    """Return all that a workflow's configuration and headers name; Invalid says what is wrong."""
    return [*starts(config, headers), *_watches(headers, "stop"), *_watches(headers, "goal")]


def starts(config: Config | None, headers: Config | None = None) -> list[Listening]:
    """Return what starts a workflow; Invalid when its configuration cannot be understood."""
    match (config or {}).get("triggers"):
        case None:
            name = (config or {}).get("eventName")
            return [_event({"eventName": name}, 0, "triggerConfig")] if name else []
        case list() as items if len(items) <= MAX_TRIGGERS:
            zone = ((headers or {}).get("timezone") or {}).get("default") or DEFAULT_ZONE
            read = [
                _start(item, at, f"triggerConfig.triggers.{at}", zone)
                for at, item in enumerate(items)
            ]
            return [one for one in read if one is not None]
    raise _invalid("triggerConfig.triggers", f"Expected an array of at most {MAX_TRIGGERS}")


def first_event(config: Config | None) -> str | None:
    """Return the first event that starts a workflow, as it was written; Invalid as above."""
    starts(config)
    items = (config or {}).get("triggers", [{"type": "event", **(config or {})}])
    names = (item.get("eventName") for item in items if item["type"] == "event")
    return next((name for name in names if name), None)


def listen(session: Session, drawing: Drawing, *, now: datetime) -> None:
    """Store what the workflow listens for; what it listened for before goes on undisturbed."""
    workflow = drawing.workflow
    wanted = listening(workflow.trigger_config, workflow.headers)
    if drawing.trigger is None:
        wanted = []
    elif not _starts_by_itself(workflow):
        wanted = [one for one in wanted if one.kind != "start"]
    _hold_segments(session, workflow.project_id, wanted)
    mine = (Trigger.workflow_id == workflow.id) & Trigger.pinned.is_(None)
    left = list(session.scalars(select(Trigger).where(mine)))
    for one in wanted:
        entry = drawing.trigger.id if drawing.trigger else ""
        row = next((row for row in left if row.entry_step_id == entry and one.is_like(row)), None)
        if row is not None:
            left.remove(row)
            row.position = one.position
            continue
        values = {field.name: getattr(one, field.name) for field in fields(one)}
        stored = Trigger(
            project_id=workflow.project_id,
            workflow_id=workflow.id,
            entry_step_id=entry,
            next_at=one.next_at(now),
            fired_at=now if one.date_config is not None else None,
            **values,
        )
        session.add(stored)
    for row in left:
        session.delete(row)


def _starts_by_itself(workflow: Workflow) -> bool:
    """Tell whether the configuration counts; a lone event name is no schedule."""
    if workflow.trigger_type == "SCHEDULE":
        return "triggers" in (workflow.trigger_config or {})
    return workflow.trigger_type == "EVENT"


def _start(item: object, position: int, at: str, zone: str) -> Listening | None:
    if not isinstance(item, dict):
        raise _invalid(at, "Expected an object")
    match item.get("type"):
        case "event":
            return _event(item, position, at)
        case "manual":
            return None
        case "segment":
            return _segment(item, position, at)
        case "schedule":
            return _schedule(item, position, at, zone)
        case "date":
            return _date(item, position, at, zone)
    raise _invalid(f"{at}.type", "Expected event, manual, segment, schedule or date")


def _event(item: Config, position: int, at: str, kind: str = "start") -> Listening:
    where = item.get("where")
    if where is not None:
        from_json(where, OPERATORS)
    name = item.get("eventName")
    if not isinstance(name, str) or not 1 <= len(name) <= MAX_EVENT_NAME:
        message = f"Expected a text of 1 to {MAX_EVENT_NAME} characters"
        raise _invalid(f"{at}.eventName", message)
    return Listening(position, kind, event_name=canonical_name(name), condition=where)


def _segment(item: Config, position: int, at: str) -> Listening:
    when = item.get("when", "entry")
    if when not in {"entry", "exit"}:
        raise _invalid(f"{at}.when", "Expected entry or exit")
    segment_id = _segment_id(item, at)
    return Listening(position, event_name=segment_event(segment_id, when), segment_id=segment_id)


def _schedule(item: Config, position: int, at: str, zone: str) -> Listening:
    cron = item.get("cron")
    if not isinstance(cron, str) or len(cron) > MAX_CRON or not schedules.is_cron(cron):
        message = "Expected minute, hour, day, month and day of the week, such as 0 9 * * MON"
        raise _invalid(f"{at}.cron", message)
    return Listening(
        position,
        segment_id=_segment_id(item, at),
        cron=" ".join(cron.split()),
        timezone=_zone(item.get("timezone") or zone, f"{at}.timezone"),
    )


def _date(item: Config, position: int, at: str, zone: str) -> Listening:
    time = item.get("at")
    if time is not None and not (isinstance(time, str) and TIME_OF_DAY.match(time)):
        raise _invalid(f"{at}.at", "Expected a time of day such as 09:00")
    if not isinstance(item.get("everyYear", False), bool):
        raise _invalid(f"{at}.everyYear", "Expected true or false")
    config = {
        "field": _field(item.get("field"), f"{at}.field"),
        "offset": _offset(item.get("offset"), f"{at}.offset"),
        "everyYear": item.get("everyYear", False),
        "at": time,
    }
    return Listening(
        position, timezone=_zone(item.get("timezone") or zone, f"{at}.timezone"), date_config=config
    )


def _field(raw: object, at: str) -> list[str | int]:
    """Return the path of a contact's date, without `contact` in front."""
    try:
        field = field_from_json(raw, at)
    except InvalidCondition as error:
        raise _invalid(at, error.message) from None
    match field:
        case Path(("contact", "data", _, *_) | ("data", _, *_) as parts):
            return [*parts[parts.index("data") :]]
        case Path(("contact", ("createdAt" | "updatedAt") as name)):
            return [str(name)]
    raise _invalid(at, "Expected a date of the contact, such as contact.data.birthday")


def _offset(raw: object, at: str) -> dict[str, Any] | None:
    match raw:
        case None:
            return None
        case {"amount": int() | float() as amount, "unit": str(unit)} if unit in UNIT_SECONDS:
            if (
                not isinstance(amount, bool)
                and abs(amount) * UNIT_SECONDS[unit] <= MAX_OFFSET_SECONDS
            ):
                return {"amount": amount, "unit": unit}
    raise _invalid(at, "Expected an amount and a unit, at most ten years")


def _segment_id(item: Config, at: str) -> str:
    match item.get("segment"):
        case {"id": str(text)} if found := parse_id(text):
            return found
    raise _invalid(f"{at}.segment", 'Expected {"id": "…"}')


def _zone(name: object, at: str) -> str:
    if not isinstance(name, str) or find_zone(name) is None:
        raise _invalid(at, "Expected the name of a time zone, such as Europe/Brussels")
    return name


def _watches(headers: Config | None, kind: str) -> Iterator[Listening]:
    """Yield the events and conditions that stop a workflow, or that are its goals."""
    for position, item in enumerate((headers or {}).get(f"{kind}s") or ()):
        at = f"{kind}s.{position}"
        if item.get("eventName") is not None:
            yield _event(item, position, at, kind)
        else:
            from_json(item.get("condition"), OPERATORS)
            yield Listening(position, kind, event_name=ANYTHING, condition=item["condition"])


def _hold_segments(session: Session, project_id: str, wanted: Sequence[Listening]) -> None:
    """Make sure that all segments are the project's, and stay until we are done."""
    ids = sorted({one.segment_id for one in wanted if one.segment_id})
    if not ids:
        return
    found = session.scalars(
        select(Segment.id)
        .where(Segment.project_id == project_id, Segment.id.in_(ids))
        .order_by(Segment.id)
        .with_for_update(read=True, key_share=True)
    ).all()
    for segment_id in ids:
        if segment_id not in found:
            raise SegmentNotFound(segment_id)


def _invalid(field: str, message: str) -> Invalid:
    return Invalid([FieldProblem(field, message, "invalid_type")])
