"""Asked events: what conditions of a project look back for, and how far; retention keeps it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import TypeAlias

from sqlalchemy import func, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from plunk.conditions.history_json import events_asked
from plunk.models import Execution, Revision, Segment, Step, Transition, Trigger, Workflow
from plunk.models.execution import ACTIVE_STATUSES

CONDITIONS: tuple[InstrumentedAttribute[object], ...] = (
    Segment.condition,
    Workflow.headers,
    Workflow.trigger_config,
    Step.config,
    Transition.condition,
    Trigger.condition,
    Trigger.pinned,
)
# A run may have begun while the next revision was being cut.
OVERLAP = timedelta(hours=1)
READ_AT_ONCE = 50
TRUSTED = timedelta(minutes=5)
EVER = timedelta.max
Asked: TypeAlias = Mapping[str, timedelta]  # how far back, by the name of the event


class Questions:
    """What conditions ask, by project; looked up again after some minutes."""

    def __init__(self) -> None:
        self._found: dict[str, tuple[datetime, Asked]] = {}

    def of(self, session: Session, project_id: str, *, now: datetime) -> Asked:
        """Return which events the project's conditions ask about."""
        looked_at, found = self._found.get(project_id, (None, None))
        if found is None or looked_at is None or now - looked_at >= TRUSTED:
            found = asked(session, project_id)
            self._found[project_id] = now, found
        return found


def asked(session: Session, project_id: str) -> Asked:
    """Return which events the project's conditions ask about, and how far back, perhaps EVER."""
    found: dict[str, timedelta] = {}
    for raw in _conditions(session, project_id):
        for name, seconds in events_asked(raw):
            found[name] = max(found.get(name, timedelta()), _window(seconds))
    return found


def is_asked(asked: Asked, name: str, age: timedelta) -> bool:
    """Tell whether an event of this name and age may still answer a condition."""
    return name in asked and age <= asked[name]


def _window(seconds: float | None) -> timedelta:
    try:
        return EVER if seconds is None else timedelta(seconds=seconds)
    except (OverflowError, ValueError):  # no calendar reaches so far
        return EVER


def _conditions(session: Session, project_id: str) -> Iterator[object]:
    for column in CONDITIONS:
        yield from session.scalars(
            select(column).where(column.class_.project_id == project_id, column.is_not(None))
        )
    for workflow_id, first in _followed(session, project_id).items():
        yield from session.scalars(
            select(Revision.graph)
            .where(Revision.workflow_id == workflow_id, Revision.number >= first)
            .execution_options(yield_per=READ_AT_ONCE)
        )


def _followed(session: Session, project_id: str) -> dict[str, int]:
    """Return from which revision on runs may stand in each workflow, where it is not the newest.

    Who is pinned, and who waits for a condition, goes on asking what it was to ask. No run stands
    in a revision that was replaced before the oldest of them began.
    """
    newest, first = {}, {}
    since = _oldest_starts(session, project_id)
    rows = session.execute(
        select(Revision.workflow_id, Revision.number, Revision.created_at)
        .where(Revision.workflow_id.in_(since))
        .order_by(Revision.workflow_id, Revision.number)
    )
    for workflow_id, number, created_at in rows:
        newest[workflow_id] = number
        if workflow_id not in first or created_at <= since[workflow_id] - OVERLAP:
            first[workflow_id] = number
    return {key: number for key, number in first.items() if number < newest[key]}


def _oldest_starts(session: Session, project_id: str) -> dict[str, datetime]:
    """Return when the oldest run began that has not ended, by workflow, where there is one."""
    oldest = (
        select(func.min(Execution.started_at))
        .where(Execution.workflow_id == Workflow.id, Execution.status == status)
        .scalar_subquery()
        for status in ACTIVE_STATUSES
    )
    rows = session.execute(select(Workflow.id, *oldest).where(Workflow.project_id == project_id))
    starts = {key: [at for at in ats if at is not None] for key, *ats in rows}
    return {key: min(ats) for key, ats in starts.items() if ats}
