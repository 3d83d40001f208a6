"""Turns of one job: one at a time, and with a rest when the database is away."""

from __future__ import annotations

import time
from collections.abc import Callable
from threading import Event, Lock
from typing import NamedTuple

import structlog

from plunk.db import is_passing
from plunk.worker.jobs import Worker

log = structlog.get_logger()
SHORTEST_REST, LONGEST_REST = 1.0, 10.0  # seconds


class Job(NamedTuple):
    """One line of the timetable; `seconds` None stands for the poll interval.

    What comes seldom has its first turn `soon`, or a worker that is restarted often never did it.
    """

    name: str
    run: Callable[[Worker], None]
    seconds: float | None = None
    queue: str | None = None
    soon: tuple[float, float] | None = None  # between so many seconds after the start


class Turns:
    """Runs a job for whoever asks, once at a time; who asks meanwhile makes it run again.

    After what will pass by itself, such as a restart of the database, it rests, longer each time.
    """

    def __init__(
        self, worker: Worker, job: Job, *, seconds: Callable[[], float] = time.monotonic
    ) -> None:
        self._worker = worker
        self._job = job
        self._seconds = seconds
        self._asked = Event()
        self._running = Lock()
        self._rest = 0.0
        self._rests_until = 0.0

    def take(self) -> None:
        """Run the job, or leave it to who is running it; one that fails waits for its next turn."""
        self._asked.set()
        while self._asked.is_set() and self._running.acquire(blocking=False):
            try:
                self._asked.clear()
                if not self._is_resting():
                    self._run()
            finally:
                self._running.release()

    def _is_resting(self) -> bool:
        return bool(self._rest) and self._seconds() < self._rests_until

    def _run(self) -> None:
        with structlog.contextvars.bound_contextvars(job=self._job.name):
            try:
                self._job.run(self._worker)
            except Exception as error:  # the loop must outlive whatever happens in it
                if _passes(error):
                    self._postpone(error)
                    return
                log.exception("job.failed")
                self._worker.meter.failed(self._job.name)
            self._rest = 0.0

    def _postpone(self, error: Exception) -> None:
        self._rest = min(max(SHORTEST_REST, 2 * self._rest), LONGEST_REST)
        self._rests_until = self._seconds() + self._rest
        log.warning("job.postponed", reason=_line(error), seconds=self._rest)


def _passes(error: Exception) -> bool:
    if isinstance(error, ExceptionGroup):
        return all(map(_passes, error.exceptions))
    return is_passing(error)


def _line(error: Exception) -> str:
    """Return what the database said, in one line."""
    if isinstance(error, ExceptionGroup):
        return _line(error.exceptions[0])
    said = str(getattr(error, "orig", error)).strip()
    return said.partition("\n")[0][:200]
