"""Clocks: aware, in UTC, and backwards only when time itself was set back."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta, timezone

import pytest

from plunk.clock import (
    LONG_ROUND_TRIP,
    STANDING_STILL,
    ManualClock,
    SyncedClock,
    SystemClock,
    iso,
    iso_or_none,
    patience,
)

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
NEVER = 1_000_000.0  # seconds between readings: there is no second one
ALWAYS = 0.0


class Readings:
    """Another machine's clock that shows given times, the last one for ever."""

    def __init__(self, *times: datetime) -> None:
        self.times = list(times)
        self.asked = 0

    def __call__(self) -> datetime:
        self.asked += 1
        return self.times.pop(0) if len(self.times) > 1 else self.times[0]


def test_the_system_clock_is_aware_and_in_utc() -> None:
    assert SystemClock().now().tzinfo is UTC


def test_the_manual_clock_moves_when_it_is_told() -> None:
    clock = ManualClock(NOON)
    assert clock.now() == clock.now() == NOON
    assert clock.advance(HOUR) == clock.now() == NOON + HOUR
    clock.move_to(NOON - HOUR)
    assert clock.now() == NOON - HOUR


def test_a_synced_clock_shows_the_other_machines_time() -> None:
    assert SyncedClock(Readings(NOON)).now() == NOON


def test_between_readings_it_is_carried_forward() -> None:
    readings = Readings(NOON)
    clock = SyncedClock(readings, every=NEVER)
    shown = [clock.now() for _ in range(1000)]
    assert readings.asked == 1
    assert shown == sorted(shown)
    assert NOON == shown[0] < shown[-1] < NOON + HOUR


def test_it_follows_the_other_machine_forward() -> None:
    clock = SyncedClock(Readings(NOON, NOON + HOUR), every=ALWAYS)
    assert clock.now() == NOON
    assert clock.now() == NOON + HOUR


def test_when_it_is_a_little_ahead_it_stands_still() -> None:
    later = [NOON - timedelta(milliseconds=500 - 250 * turn) for turn in range(4)]
    clock = SyncedClock(Readings(NOON, *later), every=ALWAYS)
    shown = [clock.now() for _ in range(5)]
    assert shown == sorted(shown)
    assert NOON <= shown[0] == shown[1] == shown[2] < shown[4]


def test_a_clock_that_was_set_back_is_followed() -> None:
    clock = SyncedClock(Readings(NOON, NOON - HOUR, NOON - HOUR), every=ALWAYS)
    assert clock.now() >= NOON
    assert clock.now() < NOON - HOUR / 2


def test_a_reading_that_was_long_under_way_is_made_again() -> None:
    class Slow(Readings):
        def __call__(self) -> datetime:
            if not self.asked:
                threading.Event().wait(LONG_ROUND_TRIP)
            return super().__call__()

    readings = Slow(NOON, NOON + HOUR)
    assert SyncedClock(readings, every=NEVER).now() >= NOON + HOUR
    assert readings.asked == 2


class Failing(Readings):
    """Another machine's clock that cannot be read at first."""

    def __call__(self) -> datetime:
        if not self.asked:
            self.asked = 1
            raise ConnectionError
        return super().__call__()


def test_a_failed_reading_is_tried_again() -> None:
    clock = SyncedClock(Failing(NOON), every=NEVER, again=ALWAYS)
    with pytest.raises(ConnectionError):
        clock.now()
    assert clock.now() == NOON


def test_a_failed_reading_is_told_to_all_who_ask() -> None:
    readings = Failing(NOON)
    clock = SyncedClock(readings, every=NEVER, again=NEVER)
    for _ in range(3):
        with pytest.raises(ConnectionError):
            clock.now()
    assert readings.asked == 1


def test_many_threads_see_one_order() -> None:
    clock = SyncedClock(Readings(NOON, NOON - timedelta(seconds=STANDING_STILL / 2)), every=ALWAYS)
    unsorted: list[int] = []

    def watch() -> None:
        shown = [clock.now() for _ in range(200)]
        if shown != sorted(shown):
            unsorted.append(1)

    threads = [threading.Thread(target=watch) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert unsorted == []


@pytest.mark.parametrize(
    ("at", "text"),
    [
        (NOON, "2026-03-02T12:00:00.000Z"),
        (NOON + timedelta(microseconds=123_999), "2026-03-02T12:00:00.123Z"),
        (NOON.astimezone(timezone(5 * HOUR)), "2026-03-02T12:00:00.000Z"),
    ],
)
def test_times_on_the_wire(at: datetime, text: str) -> None:
    assert iso(at) == iso_or_none(at) == text


def test_no_time_on_the_wire() -> None:
    assert iso_or_none(None) is None


def test_patience_ends_with_work() -> None:
    is_late = patience(0.01)
    assert not patience(100)()
    while not is_late():
        sum(range(1_000))
    assert is_late()
