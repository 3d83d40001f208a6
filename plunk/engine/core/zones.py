"""Local time: what a clock on a wall says, as instants in UTC (I12).

A local time that clocks skip when they go forward means the first moment behind the gap; one that
happens twice when they go back means the first time.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from plunk.conditions.instants import UNIT_SECONDS, instant
from plunk.errors import InvalidExpression
from plunk.expressions.showing import shown

DAY_NAMES = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
DAYS = {
    **{name: frozenset({day}) for day, name in enumerate(DAY_NAMES)},
    "weekdays": frozenset(range(5)),
    "weekends": frozenset({5, 6}),
}
CALENDAR_DAYS = {"days": 1, "weeks": 7}
DATE_LENGTH = len("2026-03-01")
MAX_NAME = 64
ONE_DAY = timedelta(days=1)
WEEK = 7
ONE_SECOND = timedelta(seconds=1)


def find_zone(name: object) -> ZoneInfo | None:
    """Return the time zone of this name, or None when there is none."""
    if not isinstance(name, str) or not 0 < len(name) <= MAX_NAME:
        return None
    try:
        return ZoneInfo(name)
    except (KeyError, OSError, ValueError):  # unknown, a folder of names, or no name at all
        return None


def at_local(local: datetime, zone: ZoneInfo) -> datetime:
    """Return the instant at which clocks first show a local time, or have gone past it."""
    late = local.replace(tzinfo=zone, fold=0).astimezone(UTC)
    if late.astimezone(zone).replace(tzinfo=None, fold=0) == local.replace(fold=0):
        return late
    early = local.replace(tzinfo=zone, fold=1).astimezone(UTC)
    return _gap_end(early.replace(microsecond=0), late, zone)


def _gap_end(early: datetime, late: datetime, zone: ZoneInfo) -> datetime:
    """Return when the clocks go forward between two instants, on the second (by halving)."""
    before = early.astimezone(zone).utcoffset()
    low, high = 0, -(-(late - early) // ONE_SECOND)
    while high - low > 1:
        middle = (low + high) // 2
        if (early + middle * ONE_SECOND).astimezone(zone).utcoffset() == before:
            low = middle
        else:
            high = middle
    return early + high * ONE_SECOND


def next_time_of_day(
    after: datetime, at: time, zone: ZoneInfo, days: frozenset[int] | None = None
) -> datetime:
    """Return when clocks next show a time, strictly later, on one of these days of the week."""
    today = after.astimezone(zone).date()
    for distance in range(WEEK + 2):
        day = today + distance * ONE_DAY
        if days is None or day.weekday() in days:
            found = at_local(datetime.combine(day, at), zone)
            if found > after:
                return found
    raise InvalidExpression("there is no such day in a week")


def window_end(now: datetime, start: time, end: time, zone: ZoneInfo) -> datetime | None:
    """Return when the window that we are in ends, or None outside; it may span midnight."""
    local = now.astimezone(zone)
    clock = local.time()
    inside = start <= clock < end if start < end else clock >= start or clock < end
    if not inside:
        return None
    day = local.date() if clock < end else local.date() + ONE_DAY
    closing = datetime.combine(day, end)
    if local.fold:  # we are in the hour that comes twice, the second time
        again = closing.replace(tzinfo=zone, fold=1).astimezone(UTC)
        return max(again, at_local(closing, zone))
    return at_local(closing, zone)


def time_in(value: object, zone: ZoneInfo) -> datetime:
    """Return the instant that a value says: a bare date is the start of that day in the zone."""
    at = instant(value)
    if at is None or not isinstance(value, str):
        raise InvalidExpression(f"{shown(value)} is not a time")
    if len(value) != DATE_LENGTH:
        return at
    try:
        return at_local(datetime.combine(date.fromisoformat(value), time()), zone)
    except OverflowError as error:
        raise InvalidExpression(f"{shown(value)} is outside the calendar") from error


def shifted(at: datetime, amount: float, unit: str, zone: ZoneInfo) -> datetime:
    """Return an instant so much later; whole days and weeks keep the time of day in the zone."""
    try:
        if unit in CALENDAR_DAYS and float(amount).is_integer():
            local = at.astimezone(zone).replace(tzinfo=None)
            return at_local(local + timedelta(days=amount * CALENDAR_DAYS[unit]), zone)
        return at + timedelta(seconds=amount * UNIT_SECONDS[unit])
    except (OverflowError, ValueError) as error:
        raise InvalidExpression(f"{amount:g} {unit} from then is outside the calendar") from error
