"""Runs and visits that break I9: every parked run has a wake time or an awaited event."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, or_, select, update
from sqlalchemy.orm import Session

from plunk.engine.core.enter import CALL_LIMIT
from plunk.engine.core.run import LOOK_EVERY
from plunk.models import Execution, StepExecution, WebhookCall
from plunk.models.execution import ACTIVE_STATUSES
from plunk.models.workflow import ANYTHING
from plunk.services.violation import SLACK, Broken, Check, by_update

ACTIVE = Execution.status.in_(ACTIVE_STATUSES)
NEVER = Execution.due_at.is_(None)
OPEN = ("WAITING", "RUNNING")
WAIT = ("due_at", "deadline_at", "awaited_event", "awaited_where", "awaited_call", "signal")


def _is_called() -> ColumnElement[bool]:
    """Return the condition on runs whose web hook is yet to be called or answered."""
    return (
        select(WebhookCall.id)
        .where(
            WebhookCall.execution_id == Execution.id,
            WebhookCall.visit == Execution.awaited_call,
            WebhookCall.status.in_(("PENDING", "SENDING")),
        )
        .exists()
    )


def _sleeping(now: datetime) -> ColumnElement[bool]:
    """Return the condition on runs that nothing wakes, or only long after it should."""
    never = and_(NEVER, Execution.awaited_event.is_(None))
    entering = and_(Execution.awaited_call.is_(None), Execution.due_at > now + SLACK)
    calling = and_(_is_called(), Execution.due_at > now + CALL_LIMIT + SLACK)
    late = and_(Execution.status == "RUNNING", Execution.signal.is_(None), or_(entering, calling))
    return and_(ACTIVE, or_(never, late))


def _unlooked(now: datetime) -> ColumnElement[bool]:
    late = or_(NEVER, Execution.due_at > now + LOOK_EVERY + SLACK)
    return and_(ACTIVE, Execution.awaited_event == ANYTHING, Execution.signal.is_(None), late)


def _unseen(now: datetime) -> ColumnElement[bool]:
    never = and_(NEVER, Execution.awaited_event.is_not(None))
    late = or_(never, Execution.due_at > now + SLACK)
    return and_(ACTIVE, Execution.signal.is_not(None), late)


def _unanswered(now: datetime) -> ColumnElement[bool]:
    """Return the condition on runs that wait for a call which nobody will make or answer."""
    waits = and_(Execution.awaited_call.is_not(None), Execution.signal.is_(None))
    return and_(Execution.status == "RUNNING", waits, Execution.due_at > now, ~_is_called())


def _over(_now: datetime) -> ColumnElement[bool]:
    return and_(~ACTIVE, or_(*(getattr(Execution, name).is_not(None) for name in WAIT)))


def _open(_now: datetime) -> ColumnElement[bool]:
    is_over = select(Execution.id).where(Execution.id == StepExecution.execution_id, ~ACTIVE)
    return and_(StepExecution.status.in_(OPEN), is_over.exists())


def _look_now(now: datetime) -> dict[str, Any]:
    return {"due_at": now, "version": Execution.version + 1}


def _wake(session: Session, ids: Sequence[str], now: datetime) -> list[str]:
    """Make runs due again when their last visit says; what says nothing is due now."""
    held = SLEEPING.hold(session, ids, now)
    rows = session.execute(
        select(Execution.id, Execution.status, _is_called(), StepExecution)
        .outerjoin(
            StepExecution,
            and_(
                StepExecution.execution_id == Execution.id,
                StepExecution.visit == Execution.visit,
            ),
        )
        .where(Execution.id.in_(held))
    ).all()
    for run_id, status, is_called, visit in rows:
        at = now
        if status == "WAITING" or is_called:
            at = max(now, _wake_time(visit, now, is_called=is_called))
        values = _look_now(at) | {"updated_at": now}
        session.execute(
            update(Execution)
            .where(Execution.id == run_id)
            .values(values)
            .execution_options(synchronize_session=False)
        )
    return held


def _wake_time(visit: StepExecution | None, now: datetime, *, is_called: bool) -> datetime:
    """Return when the visit in which a run stands was to end, as far as it says."""
    if visit is None:
        return now
    if is_called:
        return (visit.started_at or now) + CALL_LIMIT
    try:
        return visit.execute_after or datetime.fromisoformat((visit.output or {})["resumeAt"])
    except (KeyError, TypeError, ValueError):
        return now


SLEEPING = Broken(Execution, _sleeping)
CHECKS = (
    Check(
        "run-never-wakes",
        "I9",
        "active runs that nothing wakes, or only long after it should",
        "due when their history says so, else now",
        SLEEPING.find,
        _wake,
    ),
    by_update(
        "condition-never-looked-at",
        "runs that wait for a condition which nobody looks at every quarter of an hour",
        "looked at now",
        Broken(Execution, _unlooked),
        _look_now,
    ),
    by_update(
        "signal-never-seen",
        "runs for which something arrived that nobody will look at",
        "looked at now",
        Broken(Execution, _unseen),
        _look_now,
    ),
    by_update(
        "call-never-answered",
        "runs that wait for a web hook which nobody is going to call",
        "their wait ends now: the step fails, and can be retried",
        Broken(Execution, _unanswered),
        _look_now,
    ),
    by_update(
        "ended-run-waits",
        "runs that have ended and still wait for something",
        "they wait for nothing",
        Broken(Execution, _over),
        lambda _: {**dict.fromkeys(WAIT), "version": Execution.version + 1},
    ),
    by_update(
        "visit-never-closed",
        "visits to steps that are open although their run has ended",
        "closed as SKIPPED",
        Broken(StepExecution, _open),
        lambda now: {"status": "SKIPPED", "completed_at": now},
    ),
)
