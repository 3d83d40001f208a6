"""What happened to a contact: which of it a condition asks about, and the answers."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from plunk.conditions.matches import cutoff
from plunk.conditions.nodes import (
    All,
    Any,
    Condition,
    Count,
    Emails,
    Events,
    History,
    Membership,
    Not,
    Test,
)


def asked(condition: Condition) -> frozenset[History]:
    """Return what a condition asks of history; inside `where` history is not asked."""
    return frozenset(_asked(condition))


def _asked(condition: Condition) -> Iterator[History]:
    match condition:
        case All(parts) | Any(parts):
            for part in parts:
                yield from _asked(part)
        case Not(part):
            yield from _asked(part)
        case Test(field=field, value=value):
            for operand in (field, value):
                if isinstance(operand, Events | Emails | Membership | Count):
                    yield operand


@dataclass(frozen=True, slots=True)
class StoredEvent:
    """An event of the contact; `data` is as conditions see it (one-off values unwrapped)."""

    name: str
    at: datetime
    data: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class StoredEmail:
    """An e-mail of the contact: activity → the instant it first happened."""

    template_id: str | None
    activities: Mapping[str, datetime]


class Past(Protocol):
    """All that is known about a contact's history."""

    def events(self, name: str) -> Iterable[StoredEvent]:
        """Return the events of a name, in any order."""
        ...

    def emails(self) -> Iterable[StoredEmail]:
        """Return the e-mails, in any order."""
        ...

    def is_member(self, segment_id: str) -> bool:
        """Tell whether the contact is in a segment."""
        ...


def answer(
    operand: History,
    past: Past,
    meets: Callable[[Condition, StoredEvent], bool],
    now: datetime,
) -> object:
    """Return what history says to one operand; `meets` judges an event by a `where`."""
    match operand:
        case Events(name, where):
            return max((event.at for event in _met(past, name, where, meets)), default=None)
        case Count(name, where, within, unit):
            since = cutoff(now, within, unit) if unit else None
            met = _met(past, name, where, meets)
            return sum(1 for event in met if since is None or event.at >= since)
        case Emails(activity, template_id):
            sent = past.emails()
            mails = [one for one in sent if template_id in {None, one.template_id}]
            times = [one.activities[activity] for one in mails if activity in one.activities]
            return max(times, default=None)
        case Membership(segment_id):
            return past.is_member(segment_id)


def _met(
    past: Past,
    name: str,
    where: Condition | None,
    meets: Callable[[Condition, StoredEvent], bool],
) -> Iterator[StoredEvent]:
    for event in past.events(name):
        if event.name == name and (where is None or meets(where, event)):
            yield event
