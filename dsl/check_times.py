"""Times of day, days of the week, time zones and schedules."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo, available_timezones

from dsl import cron
from dsl.diagnostics import Diagnostic, fix, report
from dsl.moments import is_clock
from dsl.strings import encode
from dsl.suggestions import advice, nearest
from dsl.vocabulary import DAYS, WEEKDAYS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from dsl import nodes
    from dsl.spans import Source

_LONGEST_ZONE = 64


def check_clock(source: Source, time: nodes.Text) -> Iterator[Diagnostic]:
    """Report a time that no clock shows."""
    if not is_clock(time.value):
        midnight = (fix(source, time.span, "00:00"),) if time.value == "24:00" else ()
        message = f"a day has the times 00:00 to 23:59, and no {time.value}"
        yield report(source, "FLOW-E315", time.span, message, fixes=midnight)


def check_days(source: Source, days: Iterable[nodes.Text]) -> Iterator[Diagnostic]:
    """Report days of no week."""
    for day in days:
        if day.value not in DAYS:
            short = _short(day.value)
            hint, edits = advice(source, day.span, day.value, DAYS)
            if short:
                hint, edits = None, (fix(source, day.span, short),)
            known = f"{', '.join(WEEKDAYS)}, weekdays and weekends"
            message = f"{day.value!r} is no day; known are {known}"
            yield report(source, "FLOW-E316", day.span, message, hint=hint, fixes=edits)


def check_zone(source: Source, zone: nodes.Text) -> Iterator[Diagnostic]:
    """Report the name of a time zone that there is not."""
    if _is_zone(zone.value):
        return
    meant = nearest_zone(zone.value)
    city = meant.rpartition("/")[2] if meant else ""
    hint, edits = advice(source, zone.span, zone.value, [meant] if meant else [], encode)
    if meant and city.lower() == zone.value.lower().replace(" ", "_"):
        hint, edits = None, (fix(source, zone.span, encode(meant)),)
    message = f'there is no time zone {zone.value!r}; they are called like "Europe/Brussels"'
    yield report(source, "FLOW-E317", zone.span, message, hint=hint, fixes=edits)


def check_cron(source: Source, schedule: nodes.Text) -> Iterator[Diagnostic]:
    """Report a schedule that cannot be read, or that never comes round."""
    message = cron.problem(schedule.value)
    if message:
        yield report(source, "FLOW-E318", schedule.span, message)


def nearest_zone(written: str) -> str | None:
    """Return the time zone that was probably meant, by its whole name or its city."""
    zones = _zones()
    whole = nearest(written, zones, len(zones))
    if whole:
        return whole
    cities = {zone.rpartition("/")[2]: zone for zone in sorted(zones, reverse=True)}
    city = nearest(written.replace(" ", "_"), cities, len(cities))
    return cities[city] if city else None


@cache
def _zones() -> frozenset[str]:
    return frozenset(available_timezones())


def _is_zone(name: str) -> bool:
    if not 0 < len(name) <= _LONGEST_ZONE:
        return False
    try:
        ZoneInfo(name)
    except (KeyError, OSError, ValueError):  # unknown, a folder of names, or no name at all
        return False
    return True


def _short(written: str) -> str | None:
    """Return the day that a word of three letters stands for: mon, Tue."""
    found = [day for day in WEEKDAYS if len(written) > 1 and day.startswith(written.lower())]
    return found[0] if len(found) == 1 else None
