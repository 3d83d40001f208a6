"""A stored run as the core's value, and back."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import RowMapping

from plunk.conditions import tree
from plunk.engine.core.run import AwaitedCall, AwaitedEvent, Awaiting, Run
from plunk.engine.core.signals import CallReturned, Entered, EventArrived, Signal, TimerFired

RUN_COLUMNS = (
    "id",
    "workflow_id",
    "dialect",
    "contact_id",
    "revision",
    "status",
    "current_step_id",
    "exit_reason",
    "context",
    "variables",
    "visit",
    "version",
    "depth",
    "due_at",
    "awaited_event",
    "awaited_where",
    "awaited_call",
    "signal",
    "started_at",
)


def run_from_row(row: RowMapping) -> Run:
    """Return the run that a row holds."""
    return Run(
        id=row["id"],
        workflow_id=row["workflow_id"],
        revision=row["revision"],
        started_at=row["started_at"],
        status=row["status"],
        step_id=row["current_step_id"],
        visit=row["visit"],
        version=row["version"],
        context=row["context"],
        variables=row["variables"] or {},
        exit_reason=row["exit_reason"],
        due_at=row["due_at"],
        awaiting=_awaiting(row),
        depth=row["depth"],
    )


def signal_from_row(row: RowMapping) -> Signal:
    """Return what the run was claimed for: what was left for it, else its due time (I4)."""
    left: Mapping[str, Any] = row["signal"] or {}
    match left.get("type"):
        case "event":
            at = datetime.fromisoformat(left["at"])
            return EventArrived(left["id"], left["name"], left["data"], at)
        case "call":
            return CallReturned(
                left["call"], left["status"], left["body"], left["error"], left["url"]
            )
    if row["status"] == "RUNNING" and row["awaited_call"] is None:
        return Entered()
    return TimerFired()


def row_from_run(run: Run, *, now: datetime) -> dict[str, Any]:
    """Return the columns to store; whatever was left for the run is thereby worked in."""
    event = run.awaiting if isinstance(run.awaiting, AwaitedEvent) else None
    call = run.awaiting if isinstance(run.awaiting, AwaitedCall) else None
    return {
        "revision": run.revision,
        "status": run.status,
        "current_step_id": run.step_id,
        "exit_reason": run.exit_reason,
        "context": None if run.context is None else dict(run.context),
        "variables": dict(run.variables) or None,
        "visit": run.visit,
        "version": run.version,
        "due_at": run.due_at,
        "awaited_event": event.event_name if event else None,
        "awaited_where": tree.to_json(event.where) if event and event.where else None,
        "awaited_call": call.call if call else None,
        "signal": None,
        "completed_at": run.completed_at,
        "updated_at": now,
    }


def _awaiting(row: RowMapping) -> Awaiting | None:
    if row["awaited_call"] is not None:
        return AwaitedCall(row["awaited_call"], _deadline(row) or row["due_at"])
    if row["awaited_event"] is None:
        return None
    where = row["awaited_where"]
    condition = tree.from_json(where) if where else None
    return AwaitedEvent(row["awaited_event"], condition, _deadline(row))


def _deadline(row: RowMapping) -> datetime | None:
    """Return when the wait times out; a signal took the place of that time and kept it."""
    if row["signal"] is None:
        due_at: datetime | None = row["due_at"]
        return due_at
    kept = row["signal"].get("deadline")
    return datetime.fromisoformat(kept) if kept else None
