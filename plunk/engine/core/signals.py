"""What can happen to a run from outside, and how the data of events is read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TypeAlias

# Both spellings are in use; the present tense is what is stored.
ALIASES = {
    "email.opened": "email.open",
    "email.clicked": "email.click",
    "email.delivered": "email.delivery",
    "email.bounced": "email.bounce",
    "email.complained": "email.complaint",
}
SUCCESS = range(200, 300)


@dataclass(frozen=True, slots=True)
class Entered:
    """The run stands before a step: it was just enrolled, or was moved there."""


@dataclass(frozen=True, slots=True)
class TimerFired:
    """The run's due time has come."""


@dataclass(frozen=True, slots=True)
class EventArrived:
    """An event of the run's own subject."""

    event_id: str
    name: str
    data: Mapping[str, object] | None
    at: datetime


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


Signal: TypeAlias = Entered | TimerFired | EventArrived | CallReturned


def canonical_name(event_name: str) -> str:
    """Return the name under which an event is stored."""
    return ALIASES.get(event_name, event_name)


def event_context(data: Mapping[str, object] | None) -> dict[str, object]:
    """Return an event's data as conditions and templates see it: one-off values unwrapped."""
    return {key: _unwrapped(value) for key, value in (data or {}).items()}


def _unwrapped(value: object) -> object:
    match value:
        case {"value": inner, "persistent": False}:
            return inner
        case _:
            return value
