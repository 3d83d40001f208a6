"""What goes of old runs, one batch at a time.

A run's row stays as long as it keeps somebody from entering again (I2), or counts as a
conversion; its visits and calls go, its messages stay. Runs that have not ended stay as they are.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from sqlalchemy import ColumnElement, and_, delete, or_, select, update
from sqlalchemy.orm import Session

from plunk.models import Conversion, Email, Execution, StepExecution, WebhookCall, Workflow
from plunk.models.execution import ACTIVE_STATUSES
from plunk.services.walks import Walk, locked, next_page

RUNS, ROWS = 100, 500  # in one transaction: runs, and rows of all kinds
Left = type[StepExecution] | type[WebhookCall]
LEFT: tuple[Left, ...] = (StepExecution, WebhookCall)


class Old(NamedTuple):
    """A run that ended so long ago; it is free when nothing but time keeps its row."""

    id: str
    started_at: datetime
    has_left: bool
    is_free: bool
    reentry_seconds: int | None

    def may_go(self, now: datetime) -> bool:
        """Tell whether its contact may enter again anyway."""
        return self.is_free and self.started_at + timedelta(seconds=self.reentry_seconds or 0) < now


def drop_runs(session: Session, walk: Walk) -> bool:
    """Delete what is not needed of old runs; False when the walk is at its end."""
    page = next_page(session, Execution.id, walk)
    has_ended = and_(Execution.status.not_in(ACTIVE_STATUSES), Execution.updated_at < walk.before)
    found = _old(session, has_ended, Execution.id > walk.after, Execution.id <= page.end)
    going = {run.id for run in found if run.may_go(walk.now)}
    todo = [run.id for run in found if run.has_left or run.id in going]
    runs = locked(session, Execution.id, todo[:RUNS], has_ended)
    if not _drop(session, runs, [one for one in runs if one in going]):
        return True  # with the same runs, of which something is left
    if len(todo) > RUNS:
        walk.after = todo[RUNS - 1]
        return True
    walk.after = page.end
    return not page.is_last


def _old(session: Session, *which: ColumnElement[bool]) -> list[Old]:
    """Return those of the runs that something can be done about."""
    is_free = and_(Workflow.allow_reentry, ~_has(Conversion))
    has_left = or_(*map(_has, LEFT))
    rows = session.execute(
        select(Execution.id, Execution.started_at, has_left, is_free, Workflow.reentry_seconds)
        .join(Workflow, Workflow.id == Execution.workflow_id)
        .where(*which, or_(has_left, is_free))
        .order_by(Execution.id)
    )
    return [Old(*row) for row in rows]


def _has(model: Left | type[Conversion]) -> ColumnElement[bool]:
    """Return the condition that a run has such rows, to be looked up by its id.

    Of EXISTS PostgreSQL might make a look through the whole table.
    """
    first = select(model.id).where(model.execution_id == Execution.id).limit(1)
    return first.scalar_subquery().is_not(None)


def _drop(session: Session, runs: Sequence[str], going: Sequence[str]) -> bool:
    """Delete what these runs left, then those that are going; False when that is too much."""
    left = ROWS
    for model in LEFT:
        left -= _delete_some(session, model, runs, left)
    # Their messages stay: only the run that they came from is not known any more.
    left -= _release_some(session, going, left)
    some = going[:left]
    if some:
        session.execute(delete(Execution).where(Execution.id.in_(some)))
    return left > 0 and len(some) == len(going)


def _delete_some(session: Session, model: Left, runs: Sequence[str], most: int) -> int:
    ids = _some(session, model, runs, most)
    if ids:
        session.execute(delete(model).where(model.id.in_(ids)))
    return len(ids)


def _release_some(session: Session, runs: Sequence[str], most: int) -> int:
    ids = _some(session, Email, runs, most)
    if ids:
        session.execute(
            update(Email).where(Email.id.in_(ids)).values(execution_id=None, visit=None)
        )
    return len(ids)


def _some(
    session: Session, model: Left | type[Email], runs: Sequence[str], most: int
) -> Sequence[str]:
    if not runs or not most:
        return ()
    return session.scalars(select(model.id).where(model.execution_id.in_(runs)).limit(most)).all()
