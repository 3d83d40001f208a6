"""What the worker does at each tick: plain functions that drain one queue each."""

from __future__ import annotations

import random
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, wait
from contextvars import copy_context
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from threading import Event

import structlog
from sqlalchemy import Engine as DatabaseEngine
from sqlalchemy.orm import Session, sessionmaker

from plunk import outbound
from plunk.clock import Clock, SyncedClock
from plunk.config import Settings
from plunk.db import database_now, open_engine, session_factory, transaction
from plunk.delivery.provider import Provider, chunk_of, open_provider
from plunk.engine.shell.batch import Engine, advance_due
from plunk.engine.shell.computing import compute_due
from plunk.engine.shell.firing import fire_due
from plunk.engine.shell.following import Follower, follow
from plunk.engine.shell.hooks import Caller, call_due
from plunk.engine.shell.mail import Mailer, deliver_due
from plunk.engine.shell.revising import Reviser, revise_due
from plunk.metrics import Meter
from plunk.security import Seal
from plunk.services import retention
from plunk.services.asked_events import Questions
from plunk.services.retention import Rule

log = structlog.get_logger()
HOOK_LANES = 8  # projects whose web hooks are called at one time
HOOK_THREADS = 64  # calls at one time
ADVANCERS = 2  # one batch is computed while the database writes the other
TURNS = 5


@dataclass(frozen=True, slots=True)
class Worker:
    """A worker's parts; `stopping` is set when it should finish what it holds and end."""

    database: DatabaseEngine
    engine: Engine
    mailer: Mailer
    caller: Caller
    stopping: Event
    advancers: ThreadPoolExecutor
    at_once: int  # batches of runs
    rules: tuple[Rule, ...] = ()
    follower: Follower = field(default_factory=Follower)
    reviser: Reviser = field(default_factory=Reviser)
    meter: Meter = field(default_factory=Meter)


def open_worker(
    settings: Settings, *, clock: Clock | None = None, provider: Provider | None = None
) -> Worker:
    """Return a worker on these settings; nothing runs yet."""
    # Each lane of web hooks may need two connections: its own, and that which keeps its lease.
    pool = {} if settings.is_sqlite else {"max_overflow": 2 * HOOK_LANES + 10}
    database = open_engine(settings.database_url, **pool)
    sessions = session_factory(database)
    time = clock or SyncedClock(lambda: database_now(database))
    mail = provider or open_provider(
        settings.mail_url, instance_folder=settings.instance_path, clock=time
    )
    meter = Meter()
    at_once = 1 if settings.is_sqlite else ADVANCERS
    stopping = Event()
    return Worker(
        database=database,
        engine=Engine(sessions, time, settings.dashboard_url, meter=meter, stopping=stopping),
        mailer=Mailer(
            sessions,
            time,
            mail,
            settings.api_url,
            random.random,
            chunk=chunk_of(settings.mail_url),
            lease=timedelta(seconds=settings.lease_seconds),
            meter=meter,
            stopping=stopping,
        ),
        caller=_caller(settings, sessions, time, meter, stopping),
        stopping=stopping,
        rules=retention.rules(settings),
        meter=meter,
        advancers=ThreadPoolExecutor(at_once, thread_name_prefix="advance"),
        at_once=at_once,
    )


def _caller(
    settings: Settings, sessions: sessionmaker[Session], time: Clock, meter: Meter, stopping: Event
) -> Caller:
    return Caller(
        sessions,
        time,
        partial(outbound.call, allow_private=settings.webhook_allow_private),
        ThreadPoolExecutor(HOOK_LANES, thread_name_prefix="hooks"),
        ThreadPoolExecutor(HOOK_THREADS, thread_name_prefix="hook"),
        random.random,
        Seal(settings.secret_key),
        lease=timedelta(seconds=settings.lease_seconds),
        meter=meter,
        stopping=stopping,
    )


def close_worker(worker: Worker) -> None:
    """Let go of connections and threads."""
    worker.caller.lanes.shutdown(cancel_futures=True)
    worker.caller.threads.shutdown()
    worker.advancers.shutdown()
    worker.mailer.provider.close()
    worker.database.dispose()


def advance_runs(worker: Worker) -> None:
    """Advance every due run, as many batches at once as there are threads for it."""
    turn = partial(_drain, worker, partial(advance_due, worker.engine))
    # Each in a context like this one: log lines name the job.
    turns = [partial(copy_context().run, turn) for _ in range(worker.at_once)]
    drains = [worker.advancers.submit(one) for one in turns]
    wait(drains)  # for all of them, also when one has failed
    for drained in drains:
        drained.result()


def revise_runs(worker: Worker) -> None:
    """Bring runs over to what was deployed; so many a second that nobody else has to wait."""
    for _ in range(TURNS):
        if worker.stopping.is_set() or not revise_due(worker.engine, worker.reviser):
            return


def deliver_mail(worker: Worker) -> None:
    """Deliver every due message."""
    _drain(worker, lambda: deliver_due(worker.mailer))


def call_webhooks(worker: Worker) -> None:
    """Make every due web hook call."""
    _drain(worker, lambda: call_due(worker.caller))


def fire_schedules(worker: Worker) -> None:
    """Send contacts into the workflows whose schedules and dates have come round."""
    _drain(worker, lambda: fire_due(worker.engine))


def compute_segments(worker: Worker) -> None:
    """Count segments, and note down who entered and left those that track it."""
    _drain(worker, lambda: compute_due(worker.engine))


def follow_segments(worker: Worker) -> None:
    """Look at whether contacts that events are about have entered or left tracked segments."""
    follow(worker.engine, worker.follower)


def drop_old(worker: Worker) -> None:
    """Let go of what is older than the settings say, one short transaction after the other.

    A rule that fails does not keep the next ones from their turn.
    """
    questions, failures = Questions(), []
    for rule in worker.rules:
        try:
            _drain(worker, partial(_drop_batch, worker, rule, questions))
        except Exception as error:  # noqa: BLE001 - raised again below
            error.add_note(f"while {rule.name} were to go")
            failures.append(error)
    if failures:
        raise ExceptionGroup("Retention failed.", failures)


def _drop_batch(worker: Worker, rule: Rule, questions: Questions) -> int:
    with transaction(worker.engine.sessions) as session:
        return retention.take(session, rule, questions, now=worker.engine.clock.now())


def _drain(worker: Worker, turn: Callable[[], int]) -> None:
    """Take turns until one finds nothing, or the worker is told to stop."""
    while not worker.stopping.is_set() and turn():
        pass
