"""Delivering web hooks: lease calls, make them, and tell the waiting runs how they ended.

Invariant I6: at least once, with the same Idempotency-Key on every attempt. Any HTTP answer ends
the call unless the step's `retry` names its status; network errors are tried again with growing
pauses, then the step fails. The run stays RUNNING with a deadline meanwhile.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import Executor, Future, wait
from contextvars import copy_context
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from threading import Event
from typing import Any

import structlog
from sqlalchemy import select, update
from sqlalchemy.orm import Session, sessionmaker

from plunk.clock import Clock, iso_or_none
from plunk.db import is_passing, table_of, transaction
from plunk.delivery.retry import next_attempt
from plunk.engine.shell import lease, telling
from plunk.engine.shell.calls import (
    Call,
    Result,
    Send,
    attempt,
    is_worth_retrying,
    schedule_of,
    signal_of,
)
from plunk.engine.shell.hook_secrets import Known
from plunk.engine.shell.keeping import LEASE, kept
from plunk.engine.shell.recording import record_surely
from plunk.engine.shell.rotation import projects_due
from plunk.metrics import Meter
from plunk.models import Execution, WebhookCall
from plunk.security import Seal
from plunk.services import notices, secrets

log = structlog.get_logger()
CHUNK = 20
LOOK_AGAIN = 0.25  # seconds, while chunks are under way


@dataclass(frozen=True, slots=True)
class Caller:
    """What the delivery of web hooks needs; `send` is `outbound.call` or a twin of it.

    `lanes` are threads for projects, `threads` for calls. `under_way` are the projects whose
    chunks have not ended. When `stopping` is set, calls that were not begun are given back.
    """

    sessions: sessionmaker[Session]
    clock: Clock
    send: Send
    lanes: Executor
    threads: Executor
    random: Callable[[], float]
    seal: Seal
    chunk: int = CHUNK
    lease: timedelta = LEASE
    meter: Meter = field(default_factory=Meter)
    stopping: Event = field(default_factory=Event)
    under_way: dict[str, Future[int]] = field(default_factory=dict)


def call_due(caller: Caller) -> int:
    """Give every project with due calls one chunk, side by side; return how many were leased.

    A project whose receivers are slow holds up nobody else (I7): it counts as one while its chunk
    is under way, and others get their turns meanwhile.
    """
    with transaction(caller.sessions) as session:
        now = caller.clock.now()
        lease.reclaim(session, WebhookCall, now=now)
        due = projects_due(session, table_of(WebhookCall), "next_attempt_at", now=now)
    under_way = caller.under_way
    for project_id in due:
        if project_id not in under_way:
            told = copy_context()  # log lines name the job
            under_way[project_id] = caller.lanes.submit(told.run, _guarded, caller, project_id)
    wait(under_way.values(), timeout=LOOK_AGAIN)
    ended = [project_id for project_id, chunk in under_way.items() if chunk.done()]
    return sum(under_way.pop(project_id).result() for project_id in ended) + len(under_way)


def _guarded(caller: Caller, project_id: str) -> int:
    """Call for one project; whatever goes wrong there, the next ones get their turn (I7)."""
    try:
        return 0 if caller.stopping.is_set() else call_project(caller, project_id)
    except Exception as error:
        if is_passing(error):
            log.warning("hooks.postponed", project_id=project_id)
        else:
            log.exception("hooks.project_failed", project_id=project_id)
        return 0


def call_project(caller: Caller, project_id: str) -> int:
    """Make one chunk of a project's due calls, side by side; return how many were leased."""
    with caller.meter.claiming("hooks"), transaction(caller.sessions) as session:
        now = caller.clock.now()
        token, leased = lease.take(
            session,
            WebhookCall,
            project_id,
            now=now,
            length=caller.lease,
            limit=caller.chunk,
        )
        calls = _load(session, leased)
        names = set().union(*(call.secret_names() for call in calls))
        known = secrets.opened(session, project_id, names, seal=caller.seal)
    with kept(caller.sessions, caller.clock, WebhookCall, (token, leased), length=caller.lease):
        results = list(caller.threads.map(partial(_attempt, caller, known), calls))
        record_surely(
            caller.sessions,
            lambda session: _record_all(session, caller, token, calls, results),
            what="hooks",
        )
    made = [(call, result) for call, result in zip(calls, results, strict=True) if result]
    telling.called(caller.meter, made, now=now)
    return len(leased)


def _attempt(caller: Caller, known: Known, call: Call) -> Result | None:
    return None if caller.stopping.is_set() else attempt(caller.send, call, known)


def _record_all(
    session: Session,
    caller: Caller,
    token: str,
    calls: Sequence[Call],
    results: Sequence[Result | None],
) -> None:
    now = caller.clock.now()
    waiting = _lock_waiting(session, calls)
    for call, result in zip(calls, results, strict=True):
        if result is None:
            back = {"next_attempt_at": now, "attempts": call.attempts - 1}
            _end(session, call, token, now, status="PENDING", **back)
            continue
        _record(session, caller, call, result, token, now, is_awaited=call.id in waiting)


def _lock_waiting(session: Session, calls: Sequence[Call]) -> set[str]:
    """Lock the calls' runs, runs before calls as all others do; return the calls still awaited."""
    rows = session.execute(
        select(Execution.id, Execution.status, Execution.awaited_call)
        .where(Execution.id.in_([call.execution_id for call in calls]))
        .order_by(Execution.id)
        .with_for_update(key_share=True)
    )
    awaited = {row.id: row.awaited_call for row in rows if row.status == "RUNNING"}
    return {call.id for call in calls if awaited.get(call.execution_id) == call.visit}


def _load(session: Session, ids: list[str]) -> list[Call]:
    columns = [getattr(WebhookCall, name) for name in Call._fields]
    rows = session.execute(
        select(*columns).where(WebhookCall.id.in_(ids)).order_by(WebhookCall.execution_id)
    )
    return [Call(*row) for row in rows]


def _record(
    session: Session,
    caller: Caller,
    call: Call,
    result: Result,
    token: str,
    now: datetime,
    *,
    is_awaited: bool,
) -> None:
    again = None
    if is_awaited and is_worth_retrying(call, result):
        again = next_attempt(call.attempts, now, caller.random(), schedule_of(call))
    if again is not None:
        error = result.error or f"answered {result.answer and result.answer.status}"
        _end(session, call, token, now, status="PENDING", next_attempt_at=again, error=error)
    elif _finish(session, call, result, token, now):
        _tell_run(session, call, result, now)


def _finish(session: Session, call: Call, result: Result, token: str, now: datetime) -> bool:
    answer = result.answer
    return _end(
        session,
        call,
        token,
        now,
        status="FAILED" if answer is None else "DONE",
        error=result.error,
        response_status=answer and answer.status,
        response_body=answer and answer.body.replace("\0", ""),
    )


def _end(session: Session, call: Call, token: str, now: datetime, **values: Any) -> bool:  # noqa: ANN401 - columns
    statement = (
        update(WebhookCall)
        .where(lease.held(WebhookCall, call.id, token))
        .values(lease_until=None, lease_token=None, updated_at=now, **values)
        .returning(WebhookCall.id)
        .execution_options(synchronize_session=False)
    )
    return session.scalars(statement).one_or_none() is not None


def _tell_run(session: Session, call: Call, result: Result, now: datetime) -> None:
    """Leave the result with the run, if it still waits for this very call (I4)."""
    waits = (
        (Execution.id == call.execution_id)
        & (Execution.status == "RUNNING")
        & (Execution.awaited_call == call.visit)
        & Execution.signal.is_(None)
    )
    deadline = session.scalars(
        select(Execution.due_at).where(waits).with_for_update(key_share=True)
    ).one_or_none()
    if deadline is None:
        return
    notices.due(session, "runs")
    signal = {**signal_of(call, result), "deadline": iso_or_none(deadline)}
    session.execute(
        update(Execution)
        .where(waits)
        .values(signal=signal, due_at=now, version=Execution.version + 1, updated_at=now)
        .execution_options(synchronize_session=False)
    )
