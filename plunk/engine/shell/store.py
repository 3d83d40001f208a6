"""Storing: a batch's rows in a constant number of statements, all in the caller's transaction.

Invariant I3: a step's effects happen exactly once in the database. Position, visits and effects
are written together; each run is written only if its version is still the one that was read, and
(run, visit) is unique for visits, messages and calls alike.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import CursorResult, bindparam, case, insert, update
from sqlalchemy.orm import Session

from plunk.db import table_of
from plunk.engine.core.progress import Progress, Visit
from plunk.engine.core.run import Run
from plunk.engine.shell import memberships
from plunk.engine.shell.perform import Row, Writes, perform
from plunk.engine.shell.rows import row_from_run
from plunk.ids import new_id
from plunk.models import Contact, Email, Execution, StepExecution, WebhookCall
from plunk.services import events, watching
from plunk.services.events import MAX_DEPTH


class StaleRunError(RuntimeError):
    """A run was changed by somebody else although we held it; nothing of the batch is kept."""


def add(writes: Writes, before: Run, progress: Progress) -> None:
    """Add one run's progress to what the batch is going to write."""
    after = progress.run
    writes.runs.append((before.version, after))
    writes.goals += [(after.workflow_id, after.id, goal) for goal in progress.goals]
    for visit in progress.visits:
        output = perform(writes, after, visit)
        if visit.is_new:
            writes.visits.append(_visit_row(writes, after, visit, output))
        else:
            writes.closed.append(_closed_row(writes, after, visit, output))


def store(session: Session, writes: Writes) -> None:
    """Write the batch; events come last, so that they find the runs where they now stand.

    What waits for a condition on a contact that was changed is looked at after that.
    """
    _update_runs(session, writes)
    _insert(session, StepExecution, writes.visits)
    _close_visits(session, writes.closed)
    _insert(session, Email, writes.emails)
    _insert(session, WebhookCall, writes.calls)
    _update_contacts(session, writes)
    project_id, now = writes.project_id, writes.now
    watching.count(session, project_id, writes.goals, now=now)
    memberships.change(session, writes)
    events.record(session, project_id, writes.events, now=now)
    if writes.depth <= MAX_DEPTH:  # I8: the others will see the change at their next look
        changed = writes.contacts.values()
        watching.reconsider(session, project_id, changed, depth=writes.depth, now=now)


def _insert(session: Session, table: type[Any], rows: list[Row]) -> None:
    if rows:
        session.connection().execute(insert(table_of(table)), rows)


def _update_runs(session: Session, writes: Writes) -> None:
    table = table_of(Execution)
    rows = [
        {f"new_{name}": value for name, value in row_from_run(run, now=writes.now).items()}
        | {"run_id": run.id, "seen_version": version}
        for version, run in writes.runs
    ]
    if not rows:
        return
    columns = [name.removeprefix("new_") for name in rows[0] if name.startswith("new_")]
    statement = (
        update(table)
        .where(table.c.id == bindparam("run_id"), table.c.version == bindparam("seen_version"))
        .values({name: bindparam(f"new_{name}") for name in columns})
    )
    result = session.connection().execute(statement, rows)
    if isinstance(result, CursorResult) and result.rowcount not in {len(rows), -1}:
        raise StaleRunError(f"{len(rows) - result.rowcount} of {len(rows)} runs changed meanwhile")


def _close_visits(session: Session, rows: list[Row]) -> None:
    table = table_of(StepExecution)
    if rows:
        statement = (
            update(table)
            .where(
                table.c.execution_id == bindparam("run_id"),
                table.c.visit == bindparam("number"),
            )
            .values(
                {
                    name: bindparam(f"new_{name}")
                    for name in ("status", "output", "error", "completed_at", "updated_at")
                }
            )
        )
        session.connection().execute(statement, rows)


def _update_contacts(session: Session, writes: Writes) -> None:
    if not writes.contacts:
        return
    table = table_of(Contact)
    statement = (
        update(table)
        .where(table.c.id == bindparam("contact"))
        .values(
            data=bindparam("new_data"),
            subscribed=bindparam("new_subscribed"),
            snoozed_until=case(
                (table.c.subscribed == bindparam("new_subscribed"), table.c.snoozed_until)
            ),
            updated_at=bindparam("new_updated_at"),
        )
    )
    rows = [
        {
            "contact": contact.id,
            "new_data": dict(contact.data) or None,
            "new_subscribed": contact.subscribed,
            "new_updated_at": contact.updated_at,
        }
        for contact in writes.contacts.values()
    ]
    session.connection().execute(statement, rows)


def _visit_row(writes: Writes, run: Run, visit: Visit, output: object) -> Row:
    return {
        "id": new_id(),
        "project_id": writes.project_id,
        "execution_id": run.id,
        "step_id": visit.step_id,
        "visit": visit.number,
        "status": visit.status,
        "execute_after": visit.execute_after,
        "output": output,
        "error": visit.error,
        "started_at": visit.started_at,
        "completed_at": visit.completed_at,
        "created_at": writes.now,
        "updated_at": writes.now,
    }


def _closed_row(writes: Writes, run: Run, visit: Visit, output: object) -> Row:
    return {
        "run_id": run.id,
        "number": visit.number,
        "new_status": visit.status,
        "new_output": output,
        "new_error": visit.error,
        "new_completed_at": visit.completed_at,
        "new_updated_at": writes.now,
    }
