"""The worker's timetable, and the scheduler that keeps it."""

from __future__ import annotations

import gc
import signal
from collections.abc import Callable
from datetime import UTC
from threading import Event
from types import FrameType
from typing import NamedTuple

import structlog
from apscheduler.schedulers.background import BackgroundScheduler

from plunk.worker import jobs
from plunk.worker.jobs import Worker

log = structlog.get_logger()


class Job(NamedTuple):
    """One line of the timetable; `seconds` None stands for the poll interval."""

    name: str
    run: Callable[[Worker], None]
    seconds: float | None = None


TIMETABLE = (
    Job("advance", jobs.advance_runs),
    Job("revisions", jobs.revise_runs, seconds=1),
    Job("mail", jobs.deliver_mail),
    Job("hooks", jobs.call_webhooks),
    Job("schedules", jobs.fire_schedules),
    Job("segments", jobs.compute_segments, seconds=5),
    Job("followers", jobs.follow_segments, seconds=5),
    Job("forget_keys", jobs.forget_keys, seconds=3_600),
    Job("retention", jobs.drop_old, seconds=3_600),
)


def start(worker: Worker, *, poll_seconds: float) -> BackgroundScheduler:
    """Start ticking; a job never overlaps itself, and missed ticks are made up for by one."""
    scheduler = BackgroundScheduler(
        timezone=UTC,
        job_defaults={"max_instances": 1, "coalesce": True, "misfire_grace_time": None},
    )
    for job in TIMETABLE:
        scheduler.add_job(
            _guarded(job),
            "interval",
            args=[worker],
            seconds=job.seconds or poll_seconds,
            id=job.name,
        )
    scheduler.start()
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
    scheduler = start(worker, poll_seconds=poll_seconds)
    log.info("worker.started")
    told.wait()
    worker.stopping.set()
    scheduler.shutdown(wait=True)
    jobs.close_worker(worker)
    log.info("worker.stopped")


def _guarded(job: Job) -> Callable[[Worker], None]:
    """Return the job so that one that fails is logged and runs again at its next tick."""

    def run(worker: Worker) -> None:
        with structlog.contextvars.bound_contextvars(job=job.name):
            try:
                job.run(worker)
            except Exception:  # the loop must outlive whatever happens in it
                log.exception("job.failed")
                worker.meter.failed(job.name)

    return run
