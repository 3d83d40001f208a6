"""Repairing: runs are retried, taken out of a wait, or moved to a step, by somebody's hand.

Invariants: who moves a run holds its contact's lock, then the run's, and writes only over the
version that was read (I4). What the run waited for is closed, and calls that nobody has made are
not made (I3). Who did it and why stands in the run's history, as a visit that was SKIPPED.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple

import structlog
from sqlalchemy import ColumnElement, Select, and_, func, or_, select, update
from sqlalchemy.orm import Session

from plunk.engine.core.graph import Graph
from plunk.engine.core.repair import Order, Standing, target
from plunk.errors import BadRequest, Conflict, NotFound, PlunkError
from plunk.ids import NO_ID, new_id, parse_id
from plunk.models import Contact, Execution, Revision, StepExecution, WebhookCall, Workflow
from plunk.services import notices
from plunk.services.executions import RunPath, is_run
from plunk.services.row_sets import insert_rows, update_rows
from plunk.services.workflow_graph import get_workflow, hold_workflow

__all__ = ["Choice", "Order", "Refusal", "Repaired", "repair", "repair_many"]

log = structlog.get_logger()
REPAIRABLE = ("FAILED", "WAITING", "RUNNING")
USUAL = {"retry": "FAILED", "skip": "WAITING"}
MOST, MOST_COUNTED = 500, 100_000
VERSION = {"id": "run_id", "version": "seen_version"}
A_VISIT = {"execution_id": "execution_id", "visit": "visit"}


@dataclass(frozen=True, slots=True)
class Choice:
    """Which runs of a workflow: by status and the step they stand on, the oldest first.

    `cursor` is the last run of the batch before; a dry run counts and changes nothing.
    """

    order: Order
    status: str | None = None
    step_id: str | None = None
    limit: int = 100
    cursor: str | None = None
    dry_run: bool = False


@dataclass(frozen=True, slots=True)
class Refusal:
    """A run that could not be repaired, and why."""

    execution_id: str
    message: str


@dataclass(frozen=True, slots=True)
class Repaired:
    """What came of a batch; `cursor` is where the next one goes on, None after the last."""

    matched: int
    repaired: int = 0
    refused: Sequence[Refusal] = field(default=())
    cursor: str | None = None


class _Found(NamedTuple):
    """A run, locked, and where it is to go on."""

    run: Execution
    to_step_id: str | None
    revision: int


def repair(session: Session, project_id: str, at: RunPath, order: Order, *, now: datetime) -> None:
    """Repair one run; Conflict when it is not in a state for it, NotFound when it has gone."""
    workflow = get_workflow(session, project_id, at.workflow_id)
    ids = session.scalars(select(Execution.id).where(is_run(workflow.id, at.execution_id))).all()
    work = _Work(session, _held(session, workflow, ids), order, now)
    runs = _locked(session, ids)
    if not runs:  # also when its contact was deleted while we waited for the lock
        raise NotFound(at.execution_id, resource="Execution")
    work.store([work.found(run) for run in runs])


def repair_many(
    session: Session, project_id: str, workflow_id: str, choice: Choice, *, now: datetime
) -> Repaired:
    """Repair one batch of a workflow's runs, or count how many there are to repair."""
    workflow = get_workflow(session, project_id, workflow_id)
    wanted = _wanted(workflow, choice)
    if choice.dry_run:
        some = select(Execution.id).where(wanted).limit(MOST_COUNTED).subquery()
        return Repaired(session.scalar(select(func.count()).select_from(some)) or 0)
    ids = list(session.scalars(_batch(session, workflow, wanted, choice)))
    work = _Work(session, _held(session, workflow, ids), choice.order, now)
    found, refused = [], []
    for run in _locked(session, ids, still=wanted):
        try:
            found.append(work.found(run))
        except PlunkError as error:
            refused.append(Refusal(run.id, error.message))
    work.store(found)
    cursor = ids[-1] if len(ids) == choice.limit else None
    return Repaired(len(ids), len(found), refused, cursor)


def _wanted(workflow: Workflow, choice: Choice) -> ColumnElement[bool]:
    status = choice.status or USUAL.get(choice.order.action)
    if status is None:
        raise BadRequest("Say which executions are to be moved: status is missing.")
    if choice.order.action == "move" and choice.order.to_step_id is None:
        raise BadRequest("Say where the executions are to be moved: toStepId is missing.")
    on_step = [] if choice.step_id is None else [Execution.current_step_id == choice.step_id]
    return and_(Execution.workflow_id == workflow.id, Execution.status == status, *on_step)


def _batch(
    session: Session, workflow: Workflow, wanted: ColumnElement[bool], choice: Choice
) -> Select[str]:
    """Return the query for the next runs: in the order in which they started, after the cursor."""
    ordered = select(Execution.id).where(wanted).order_by(Execution.started_at, Execution.id)
    if choice.cursor is None:
        return ordered.limit(choice.limit)
    last = session.execute(
        select(Execution.started_at, Execution.id).where(
            Execution.workflow_id == workflow.id,
            Execution.id == (parse_id(choice.cursor) or NO_ID),
        )
    ).one_or_none()
    if last is None:
        raise BadRequest("The cursor is not one of this workflow's executions.")
    after = or_(Execution.started_at > last[0], Execution.id > last[1])
    return ordered.where(Execution.started_at >= last[0], after).limit(choice.limit)


def _held(session: Session, workflow: Workflow, ids: Collection[str]) -> Workflow:
    """Lock the runs' contacts, as everybody does who moves runs, then hold the workflow."""
    session.execute(
        select(Contact.id)
        .where(Contact.id.in_(select(Execution.contact_id).where(Execution.id.in_(ids))))
        .order_by(Contact.id)
        .with_for_update(key_share=True)
    )
    return hold_workflow(session, workflow.project_id, workflow.id)


def _locked(
    session: Session, ids: Collection[str], *, still: ColumnElement[bool] | None = None
) -> Sequence[Execution]:
    """Return the runs, locked; those that are no longer as wanted have gone on by themselves."""
    conditions = [Execution.id.in_(ids)] if still is None else [Execution.id.in_(ids), still]
    return session.scalars(
        select(Execution)
        .where(*conditions)
        .order_by(Execution.id)
        .with_for_update(key_share=True)
        .execution_options(populate_existing=True)
    ).all()


class _Work:
    """One batch under its locks: judged run by run, stored in a constant number of statements."""

    def __init__(self, session: Session, workflow: Workflow, order: Order, now: datetime) -> None:
        self._session, self._workflow = session, workflow
        self._order, self._now = order, now
        self._graphs: dict[int, Graph] = {}

    def found(self, run: Execution) -> _Found:
        """Return where the run is to go on; a PlunkError says why it cannot."""
        graph = self._followed(run)
        standing = Standing(
            run.status, run.current_step_id, _awaits(run), is_called=run.signal is not None
        )
        return _Found(run, target(graph, standing, self._order), graph.revision)

    def store(self, found: Sequence[_Found]) -> None:
        """Write runs and histories; Conflict when a run is not as it was read."""
        if not found:
            return
        ids = [one.run.id for one in found]
        still_open = self._close(found, ids)
        rows = [self._run_row(one, is_noted=one.run.id in still_open) for one in found]
        if update_rows(self._session, Execution, rows, match=VERSION) != len(rows):
            raise Conflict("An execution has gone on meanwhile; try again.")
        notes = [self._note(one) for one in found if one.run.id not in still_open]
        insert_rows(self._session, StepExecution, notes)
        self._session.execute(
            update(WebhookCall)
            .where(WebhookCall.execution_id.in_(ids), WebhookCall.status == "PENDING")
            .values(status="CANCELLED", next_attempt_at=None, updated_at=self._now)
            .execution_options(synchronize_session=False)
        )
        notices.due(self._session, "runs")
        log.info("runs.repaired", action=self._order.action, run_ids=ids)

    def _followed(self, run: Execution) -> Graph:
        """Return the graph that the run is to follow: the newest, or its own when it is pinned."""
        workflow = self._workflow
        number = run.revision if run.revision <= workflow.pinned_revision else workflow.revision
        if number not in self._graphs:
            stored = self._session.scalars(
                select(Revision.graph).where(
                    Revision.workflow_id == workflow.id, Revision.number == number
                )
            ).one()
            self._graphs[number] = Graph.from_json(stored)
        return self._graphs[number]

    def _close(self, found: Sequence[_Found], ids: Sequence[str]) -> set[str]:
        """Close the visits in which runs wait; return the runs whose repair is noted there."""
        waiting = self._session.execute(
            select(StepExecution.execution_id, StepExecution.visit).where(
                StepExecution.execution_id.in_(ids),
                StepExecution.status.in_(("WAITING", "RUNNING")),
            )
        ).all()
        by_run = {one.run.id: one for one in found}
        rows = [
            {
                "execution_id": run_id,
                "visit": visit,
                "status": "SKIPPED",
                "output": self._output(by_run[run_id]),
                "completed_at": self._now,
                "updated_at": self._now,
            }
            for run_id, visit in waiting
        ]
        update_rows(self._session, StepExecution, rows, match=A_VISIT)
        return {run_id for run_id, _ in waiting}

    def _run_row(self, one: _Found, *, is_noted: bool) -> dict[str, Any]:
        run, is_over = one.run, one.to_step_id is None
        return {
            "run_id": run.id,
            "seen_version": run.version,
            "version": run.version + 1,
            "revision": one.revision,
            "status": "COMPLETED" if is_over else "RUNNING",
            "current_step_id": one.to_step_id,
            "visit": run.visit if is_noted else run.visit + 1,
            "exit_reason": None,
            "due_at": None if is_over else self._now,
            "deadline_at": None,
            "awaited_event": None,
            "awaited_where": None,
            "awaited_call": None,
            "signal": None,
            "completed_at": self._now if is_over else None,
            "updated_at": self._now,
        }

    def _note(self, one: _Found) -> dict[str, Any]:
        """Return the visit that tells of the repair, on the step where the run stood."""
        run, now = one.run, self._now
        return {
            "id": new_id(),
            "project_id": run.project_id,
            "execution_id": run.id,
            "step_id": run.current_step_id or one.to_step_id,
            "visit": run.visit + 1,
            "status": "SKIPPED",
            "output": self._output(one),
            "started_at": now,
            "completed_at": now,
            "created_at": now,
            "updated_at": now,
        }

    def _output(self, one: _Found) -> dict[str, Any]:
        order = self._order
        return {
            "repair": order.action,
            "reason": order.reason,
            "by": order.by,
            "toStepId": one.to_step_id,
        }


def _awaits(run: Execution) -> Any:  # noqa: ANN401 - one of two words, or None
    if run.awaited_call is not None:
        return "call"
    return None if run.awaited_event is None else "event"
