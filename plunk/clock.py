"""The one place that reads the time; everything else is told.

Invariant I12: inside, time is aware UTC. A process's own clock may be wrong by minutes, so
what several machines must agree on (due times, leases) is read from the database and carried
forward between readings by the monotonic clock.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Protocol

STANDING_STILL = 1.0  # seconds; so far ahead, a clock waits until it is right
LONG_ROUND_TRIP = 0.5  # seconds
READINGS = 3  # of which one should be short


class Clock(Protocol):
    """Something that knows the time."""

    def now(self) -> datetime:
        """Return the current instant, aware and in UTC."""
        ...


class SystemClock:
    """The clock of this machine."""

    def now(self) -> datetime:
        """Return the machine's time in UTC."""
        return datetime.now(UTC)


class ManualClock:
    """A clock that stands still until it is told to move; for tests and simulation."""

    def __init__(self, start: datetime) -> None:
        self._now = start

    def now(self) -> datetime:
        """Return the instant the clock was last moved to."""
        return self._now

    def advance(self, by: timedelta) -> datetime:
        """Move the clock forward and return its new time."""
        self._now += by
        return self._now

    def move_to(self, at: datetime) -> None:
        """Set the clock, also backwards."""
        self._now = at


class SyncedClock:
    """Another machine's clock, read every `every` seconds and carried forward in between.

    Between readings it advances by this machine's monotonic clock, so a wrong or jumping wall
    clock here never shows. When it was ahead by up to a second it stands still until it is right;
    by more, the other clock was set back, and this one follows, as every other process does. A
    reading that fails is told to all who ask, and made again after `again` seconds.
    """

    def __init__(
        self, read: Callable[[], datetime], *, every: float = 10.0, again: float = 1.0
    ) -> None:
        self._read = read
        self._every = every
        self._again = again
        self._lock = threading.Lock()
        self._base: datetime | None = None
        self._at = 0.0
        self._under_way = 0.0  # how long the reading was; it may be wrong by that
        self._shown = datetime.min.replace(tzinfo=UTC)
        self._failure: tuple[float, Exception] | None = None

    def now(self) -> datetime:
        """Return the other machine's time, at most one round trip behind it."""
        with self._lock:
            elapsed = time.monotonic() - self._at
            if self._base is None or elapsed >= self._every:
                self._base, self._at = self._reading()
                elapsed = 0.0
            right = self._base + timedelta(seconds=elapsed)
            ahead = (self._shown - right).total_seconds()
            if ahead < 0 or ahead > STANDING_STILL + self._under_way:
                self._shown = right
            return self._shown

    def _reading(self) -> tuple[datetime, float]:
        """Return the other time and ours; one that was long under way says too little."""
        if self._failure and time.monotonic() - self._failure[0] < self._again:
            raise self._failure[1]
        for _ in range(READINGS):
            began = time.monotonic()
            try:
                read = self._read()
            except Exception as error:
                self._failure = (time.monotonic(), error)
                raise
            ended = time.monotonic()
            self._under_way = ended - began
            if self._under_way < LONG_ROUND_TRIP:
                break
        self._failure = None
        return read, ended


@lru_cache(maxsize=1_024)  # what happens together happens at one time
def iso(at: datetime) -> str:
    """Return the wire form of an instant: ISO 8601, UTC, milliseconds, `Z`."""
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def iso_or_none(at: datetime | None) -> str | None:
    """Return the wire form of an instant that may be missing."""
    return iso(at) if at else None


def patience(seconds: float) -> Callable[[], bool]:
    """Return a function that tells when this thread has worked so long; waiting does not count."""
    deadline = time.thread_time() + seconds
    return lambda: time.thread_time() > deadline
