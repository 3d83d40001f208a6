"""What starts a workflow: events, and occasions that time brings."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Any

from plunk.conditions.nodes import Condition
from plunk.conditions.operators.workflow import OPERATORS
from plunk.conditions.tree import from_json
from plunk.engine.core.signals import canonical_name
from plunk.services.schedules import DateRule

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Start:
    """A contact enters when this event arrives and `where` holds."""

    event_name: str
    where: Condition | None = None
    segment: str | None = None

    def hears(self, name: str, also: Collection[str]) -> bool:
        """Tell whether an event starts it: for a segment's its further names count, not its own."""
        return self.event_name in also if self.segment else self.event_name == canonical_name(name)


@dataclass(frozen=True, slots=True)
class Occasion:
    """A segment enters at the ticks of `cron`, or each contact when its own date comes round."""

    zone: str
    cron: str | None = None
    segment: str | None = None
    rule: DateRule | None = None
    path: tuple[str | int, ...] = ()


def segment_event(segment: str, when: str) -> str:
    """Return the name under which triggers on a segment listen."""
    return f"segment.{segment}.{when}"


def starts_of(triggers: Iterable[Json]) -> tuple[Start, ...]:
    """Return the events that start a workflow, in their order."""
    return tuple(start for one in triggers if (start := _start(one)) is not None)


def _start(one: Json) -> Start | None:
    match one["type"]:
        case "event":
            where = one.get("where")
            condition = None if where is None else from_json(where, OPERATORS)
            return Start(canonical_name(one["eventName"]), condition)
        case "segment":
            segment = _named(one["segment"])
            return Start(segment_event(segment, one["when"]), segment=segment)
    return None


def occasions_of(triggers: Iterable[Json], default: str | None) -> tuple[Occasion, ...]:
    """Return the schedules and dates that start a workflow; `default` is its own time zone."""
    return tuple(found for one in triggers if (found := _occasion(one, default or "UTC")))


def _occasion(one: Json, zone: str) -> Occasion | None:
    zone = one.get("timezone") or zone
    match one["type"]:
        case "schedule":
            return Occasion(zone, cron=one["cron"], segment=_named(one["segment"]))
        case "date":
            _, *path = one["field"]["$expr"]
            return Occasion(zone, rule=DateRule.of({**one, "field": path}), path=tuple(path))
    return None


def _named(reference: Json) -> str:
    return str(reference.get("name") or reference["id"])
