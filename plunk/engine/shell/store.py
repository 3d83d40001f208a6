"""Storing: a batch's rows in a constant number of statements, all in the caller's transaction.

Invariant I3: a step's effects happen exactly once in the database. Position, visits and effects
are written together; each run is written only if its version is still the one that was read, and
(run, visit) is unique for visits, messages and calls alike.
"""

from __future__ import annotations

from sqlalchemy.orm import Session

from plunk.engine.core.progress import Progress, Visit
from plunk.engine.core.run import Run
from plunk.engine.shell import memberships
from plunk.engine.shell.perform import Row, Writes, perform
from plunk.engine.shell.rows import row_from_run
from plunk.ids import new_id
from plunk.models import Contact, Execution, StepExecution, WebhookCall
from plunk.services import emails, events, notices, watching
from plunk.services.events import MAX_DEPTH
from plunk.services.row_sets import insert_rows, update_rows

A_VISIT = {"execution_id": "execution_id", "visit": "visit"}
SELDOM_CHANGED = ("context", "variables")


class StaleRunError(RuntimeError):
    """A run was changed by somebody else although we held it; nothing of the batch is kept."""


def add(writes: Writes, before: Run, progress: Progress) -> None:
    """Add one run's progress to what the batch is going to write."""
    after = progress.run
    writes.runs.append((before, after))
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
    insert_rows(session, StepExecution, writes.visits)
    update_rows(session, StepExecution, writes.closed, match=A_VISIT)
    emails.store(session, writes.emails)
    if writes.calls:
        insert_rows(session, WebhookCall, writes.calls)
        notices.due(session, "hooks")
    _update_contacts(session, writes)
    project_id, now = writes.project_id, writes.now
    watching.count(session, project_id, writes.goals, now=now)
    memberships.change(session, writes)
    events.record(session, project_id, writes.events, now=now)
    if writes.depth <= MAX_DEPTH:  # I8: the others will see the change at their next look
        changed = writes.contacts.values()
        watching.reconsider(session, project_id, changed, depth=writes.depth, now=now)


def _update_runs(session: Session, writes: Writes) -> None:
    """Write the runs, each only if its version is still the one that was read (I3, I4)."""
    kept = [name for name in SELDOM_CHANGED if all(_is_kept(name, *pair) for pair in writes.runs)]
    rows = [
        row_from_run(after, now=writes.now, without=kept)
        | {"run_id": after.id, "seen_version": before.version}
        for before, after in writes.runs
    ]
    found = update_rows(session, Execution, rows, match={"id": "run_id", "version": "seen_version"})
    if found != len(rows):
        raise StaleRunError(f"{len(rows) - found} of {len(rows)} runs changed meanwhile")


def _is_kept(name: str, before: Run, after: Run) -> bool:
    return getattr(after, name) is getattr(before, name)


def _update_contacts(session: Session, writes: Writes) -> None:
    """Write the contacts; a change of the subscription ends a snooze."""
    turned: list[Row] = []
    others: list[Row] = []
    for contact in writes.contacts.values():
        row: Row = {
            "id": contact.id,
            "data": dict(contact.data) or None,
            "updated_at": contact.updated_at,
        }
        if contact.id in writes.turned:
            turned.append(row | {"subscribed": contact.subscribed, "snoozed_until": None})
        else:
            others.append(row)
    update_rows(session, Contact, turned)
    update_rows(session, Contact, others)


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
        "execution_id": run.id,
        "visit": visit.number,
        "status": visit.status,
        "output": output,
        "error": visit.error,
        "completed_at": visit.completed_at,
        "updated_at": writes.now,
    }
