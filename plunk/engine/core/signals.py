"""What can happen to a run from outside, and how the data of events is read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TypeAlias

from plunk.conditions.names import canonical_event

SUCCESS = range(200, 300)
RESERVED_NAMES = {"contact.subscribed", "contact.unsubscribed"}


@dataclass(frozen=True, slots=True)
class Entered:
    """The run stands before a step: it was just enrolled, or was moved there."""


@dataclass(frozen=True, slots=True)
class TimerFired:
    """The run's due time has come."""


@dataclass(frozen=True, slots=True)
class Looked:
    """Something about the run's subject may have changed: conditions are to be looked at again.

    `depth` counts the runs that led to the change (I8).
    """

    depth: int = 0


@dataclass(frozen=True, slots=True)
class EventArrived:
    """An event of the run's own subject; `depth` counts the runs that led to it (I8)."""

    event_id: str
    name: str
    data: Mapping[str, object] | None
    at: datetime
    depth: int = 0


@dataclass(frozen=True, slots=True)
class CallReturned:
    """How the web hook of visit `call` ended: with an HTTP answer, or with an `error`.

    `url` is the address that was really called; None means as configured.
    """

    call: int
    status: int | None = None
    body: object = None
    error: str | None = None
    url: str | None = None

    @property
    def ok(self) -> bool:
        """Whether the answer was a 2xx."""
        return self.error is None and self.status in SUCCESS


Signal: TypeAlias = Entered | TimerFired | Looked | EventArrived | CallReturned


def canonical_name(event_name: str) -> str:
    """Return the name under which an event is stored."""
    return canonical_event(event_name)


def is_reserved(event_name: str) -> bool:
    """Tell whether only the system itself may emit events of this name."""
    if event_name.startswith("segment."):
        return event_name.endswith((".entry", ".exit"))
    return event_name.startswith("email.") or event_name in RESERVED_NAMES


def event_context(data: Mapping[str, object] | None) -> dict[str, object]:
    """Return an event's data as conditions and templates see it: one-off values unwrapped."""
    return {key: _unwrapped(value) for key, value in (data or {}).items()}


def _unwrapped(value: object) -> object:
    match value:
        case {"value": inner, "persistent": False}:
            return inner
        case _:
            return value
