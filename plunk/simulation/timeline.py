"""The timeline: what happened in a world, as values and as lines for people."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from plunk.conditions.instants import iso

MAX_SHOWN = 160
UTC_ZONE = ZoneInfo("UTC")


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing that happened: to a run when `run` is a number, else to the contact."""

    at: datetime
    kind: str
    text: str
    workflow: str | None = None
    run: int | None = None
    step: str | None = None
    contact: str | None = None
    details: Mapping[str, object] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """Return the wire form."""
        return {
            "at": iso(self.at),
            "kind": self.kind,
            "workflow": self.workflow,
            "run": self.run,
            "step": self.step,
            "text": self.text,
            "details": dict(self.details),
        }


def lines_of(entries: Iterable[Entry], zone: ZoneInfo = UTC_ZONE) -> Iterator[str]:
    """Yield a line for each entry; the time stands where it changes."""
    listed = list(entries)
    several = len({one.workflow for one in listed if one.workflow}) > 1
    last = ""
    for one in listed:
        at = clock_text(one.at, zone)
        head = at if at != last else " " * len(at)
        last = at
        yield f"{head}  {_who(one, several=several)}{one.text}".rstrip()


def clock_text(at: datetime, zone: ZoneInfo) -> str:
    """Return a time as clocks of a zone show it."""
    return f"{at.astimezone(zone):%Y-%m-%d %H:%M:%S}"


def _who(one: Entry, *, several: bool) -> str:
    if one.workflow is None:
        return ""
    name = f"{one.workflow}: " if several else ""
    return f"  {name}@{one.step} " if one.step else f"  {name}"


def json_text(value: object) -> str:
    """Return a value as it is written, shortened where it is long."""
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= MAX_SHOWN else f"{text[: MAX_SHOWN - 1]}…"
