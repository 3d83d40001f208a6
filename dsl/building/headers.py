"""Rules of headers."""

from __future__ import annotations

from dsl import nodes
from dsl.building.parts import Parts, clock, span_of


def description(parts: Parts) -> nodes.Description:
    """Return "description" text."""
    return nodes.Description(parts[1], span_of(parts))


def on_event(parts: Parts) -> nodes.OnEvent:
    """Build from "on" "event" text [where]."""
    return nodes.OnEvent(parts[2], parts[3], span_of(parts))


def on_manual(parts: Parts) -> nodes.OnManual:
    """Build from "on" "manual"."""
    return nodes.OnManual(span_of(parts))


def reentry(parts: Parts) -> nodes.Reentry:
    """Build from "reentry" policy [duration]."""
    after = parts[2] if len(parts) > 2 else None  # noqa: PLR2004 - only "after" has a third
    return nodes.Reentry(str(parts[1]), after, span_of(parts))


def disabled(parts: Parts) -> nodes.Disabled:
    """Build from "disabled"."""
    return nodes.Disabled(span_of(parts))


def on_segment(parts: Parts) -> nodes.OnSegment:
    """Build from "on" "segment" reference ("entry" | "exit")."""
    return nodes.OnSegment(parts[2], str(parts[3]) == "entry", span_of(parts))


def on_schedule(parts: Parts) -> nodes.OnSchedule:
    """Build from "on" "schedule" text ["in" text] "for" "segment" reference."""
    return nodes.OnSchedule(parts[2], parts[4], parts[7], span_of(parts))


def on_date(parts: Parts) -> nodes.OnDate:
    """Build from "on" "date" path [offset] ["every" "year"] ["at" CLOCK]."""
    _, _, date, offset, every, _, _, time = parts
    at = None if time is None else clock(time)
    return nodes.OnDate(date, offset, every is not None, at, span_of(parts))


def stop(parts: Parts) -> nodes.Stop:
    """Build from "stop" "when" happening."""
    return nodes.Stop(parts[2], span_of(parts))


def goal(parts: Parts) -> nodes.Goal:
    """Build from "goal" text "when" happening ["then" "exit"]."""
    return nodes.Goal(parts[1], parts[3], parts[4] is not None, span_of(parts))


def event_happens(parts: Parts) -> nodes.EventHappens:
    """Build from "event" text [where]."""
    return nodes.EventHappens(parts[1], parts[2], span_of(parts))


def condition_holds(parts: Parts) -> nodes.ConditionHolds:
    """Build from condition."""
    return nodes.ConditionHolds(parts[0], span_of(parts))


def timezone(parts: Parts) -> nodes.Timezone:
    """Build from "timezone" (path ["default" text] | text)."""
    if isinstance(parts[1], nodes.Text):
        return nodes.Timezone(None, parts[1], span_of(parts))
    return nodes.Timezone(parts[1], parts[3], span_of(parts))


def quiet(parts: Parts) -> nodes.QuietHours:
    """Build from "quiet" "hours" CLOCK "to" CLOCK."""
    return nodes.QuietHours(clock(parts[2]), clock(parts[4]), span_of(parts))
