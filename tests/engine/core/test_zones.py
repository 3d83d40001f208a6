"""Local time, around the hours that do not exist and those that exist twice."""

from __future__ import annotations

from datetime import UTC, datetime, time
from zoneinfo import ZoneInfo

import pytest

from plunk.engine.core.zones import (
    DAY_NAMES,
    at_local,
    find_zone,
    next_time_of_day,
    shifted,
    time_in,
    window_end,
)
from plunk.errors import InvalidExpression

BRUSSELS, NEW_YORK = ZoneInfo("Europe/Brussels"), ZoneInfo("America/New_York")


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("zone", "local", "instant"),
    [
        ("UTC", "2026-03-29T02:30", "2026-03-29T02:30"),
        ("Europe/Brussels", "2026-01-01T09:00", "2026-01-01T08:00"),
        ("Europe/Brussels", "2026-07-01T09:00", "2026-07-01T07:00"),
        # clocks go forward: what they skip means the first moment behind the gap
        ("Europe/Brussels", "2026-03-29T01:59", "2026-03-29T00:59"),
        ("Europe/Brussels", "2026-03-29T02:00", "2026-03-29T01:00"),
        ("Europe/Brussels", "2026-03-29T02:30", "2026-03-29T01:00"),
        ("Europe/Brussels", "2026-03-29T02:59:59.999999", "2026-03-29T01:00"),
        ("Europe/Brussels", "2026-03-29T03:00", "2026-03-29T01:00"),
        ("America/New_York", "2026-03-08T02:30", "2026-03-08T07:00"),
        ("Australia/Lord_Howe", "2026-10-04T02:15", "2026-10-03T15:30"),  # by half an hour
        ("America/Santiago", "2026-09-06T00:00", "2026-09-06T04:00"),  # there is no midnight
        ("America/Santiago", "2026-09-06T00:30", "2026-09-06T04:00"),
        ("Pacific/Apia", "2011-12-30T12:00", "2011-12-30T10:00"),  # there is no such day
        # clocks go back: the first of two
        ("Europe/Brussels", "2026-10-25T02:30", "2026-10-25T00:30"),
        ("Europe/Brussels", "2026-10-25T03:00", "2026-10-25T02:00"),
        ("America/New_York", "2026-11-01T01:30", "2026-11-01T05:30"),
    ],
)
def test_local_times_as_instants(zone: str, local: str, instant: str) -> None:
    assert at_local(datetime.fromisoformat(local), ZoneInfo(zone)) == utc(instant)


@pytest.mark.parametrize(
    ("after", "at", "days", "expected"),
    [
        ("2026-03-02T07:59", "09:00", "", "2026-03-02T08:00"),  # Monday, 08:59 in Brussels
        ("2026-03-02T08:00", "09:00", "", "2026-03-03T08:00"),  # strictly later
        ("2026-03-02T08:01", "09:00", "", "2026-03-03T08:00"),
        ("2026-03-01T23:30", "00:15", "", "2026-03-02T23:15"),  # it is Monday in Brussels already
        ("2026-03-02T07:00", "09:00", "monday", "2026-03-02T08:00"),
        ("2026-03-02T09:00", "09:00", "monday", "2026-03-09T08:00"),
        ("2026-03-02T09:00", "09:00", "monday friday", "2026-03-06T08:00"),
        ("2026-03-06T09:00", "09:00", " ".join(DAY_NAMES[:5]), "2026-03-09T08:00"),
        ("2028-02-28T12:00", "09:00", "", "2028-02-29T08:00"),
        ("2028-02-29T12:00", "09:00", "tuesday", "2028-03-07T08:00"),
        ("2026-03-28T12:00", "02:30", "", "2026-03-29T01:00"),  # the gap
        ("2026-03-29T01:00", "02:30", "", "2026-03-30T00:30"),
        ("2026-03-22T12:00", "02:30", "sunday", "2026-03-29T01:00"),
        ("2026-10-24T12:00", "02:30", "", "2026-10-25T00:30"),  # the overlap
        ("2026-10-25T00:30", "02:30", "", "2026-10-26T01:30"),  # not once more an hour later
        ("2026-03-28T12:00", "09:00", "", "2026-03-29T07:00"),
    ],
)
def test_the_next_time_of_day(after: str, at: str, days: str, expected: str) -> None:
    chosen = frozenset(map(DAY_NAMES.index, days.split())) or None
    found = next_time_of_day(utc(after), time.fromisoformat(at), BRUSSELS, chosen)
    assert found == utc(expected)


@pytest.mark.parametrize(
    ("now", "window", "end"),
    [
        ("2026-03-02T12:00", "21:00 08:00", None),
        ("2026-03-02T19:59", "21:00 08:00", None),
        ("2026-03-02T20:00", "21:00 08:00", "2026-03-03T07:00"),
        ("2026-03-02T23:30", "21:00 08:00", "2026-03-03T07:00"),
        ("2026-03-03T06:59", "21:00 08:00", "2026-03-03T07:00"),
        ("2026-03-03T07:00", "21:00 08:00", None),
        ("2026-03-02T11:30", "12:00 14:00", "2026-03-02T13:00"),
        ("2026-03-02T13:00", "12:00 14:00", None),
        ("2026-03-28T22:00", "21:00 08:00", "2026-03-29T06:00"),
        ("2026-03-28T22:00", "21:00 02:30", "2026-03-29T01:00"),  # it ends inside the gap
        ("2026-03-29T01:00", "21:00 02:30", None),
        ("2026-10-24T22:00", "21:00 02:30", "2026-10-25T00:30"),
        ("2026-10-25T01:15", "21:00 02:30", "2026-10-25T01:30"),  # 02:15 for the second time
        ("2026-10-25T01:15", "21:00 08:00", "2026-10-25T07:00"),
    ],
)
def test_the_end_of_a_window(now: str, window: str, end: str | None) -> None:
    start, stop = map(time.fromisoformat, window.split())
    assert window_end(utc(now), start, stop, BRUSSELS) == (end and utc(end))


@pytest.mark.parametrize(
    ("value", "instant"),
    [
        ("2026-03-29", "2026-03-28T23:00"),
        ("2026-03-30", "2026-03-29T22:00"),
        ("2028-02-29", "2028-02-28T23:00"),
        ("2026-03-29T10:00", "2026-03-29T10:00"),
        ("2026-03-29T10:00+02:00", "2026-03-29T08:00"),
        ("2026-03-29 10:00:00Z", "2026-03-29T10:00"),
    ],
)
def test_times_and_bare_dates(value: str, instant: str) -> None:
    assert time_in(value, BRUSSELS) == utc(instant)


@pytest.mark.parametrize("value", [None, 5, True, "", "soon", "2026-02-30", "0001-01-01", ["x"]])
def test_what_is_no_time(value: object) -> None:
    with pytest.raises(InvalidExpression):
        time_in(value, BRUSSELS)


@pytest.mark.parametrize(
    ("at", "amount", "unit", "instant"),
    [
        ("2026-03-29T22:00", -3, "days", "2026-03-26T23:00"),  # midnight stays midnight
        ("2026-03-29T22:00", -72, "hours", "2026-03-26T22:00"),
        ("2026-03-29T22:00", -1, "weeks", "2026-03-22T23:00"),
        ("2026-03-29T22:00", 0.5, "days", "2026-03-30T10:00"),
        ("2026-03-28T01:30", 1, "days", "2026-03-29T01:00"),  # 02:30 is skipped
    ],
)
def test_days_are_days_of_the_calendar(at: str, amount: float, unit: str, instant: str) -> None:
    assert shifted(utc(at), amount, unit, BRUSSELS) == utc(instant)


def test_the_calendar_has_an_end() -> None:
    with pytest.raises(InvalidExpression, match="outside the calendar"):
        shifted(utc("9999-12-31T12:00"), 1, "weeks", NEW_YORK)


@pytest.mark.parametrize(
    "name", [None, 5, "", "Mars/Base", "America", "../../etc/passwd", "/etc", "x" * 99, "\0", "é"]
)
def test_what_is_no_zone(name: object) -> None:
    assert find_zone(name) is None
