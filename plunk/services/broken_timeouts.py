"""Waits whose time-out was lost (I9): what is awaited may come, but the end never does.

A wait without a time-out looks the same, also one whose time-out an edit took away while the run
stood there. So it is the graph that the run follows which tells, not the run's history alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Select, and_, or_, select, true, tuple_, update
from sqlalchemy.orm import Session

from plunk.engine.core.graph import Graph
from plunk.engine.core.steps import WaitForCondition, WaitForEvent
from plunk.models import Execution, Revision, StepExecution
from plunk.models.workflow import ANYTHING
from plunk.services.violation import Check


class Waiting(NamedTuple):
    """A run that waits without a time-out, though it came there with one."""

    id: str
    awaited_event: str
    workflow_id: str
    revision: int
    step_id: str | None
    entered_at: datetime | None


LOST = or_(
    and_(Execution.awaited_event != ANYTHING, Execution.due_at.is_(None)),
    and_(
        Execution.awaited_event == ANYTHING,
        Execution.due_at.is_not(None),
        Execution.deadline_at.is_(None),
    ),
)


def _waiting(wanted: ColumnElement[bool]) -> Select[*tuple[Any, ...]]:
    return (
        select(
            Execution.id,
            Execution.awaited_event,
            Execution.workflow_id,
            Execution.revision,
            Execution.current_step_id,
            StepExecution.started_at,
        )
        .join(
            StepExecution,
            and_(
                StepExecution.execution_id == Execution.id,
                StepExecution.visit == Execution.visit,
            ),
        )
        .where(
            Execution.status == "WAITING",
            LOST,
            Execution.signal.is_(None),
            StepExecution.status == "WAITING",
            StepExecution.execute_after.is_not(None),
            wanted,
        )
        .order_by(Execution.id)
    )


def _ends(session: Session, waiting: Sequence[Waiting]) -> dict[str, datetime]:
    """Return when the waits are to end, of those whose step still has a time-out."""
    graphs = _graphs(session, {(one.workflow_id, one.revision) for one in waiting})
    found = {}
    for one in waiting:
        graph = graphs.get((one.workflow_id, one.revision))
        step = graph.steps.get(one.step_id or "") if graph else None
        match step.action if step else None:
            case WaitForEvent(timeout=timeout) | WaitForCondition(timeout=timeout) if (
                timeout and one.entered_at
            ):
                found[one.id] = one.entered_at + timeout
    return found


def _graphs(session: Session, keys: Iterable[tuple[str, int]]) -> dict[tuple[str, int], Graph]:
    rows = session.execute(
        select(Revision.workflow_id, Revision.number, Revision.graph).where(
            tuple_(Revision.workflow_id, Revision.number).in_(keys)
        )
    )
    return {(row[0], row[1]): Graph.from_json(row[2]) for row in rows}


def _find(session: Session, _now: datetime, after: str | None, limit: int) -> list[str]:
    found: list[str] = []
    while len(found) < limit:
        behind = true() if after is None else Execution.id > after
        rows = session.execute(_waiting(behind).limit(limit)).all()
        ends = _ends(session, [Waiting(*row) for row in rows])
        found += [row[0] for row in rows if row[0] in ends]
        if len(rows) < limit:
            break
        after = rows[-1][0]
    return found[:limit]


def _mend(session: Session, ids: Sequence[str], now: datetime) -> list[str]:
    mine = _waiting(Execution.id.in_(ids)).with_for_update(of=Execution, key_share=True)
    waiting = [Waiting(*row) for row in session.execute(mine)]
    ends = _ends(session, waiting)
    held = [one for one in waiting if one.id in ends]
    for one in held:
        values = _times(one, ends[one.id], now)
        session.execute(
            update(Execution)
            .where(Execution.id == one.id)
            .values(version=Execution.version + 1, updated_at=now, **values)
            .execution_options(synchronize_session=False)
        )
    return [one.id for one in held]


def _times(one: Waiting, end: datetime, now: datetime) -> dict[str, datetime]:
    if one.awaited_event == ANYTHING:
        return {"deadline_at": end, "due_at": now}
    return {"due_at": max(now, end)}


CHECKS = (
    Check(
        "time-out-never-comes",
        "I9",
        "runs that wait, and whose time-out was lost",
        "it comes when it was to, else now",
        _find,
        _mend,
    ),
)
