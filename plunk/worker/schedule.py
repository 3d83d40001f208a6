"""The worker's timetable, and the scheduler that keeps it."""

from __future__ import annotations

import gc
import random
import signal
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, timedelta
from threading import Event
from types import FrameType

import structlog
from apscheduler.schedulers.background import BackgroundScheduler

from plunk.clock import SystemClock
from plunk.worker import jobs
from plunk.worker.bell import Bell
from plunk.worker.jobs import Worker
from plunk.worker.turns import Job, Turns

log = structlog.get_logger()


TIMETABLE = (
    Job("advance", jobs.advance_runs, queue="runs"),
    Job("revisions", jobs.revise_runs, seconds=1),
    Job("mail", jobs.deliver_mail, queue="emails"),
    Job("hooks", jobs.call_webhooks, queue="hooks"),
    Job("schedules", jobs.fire_schedules),
    Job("segments", jobs.compute_segments, seconds=5),
    Job("followers", jobs.follow_segments, seconds=5),
    # Not at once, and not all workers together: a restart has more urgent things to do.
    Job("retention", jobs.drop_old, seconds=3_600, soon=(60, 300)),
)


@dataclass(frozen=True, slots=True)
class Running:
    """A worker at work: the scheduler that ticks, and on PostgreSQL the bell that rings."""

    scheduler: BackgroundScheduler
    bell: Bell | None

    def stop(self) -> None:
        """Begin nothing more, and return when everything that was begun has ended."""
        if self.bell:
            self.bell.stop()
        self.scheduler.shutdown(wait=True)


def start(worker: Worker, *, poll_seconds: float) -> Running:
    """Start ticking and listening; missed ticks are made up for by one."""
    turns = {job: Turns(worker, job) for job in TIMETABLE}
    scheduler = _ticking(turns, poll_seconds)
    scheduler.start()
    bell = None
    if worker.database.dialect.name == "postgresql":
        rings = {job.queue: turn.take for job, turn in turns.items() if job.queue}
        bell = Bell(worker.database, rings)
        bell.start()
    return Running(scheduler, bell)


def _ticking(turns: Mapping[Job, Turns], poll_seconds: float) -> BackgroundScheduler:
    scheduler = BackgroundScheduler(
        timezone=UTC,
        job_defaults={"max_instances": 1, "coalesce": True, "misfire_grace_time": None},
    )
    for job, turn in turns.items():
        seconds = job.seconds or poll_seconds
        first = random.uniform(*job.soon) if job.soon else seconds  # noqa: S311 - no secret
        begins = SystemClock().now() + timedelta(seconds=first)
        scheduler.add_job(turn.take, "interval", seconds=seconds, id=job.name, next_run_time=begins)
    return scheduler


def collect_seldom() -> None:
    """Spare Python's collector what will never be garbage: a batch makes thousands of objects."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 50)


def work(worker: Worker, *, poll_seconds: float) -> None:
    """Work until SIGTERM or SIGINT, then finish what is under way and return."""
    told = Event()

    def stop(_number: int, _frame: FrameType | None) -> None:
        told.set()

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    collect_seldom()
    running = start(worker, poll_seconds=poll_seconds)
    log.info("worker.started")
    told.wait()
    worker.stopping.set()
    running.stop()
    jobs.close_worker(worker)
    log.info("worker.stopped")
