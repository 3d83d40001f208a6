"""Delivering web hooks: lease calls, make them, and tell the waiting runs how they ended.

Invariant I6: at least once, with the same Idempotency-Key on every attempt. Any HTTP answer ends
the call unless the step's `retry` names its status; network errors are tried again with growing
pauses, then the step fails. The run stays RUNNING with a deadline meanwhile.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_COMPLETED, Executor, Future, wait
from contextvars import copy_context
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, NamedTuple

import structlog
from sqlalchemy import select, update
from sqlalchemy.orm import Session, sessionmaker

from plunk.clock import Clock, iso_or_none
from plunk.db import is_passing, table_of, transaction
from plunk.delivery.retry import HOOKS, Schedule, next_attempt
from plunk.engine.shell import hook_secrets, lease, telling
from plunk.engine.shell.hook_secrets import Known
from plunk.engine.shell.keeping import LEASE, kept
from plunk.engine.shell.recording import record_surely
from plunk.engine.shell.rotation import projects_due
from plunk.metrics import Meter
from plunk.models import Execution, WebhookCall
from plunk.outbound import Answer, OutboundError, OutgoingRequest
from plunk.security import Seal
from plunk.services import notices, secrets
from plunk.services.masking import masked

log = structlog.get_logger()
CHUNK = 20
LOOK_AGAIN = 0.25  # seconds, while chunks are under way
LONG_WAIT = timedelta(minutes=5)
USER_AGENT = "plunk-py"


@dataclass(frozen=True, slots=True)
class Caller:
    """What the delivery of web hooks needs; `send` is `outbound.call` or a twin of it.

    `lanes` are threads for projects, `threads` for calls. `under_way` are the projects whose
    chunks have not ended.
    """

    sessions: sessionmaker[Session]
    clock: Clock
    send: Callable[[OutgoingRequest], Answer]
    lanes: Executor
    threads: Executor
    random: Callable[[], float]
    seal: Seal
    chunk: int = CHUNK
    lease: timedelta = LEASE
    meter: Meter = field(default_factory=Meter)
    under_way: dict[str, Future[int]] = field(default_factory=dict)


class Call(NamedTuple):
    """One leased call."""

    id: str
    execution_id: str
    visit: int
    method: str
    url: str
    headers: dict[str, str]
    body: str | None
    retry: dict[str, Any] | None
    attempts: int
    created_at: datetime

    def secret_names(self) -> set[str]:
        """Return the names of the secrets that the call needs."""
        return hook_secrets.names_in(self.id, self.url, *self.headers.values(), self.body)

    def request(self, known: Known) -> OutgoingRequest:
        """Return what to send; the configured headers override the usual ones."""
        usual = {
            "Content-Type": "application/json",
            "Idempotency-Key": self.id,
            "User-Agent": USER_AGENT,
        }
        given = {name.lower() for name in self.headers}
        kept = {name: value for name, value in usual.items() if name.lower() not in given}
        own = {
            name: hook_secrets.revealed(self.id, value, known)
            for name, value in self.headers.items()
        }
        url = hook_secrets.revealed(self.id, self.url, known)
        body = hook_secrets.revealed_json(self.id, self.body or "", known)
        sent = None if self.body is None else body.encode()
        return OutgoingRequest(self.method, url, {**kept, **own}, sent)


@dataclass(frozen=True, slots=True)
class Result:
    """How one attempt ended: with an answer, or with an error that may be worth another try."""

    answer: Answer | None = None
    error: str | None = None
    retriable: bool = False


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
    wait(under_way.values(), timeout=LOOK_AGAIN, return_when=FIRST_COMPLETED)
    ended = [project_id for project_id, chunk in under_way.items() if chunk.done()]
    return sum(under_way.pop(project_id).result() for project_id in ended) + len(under_way)


def _guarded(caller: Caller, project_id: str) -> int:
    """Call for one project; whatever goes wrong there, the next ones get their turn (I7)."""
    try:
        return call_project(caller, project_id)
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
        results = list(caller.threads.map(lambda call: _attempt(caller, call, known), calls))
        record_surely(
            caller.sessions,
            lambda session: _record_all(session, caller, token, calls, results),
            what="hooks",
        )
    telling.called(caller.meter, list(zip(calls, results, strict=True)), now=now)
    return len(leased)


def _record_all(
    session: Session,
    caller: Caller,
    token: str,
    calls: Sequence[Call],
    results: Sequence[Result],
) -> None:
    now = caller.clock.now()
    waiting = _lock_waiting(session, calls)
    for call, result in zip(calls, results, strict=True):
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


def _attempt(caller: Caller, call: Call, known: Known) -> Result:
    if missing := sorted(call.secret_names() - known.keys()):
        return Result(error=f"the project has no secret {missing[0]}")
    own = {name: known[name] for name in call.secret_names()}
    try:
        answer = caller.send(call.request(own))
        return Result(answer=hook_secrets.struck_out(answer, own))
    except OutboundError as error:
        return Result(error=masked(error.message, own), retriable=error.retriable)
    except Exception as error:  # noqa: BLE001 - I7: an odd answer ends this call only
        return Result(error=masked(f"{type(error).__name__}: {error}", own))


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
    if is_awaited and _is_worth_retrying(call, result):
        again = next_attempt(call.attempts, now, caller.random(), _schedule(call))
    if again is not None:
        error = result.error or f"answered {result.answer and result.answer.status}"
        _end(session, call, token, now, status="PENDING", next_attempt_at=again, error=error)
    elif _finish(session, call, result, token, now):
        _tell_run(session, call, result, now)


def _is_worth_retrying(call: Call, result: Result) -> bool:
    if result.answer is None:
        return result.retriable
    return result.answer.status in (call.retry or {}).get("on", ())


def _schedule(call: Call) -> Schedule:
    if not call.retry:
        return HOOKS
    extra = max(0, call.retry["attempts"] - HOOKS.attempts)
    waits = (*HOOKS.waits, *(LONG_WAIT,) * extra)
    return Schedule(waits[: call.retry["attempts"] - 1])


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
    signal = {**_signal(call, result), "deadline": iso_or_none(deadline)}
    session.execute(
        update(Execution)
        .where(waits)
        .values(signal=signal, due_at=now, version=Execution.version + 1, updated_at=now)
        .execution_options(synchronize_session=False)
    )


def _signal(call: Call, result: Result) -> dict[str, Any]:
    answer = result.answer
    return {
        "type": "call",
        "call": call.visit,
        "status": answer and answer.status,
        "body": answer and _parsed(answer),
        "error": result.error,
        "url": answer.url if answer else hook_secrets.shown(call.id, call.url),
    }


def _parsed(answer: Answer) -> object:
    """Return the answer's JSON value when it is one that a database can hold, else its text."""
    text = answer.body.replace("\0", "")
    if "json" not in answer.content_type and not text.startswith(("{", "[")):
        return text
    try:
        value: object = json.loads(text, parse_constant=_refuse)
        json.dumps(value, allow_nan=False).encode()
    except (ValueError, RecursionError):
        return text
    return text if "\\u0000" in text or "\\ud" in text.lower() else value


def _refuse(constant: str) -> None:
    raise ValueError(constant)
