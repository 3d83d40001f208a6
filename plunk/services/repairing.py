"""Repairing: runs are retried, taken out of a wait, or moved to a step, by somebody's hand.

Invariant I4: who moves a run holds its contact's lock, then the run's.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

from plunk.engine.core.repair import Order
from plunk.errors import NotFound, PlunkError
from plunk.models import Contact, Execution, Workflow
from plunk.services.executions import RunPath, is_run
from plunk.services.repair_choice import Choice, batch, cursor_to, wanted
from plunk.services.repair_work import Work
from plunk.services.workflow_graph import get_workflow, hold_workflow

__all__ = ["Choice", "Order", "Refusal", "Repaired", "repair", "repair_many"]

MOST_COUNTED = 100_000


@dataclass(frozen=True, slots=True)
class Refusal:
    """A run that could not be repaired, and why."""

    execution_id: str
    message: str


@dataclass(frozen=True, slots=True)
class Repaired:
    """What came of a batch; `cursor` is where the next one goes on, None after the last.

    Of those that were repaired, `ended` were stopped or had reached a goal while they had failed.
    """

    matched: int
    repaired: int = 0
    ended: int = 0
    refused: Sequence[Refusal] = field(default=())
    cursor: str | None = None


def repair(session: Session, project_id: str, at: RunPath, order: Order, *, now: datetime) -> None:
    """Repair one run; Conflict when it is not in a state for it, NotFound when it has gone."""
    workflow = get_workflow(session, project_id, at.workflow_id)
    ids = session.scalars(select(Execution.id).where(is_run(workflow.id, at.execution_id))).all()
    work = Work(session, _held(session, workflow, ids), order, now)
    runs = _locked(session, ids)
    if not runs:  # also when its contact was deleted while we waited for the lock
        raise NotFound(at.execution_id, resource="Execution")
    work.store([work.found(run) for run in runs])


def repair_many(
    session: Session, project_id: str, workflow_id: str, choice: Choice, *, now: datetime
) -> Repaired:
    """Repair one batch of a workflow's runs, or count how many there are to repair."""
    workflow = get_workflow(session, project_id, workflow_id)
    which = wanted(workflow, choice)
    if choice.dry_run:
        some = select(Execution.id).where(which).limit(MOST_COUNTED).subquery()
        return Repaired(session.scalar(select(func.count()).select_from(some)) or 0)
    places = batch(session, which, choice)
    ids = [place.id for place in places]
    work = Work(session, _held(session, workflow, ids), choice.order, now)
    found, refused = [], []
    for run in _locked(session, ids, still=which):
        try:
            found.append(work.found(run))
        except PlunkError as error:
            refused.append(Refusal(run.id, error.message))
    ended = work.store(found)
    cursor = cursor_to(places[-1]) if len(places) == choice.limit else None
    return Repaired(len(ids), len(found), ended, refused, cursor)


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
