"""When schedules and dates come round, in every kind of time zone and year."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from plunk.services import schedules
from plunk.services.schedules import DateRule

FIELD = {"$expr": ["get", "contact", "data", "birthday"]}


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("cron", "zone", "after", "expected"),
    [
        ("0 9 * * MON", "UTC", "2026-03-02T08:59", "2026-03-02T09:00"),
        ("0 9 * * MON", "UTC", "2026-03-02T09:00", "2026-03-09T09:00"),
        ("0 9 * * MON", "Europe/Brussels", "2026-03-02T07:00", "2026-03-02T08:00"),
        ("0 9 * * *", "Europe/Brussels", "2026-03-28T20:00", "2026-03-29T07:00"),  # summer time
        ("30 2 * * *", "Europe/Brussels", "2026-03-28T20:00", "2026-03-29T01:00"),  # skipped hour
        ("30 2 * * *", "Europe/Brussels", "2026-10-24T20:00", "2026-10-25T00:30"),  # first of two
        ("30 2 * * *", "Europe/Brussels", "2026-10-25T00:30", "2026-10-26T01:30"),
        ("15 2 * * *", "Australia/Lord_Howe", "2026-10-03T00:00", "2026-10-03T15:30"),  # skipped
        ("30 0 * * *", "America/Santiago", "2026-09-05T12:00", "2026-09-06T04:00"),
        ("0 0 29 2 *", "UTC", "2026-03-02T00:00", "2028-02-29T00:00"),
        ("*/15 * * * *", "Asia/Kathmandu", "2026-03-02T00:01", "2026-03-02T00:15"),
    ],
)
def test_the_next_occurrence(cron: str, zone: str, after: str, expected: str) -> None:
    found = schedules.following_cron(cron, zone, at(after))
    assert found == at(expected)
    assert schedules.latest_cron(cron, zone, at(expected)) == at(expected)
    assert schedules.latest_cron(cron, zone, at(expected) + timedelta(seconds=59)) == at(expected)


@pytest.mark.parametrize(
    ("cron", "is_good"),
    [
        ("0 9 * * MON", True),
        ("@daily", False),
        ("0 9 * *", False),
        ("0 0 9 * * MON", False),  # with seconds
        ("61 9 * * *", False),
        ("0 0 31 2 *", False),  # never
        ("", False),
        ("0 9 * * FUNDAY", False),
    ],
)
def test_what_is_a_schedule(cron: str, is_good: bool) -> None:  # noqa: FBT001 - a table
    assert schedules.is_cron(cron) is is_good


def test_looks_are_on_the_quarter() -> None:
    assert schedules.next_look(at("2026-03-02T12:00")) == at("2026-03-02T12:15")
    assert schedules.next_look(at("2026-03-02T12:59:59.5")) == at("2026-03-02T13:00")
    assert schedules.latest_look(at("2026-03-02T12:15")) == at("2026-03-02T12:15")
    assert schedules.latest_look(at("2026-03-02T12:14")) == at("2026-03-02T12:00")


def rule(**config: object) -> DateRule:
    return DateRule.of({"field": FIELD, **config})


YEARLY = {"everyYear": True, "at": "09:00"}
MINUS_3 = {"offset": {"amount": -3, "unit": "days"}}
CASES = [
    # rule, value, zone, expected
    ({"at": "09:00"}, "2026-05-01", "UTC", "2026-05-01T09:00"),
    ({"at": "09:00"}, "2026-05-01", "America/New_York", "2026-05-01T13:00"),
    ({}, "2026-05-01", "America/New_York", "2026-05-01T04:00"),
    ({}, "2026-05-01T10:30:00Z", "America/New_York", "2026-05-01T10:30"),
    ({"at": "09:00"}, "2026-05-01T02:00:00Z", "America/New_York", "2026-04-30T13:00"),
    ({**MINUS_3}, "2026-05-01", "UTC", "2026-04-28T00:00"),
    ({"offset": {"amount": 2, "unit": "hours"}}, "2026-05-01", "UTC", "2026-05-01T02:00"),
    ({"offset": {"amount": 1, "unit": "weeks"}}, "2026-05-01", "UTC", "2026-05-08T00:00"),
    ({"at": "02:30"}, "2026-03-29", "Europe/Brussels", "2026-03-29T01:00"),  # skipped: 03:00
    ({"at": "02:15"}, "2026-10-04", "Australia/Lord_Howe", "2026-10-03T15:30"),  # half an hour
    # three days before a Monday after the clocks went forward is still nine o'clock
    ({**MINUS_3, "at": "09:00"}, "2026-03-30", "Europe/Brussels", "2026-03-27T08:00"),
    (YEARLY, "1990-05-01", "UTC", "2026-05-01T09:00"),
    (YEARLY, "1990-05-01T23:30:00+02:00", "UTC", "2026-05-01T09:00"),
    ({**YEARLY, **MINUS_3}, "1990-01-02", "UTC", "2026-12-30T09:00"),
    (YEARLY, "1992-02-29", "UTC", "2026-02-28T09:00"),
    (YEARLY, "1992-02-29", "UTC", "2028-02-29T09:00"),
]


@pytest.mark.parametrize(("config", "value", "zone", "expected"), CASES)
def test_a_date_comes_round(config: dict, value: str, zone: str, expected: str) -> None:
    wanted, moment = rule(**config), at(expected)
    window = moment - timedelta(minutes=15), moment
    assert schedules.due(wanted, value, ZoneInfo(zone), *window) == moment
    for start, end in ((moment, moment + timedelta(days=1)), (window[0] - timedelta(1), window[0])):
        assert schedules.due(wanted, value, ZoneInfo(zone), start, end) is None
    days = schedules.candidates(wanted, *window)
    if wanted.every_year:
        assert value[5:10] in {f"{day:%m-%d}" for day in days}
    else:
        assert value[:10] in {f"{day}" for day in days}


@pytest.mark.parametrize("value", [None, "", "soon", 5, True, "2026-02-30", [], "9999-12-31"])
def test_what_is_no_date_never_comes_round(value: object) -> None:
    window = at("2026-01-01T00:00"), at("2026-12-31T23:00")
    for config in ({}, YEARLY, {**YEARLY, **MINUS_3}):
        assert schedules.due(rule(**config), value, ZoneInfo("UTC"), *window) is None


def test_an_anniversary_does_not_come_before_its_date() -> None:
    window = at("2026-04-30T00:00"), at("2026-05-02T00:00")
    assert schedules.due(rule(**YEARLY), "2027-05-01", ZoneInfo("UTC"), *window) is None
