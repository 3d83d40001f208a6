"""When schedules and dates come round: pure arithmetic on instants and time zones.

A local time that a change to summer time skips means the first moment behind the gap; one that
happens twice counts the first time (I12).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from cronsim import CronSim, CronSimError

from plunk.conditions.instants import UNIT_SECONDS, instant
from plunk.engine.core.zones import at_local, find_zone

CRON_FIELDS = 5
GRACE = timedelta(hours=24)
LOOK_EVERY = timedelta(minutes=15)  # every zone there is differs from UTC by such steps
AROUND = timedelta(days=2)  # a local date is never further from its instant
WHOLE_DAYS = {"days": 1, "weeks": 7}
DATE_ONLY = re.compile(r"\d{4}-\d\d-\d\d\Z", re.ASCII)
TIME_OF_DAY = re.compile(r"([01]\d|2[0-3]):[0-5]\d\Z", re.ASCII)
MIDNIGHT = time()


def is_cron(text: str) -> bool:
    """Tell whether the text is a schedule in five fields that comes round at all."""
    if len(text.split()) != CRON_FIELDS:
        return False
    return following_cron(text, "UTC", datetime(2000, 1, 1, tzinfo=UTC)) is not None


def following_cron(cron: str, zone_name: str, after: datetime) -> datetime | None:
    """Return the first occurrence after an instant, or None when none is to come."""
    return _tick(cron, zone_name, after, reverse=False)


def latest_cron(cron: str, zone_name: str, until: datetime) -> datetime | None:
    """Return the last occurrence up to and including an instant."""
    just_after = until.replace(microsecond=0) + timedelta(seconds=1)
    return _tick(cron, zone_name, just_after, reverse=True)


def _tick(cron: str, zone_name: str, start: datetime, *, reverse: bool) -> datetime | None:
    here = start.astimezone(find_zone(zone_name) or UTC)
    try:
        found = next(CronSim(cron, here, reverse=reverse), None)
    except (CronSimError, OverflowError):
        return None
    return None if found is None else found.astimezone(UTC)


@dataclass(frozen=True, slots=True)
class DateRule:
    """When a date of a contact comes round: at which time of day, how much before or after."""

    field: Any
    every_year: bool = False
    at: time | None = None
    offset: timedelta = timedelta()
    offset_days: int = 0

    @classmethod
    def of(cls, config: Mapping[str, Any]) -> DateRule:
        """Return the rule that a stored configuration stands for."""
        amount, unit = _offset(config.get("offset"))
        days = WHOLE_DAYS.get(unit)
        is_whole = days is not None and amount == int(amount)
        return cls(
            field=config["field"],
            every_year=bool(config.get("everyYear")),
            at=time.fromisoformat(config["at"]) if config.get("at") else None,
            offset=timedelta() if is_whole else timedelta(seconds=amount * UNIT_SECONDS[unit]),
            offset_days=int(amount * (days or 0)) if is_whole else 0,
        )

    @property
    def shift(self) -> timedelta:
        """Return by how much the rule moves a date, about."""
        return self.offset + timedelta(days=self.offset_days)


def _offset(raw: Mapping[str, Any] | None) -> tuple[float, str]:
    return (raw["amount"], raw["unit"]) if raw else (0, "days")


def next_look(after: datetime) -> datetime:
    """Return when dates are looked at next: on the quarter of an hour."""
    hour = after.replace(minute=0, second=0, microsecond=0)
    quarters = (after - hour) // LOOK_EVERY + 1
    return hour + quarters * LOOK_EVERY


def latest_look(until: datetime) -> datetime:
    """Return the last quarter of an hour up to and including an instant."""
    return next_look(until) - LOOK_EVERY


def candidates(rule: DateRule, start: datetime, end: datetime) -> list[date]:
    """Return the dates that could come round between two instants, in some zone."""
    first = (start - rule.shift - AROUND).date()
    last = (end - rule.shift + AROUND).date()
    days = [first + timedelta(days=at) for at in range((last - first).days + 1)]
    leap = [date(2000, 2, 29)] if any((day.month, day.day) == (2, 28) for day in days) else []
    return [*days, *leap] if rule.every_year else days


def due(
    rule: DateRule, value: object, here: ZoneInfo, start: datetime, end: datetime
) -> datetime | None:
    """Return when the value comes round after `start` and up to `end`, or None if it does not."""
    for local in _occasions(rule, value, here, start, end):
        moment = _moved(rule, local, here)
        if moment is not None and start < moment <= end:
            return moment
    return None


def _occasions(
    rule: DateRule, value: object, here: ZoneInfo, start: datetime, end: datetime
) -> Iterator[datetime]:
    """Yield the local times, without a zone, that the value stands for around a stretch of time."""
    local = _local(rule, value, here)
    if local is None:
        return
    if not rule.every_year:
        yield local
        return
    first, last = (start - rule.shift - AROUND).year, (end - rule.shift + AROUND).year
    for year in range(max(first, local.year), last + 1):
        yield _in_year(local, year)


def _local(rule: DateRule, value: object, here: ZoneInfo) -> datetime | None:
    at = instant(value)
    if at is None:
        return None
    try:
        local = at if DATE_ONLY.match(str(value)) else at.astimezone(here)
    except OverflowError:
        return None
    local = local.replace(tzinfo=None)
    return local if rule.at is None else datetime.combine(local.date(), rule.at)


def _in_year(local: datetime, year: int) -> datetime:
    """Return the anniversary; who was born on 29 February celebrates on the 28th in other years."""
    try:
        return local.replace(year=year)
    except ValueError:
        return local.replace(year=year, day=28)


def _moved(rule: DateRule, local: datetime, here: ZoneInfo) -> datetime | None:
    try:
        return at_local(local + timedelta(days=rule.offset_days), here) + rule.offset
    except OverflowError:
        return None
