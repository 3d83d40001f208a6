"""A stored run as the core's value, and back."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import RowMapping

from plunk.conditions import tree
from plunk.conditions.nodes import Condition
from plunk.engine.core.run import AwaitedCall, AwaitedCondition, AwaitedEvent, Awaiting, Run
from plunk.engine.core.signals import (
    CallReturned,
    Entered,
    EventArrived,
    Looked,
    Signal,
    TimerFired,
)
from plunk.models.workflow import ANYTHING

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
    "deadline_at",
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
        due_at=_deadline(row),
        awaiting=_awaiting(row),
        depth=row["depth"],
    )


def signal_from_row(row: RowMapping) -> Signal:
    """Return what the run was claimed for: what was left for it, else its due time (I4)."""
    left: Mapping[str, Any] = row["signal"] or {}
    match left.get("type"):
        case "event":
            at = datetime.fromisoformat(left["at"])
            return EventArrived(left["id"], left["name"], left["data"], at, left.get("depth") or 0)
        case "look":
            return Looked(left.get("depth") or 0)
        case "call":
            return CallReturned(
                left["call"], left["status"], left["body"], left["error"], left["url"]
            )
    if row["status"] == "RUNNING" and row["awaited_call"] is None:
        return Entered()
    return TimerFired()


def row_from_run(run: Run, *, now: datetime, without: Collection[str] = ()) -> dict[str, Any]:
    """Return the columns to store; whatever was left for the run is thereby worked in.

    `without` names those of `context` and `variables` that are as they were read.
    """
    row = {
        "revision": run.revision,
        "status": run.status,
        "current_step_id": run.step_id,
        "exit_reason": run.exit_reason,
        "visit": run.visit,
        "version": run.version,
        "depth": run.depth,
        "due_at": run.due_at,
        **_awaited_columns(run.awaiting),
        "signal": None,
        "completed_at": run.completed_at,
        "updated_at": now,
    }
    if "context" not in without:
        row["context"] = None if run.context is None else dict(run.context)
    if "variables" not in without:
        row["variables"] = dict(run.variables) or None
    return row


def _awaited_columns(awaiting: Awaiting | None) -> dict[str, Any]:
    """Return the columns of what is awaited; what waits for a condition may be woken by all."""
    where: Condition | None = None
    columns: dict[str, Any] = dict.fromkeys(
        ("deadline_at", "awaited_event", "awaited_where", "awaited_call")
    )
    match awaiting:
        case AwaitedEvent(event_name, where):
            columns["awaited_event"] = event_name
        case AwaitedCondition(where, deadline):
            columns |= {"awaited_event": ANYTHING, "deadline_at": deadline}
        case AwaitedCall(call):
            columns["awaited_call"] = call
    return columns | {"awaited_where": tree.to_json(where) if where else None}


def _awaiting(row: RowMapping) -> Awaiting | None:
    if row["awaited_call"] is not None:
        return AwaitedCall(row["awaited_call"], _deadline(row) or row["due_at"])
    where = row["awaited_where"]
    condition = tree.from_json(where) if where else None
    if row["awaited_event"] == ANYTHING and condition is not None:
        return AwaitedCondition(condition, row["deadline_at"])
    if row["awaited_event"] is None:
        return None
    return AwaitedEvent(row["awaited_event"], condition, _deadline(row))


def _deadline(row: RowMapping) -> datetime | None:
    """Return when the run would have to be looked at; a signal took its place and kept it."""
    if row["signal"] is None:
        due_at: datetime | None = row["due_at"]
        return due_at
    kept = row["signal"].get("deadline")
    return datetime.fromisoformat(kept) if kept else None
