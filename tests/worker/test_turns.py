"""Jobs whose database is away wait for it, and say so in one line."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import structlog
from sqlalchemy import text

from plunk import logs
from plunk.config import read_settings
from plunk.db import open_engine
from plunk.metrics import Meter
from plunk.worker.turns import Job, Turns
from tests.factories import Machine

AWAY = "postgresql+psycopg://nobody@127.0.0.1:1/nothing"
Told = Callable[[], list[dict[str, Any]]]


@pytest.fixture
def logging(capsys: pytest.CaptureFixture[str]) -> Iterator[Callable[[], Told]]:
    """Return a function that begins to log, and reads what was logged since it was asked last."""

    def start() -> Told:
        capsys.readouterr()
        logs.configure(read_settings({"LOG_LEVEL": "warning"}))
        return lambda: [json.loads(line) for line in capsys.readouterr().err.splitlines()]

    yield start
    structlog.reset_defaults()
    structlog.contextvars.clear_contextvars()


class Turning:
    """A job that meets a database which is away, or fails otherwise, on a clock of its own."""

    def __init__(self, machine: Machine) -> None:
        self.now = 1_000.0
        self.ran: list[float] = []
        self.error: Exception | None = None
        self.meter: Meter = machine.worker.meter
        self._turns = Turns(machine.worker, Job("mail", self._run), seconds=lambda: self.now)

    def _run(self, _worker: Any) -> None:
        self.ran.append(self.now)
        if self.error:
            raise self.error

    def run_for(self, seconds: int) -> list[float]:
        """Ask for a turn every second; return after how many seconds there was one."""
        start, self.ran = self.now, []
        for _ in range(seconds):
            self._turns.take()
            self.now += 1
        return [at - start for at in self.ran]


@pytest.fixture
def turning(machine: Machine) -> Turning:
    """Return a job to turn."""
    return Turning(machine)


def away() -> Exception:
    """Return the error of a database that cannot be reached."""
    with pytest.raises(Exception, match="refused") as failed, open_engine(AWAY).connect() as one:
        one.execute(text("SELECT 1"))
    return failed.value


def test_a_job_whose_database_is_away_rests_longer_each_time(
    turning: Turning, logging: Any
) -> None:
    told = logging()
    turning.error = away()
    assert turning.run_for(30) == [0, 1, 3, 7, 15, 25]
    lines = told()
    assert [(line["event"], line["level"], line["job"]) for line in lines] == [
        ("job.postponed", "warning", "mail")
    ] * 6
    assert all(len(json.dumps(line)) < 500 and "refused" in line["reason"] for line in lines)
    assert b"job_failures_total{" not in turning.meter.text()


def test_it_works_as_before_when_the_database_is_back(turning: Turning) -> None:
    turning.error = away()
    turning.run_for(12)
    turning.error = None
    assert turning.run_for(6) == [3, 4, 5]
    turning.error = away()
    assert turning.run_for(3) == [0, 1]


def test_several_failures_of_one_job_pass_when_all_of_them_do(
    turning: Turning, logging: Any
) -> None:
    told = logging()
    turning.error = ExceptionGroup("Retention failed.", [away(), away()])
    turning.run_for(1)
    assert [line["event"] for line in told()] == ["job.postponed"]
    turning.now += 60
    turning.error = ExceptionGroup("Retention failed.", [away(), ValueError("odd")])
    turning.run_for(1)
    assert [line["event"] for line in told()] == ["job.failed"]


def test_any_other_failure_is_an_error_with_its_traceback(turning: Turning, logging: Any) -> None:
    told = logging()
    turning.error = ValueError("odd")
    assert turning.run_for(3) == [0, 1, 2]
    assert [line["event"] for line in told()] == ["job.failed"] * 3
    assert b'plunk_job_failures_total{job="mail"} 3.0' in turning.meter.text()
