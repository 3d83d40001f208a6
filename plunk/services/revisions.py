"""Revisions: every structural change of a workflow is stored as a new, immutable graph."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Select, and_, exists, null, or_, select, tuple_, update
from sqlalchemy.orm import Session

from plunk.errors import Conflict
from plunk.models import Execution, Revision, Step, Transition, Workflow
from plunk.services import triggers
from plunk.services.workflow_graph import Drawing, draw

MAX_UNSETTLED = 100
Key = tuple[str, int]


class Touched(NamedTuple):
    """A revision with steps that it changed or removed while runs stood there."""

    project_id: str
    workflow_id: str
    number: int
    touched: Sequence[str]
    created_at: datetime
    pinned_revision: int

    @property
    def key(self) -> Key:
        """What tells revisions from each other."""
        return self.workflow_id, self.number


def cut(
    session: Session,
    workflow: Workflow,
    *,
    now: datetime,
    source: str | None = None,
    touched: Collection[str] = (),
    drawing: Drawing | None = None,
) -> None:
    """Store the graph as the workflow's next revision, and listen for what starts it.

    The caller holds the lock on the workflow. `source` is the text the graph was made from; runs
    that stand on the `touched` steps are to follow at once. A `drawing` that is still true spares
    us reading it.
    """
    session.flush()
    drawing = drawing or draw(session, workflow)
    workflow.revision += 1
    workflow.updated_at = now
    session.add(
        Revision(
            workflow_id=workflow.id,
            number=workflow.revision,
            project_id=workflow.project_id,
            graph=snapshot(drawing),
            source=source,
            touched=sorted(touched) or None,
            created_at=now,
        )
    )
    triggers.listen(session, drawing, now=now)
    session.flush()


def unsettled(session: Session) -> list[Touched]:
    """Return the revisions that runs may still have to be brought over to, oldest first."""
    return _touched(session, _unsettled().limit(MAX_UNSETTLED))


def among(session: Session, keys: Collection[Key]) -> list[Touched]:
    """Return those of the revisions that runs may still have to be brought over to."""
    wanted = tuple_(Revision.workflow_id, Revision.number).in_(keys)
    return _touched(session, _unsettled().where(wanted))


def refuse_left_behind(session: Session, workflow: Workflow, *, now: datetime) -> None:
    """Raise Conflict while a revision of the workflow is yet to reach somebody it is for."""
    for one in _touched(session, _unsettled().where(Revision.workflow_id == workflow.id)):
        if session.scalar(select(exists().where(left_behind(one, now)))):
            raise Conflict(
                f"People in the workflow {workflow.name!r} are still being brought over to"
                f" revision {one.number}; try again in a moment.",
                details={"workflow": workflow.name, "revision": one.number},
            )


def left_behind(one: Touched, now: datetime) -> ColumnElement[bool]:
    """Return the condition on runs that wait on a touched step, in an older revision.

    Those that are due, or for which something has arrived, are on their way already; so is who
    waits for the answer of a web hook. Who is pinned stays.
    """
    return and_(
        Execution.workflow_id == one.workflow_id,
        Execution.status == "WAITING",
        Execution.revision < one.number,
        Execution.revision > one.pinned_revision,
        Execution.current_step_id.in_(one.touched),
        Execution.signal.is_(None),
        or_(Execution.due_at.is_(None), Execution.due_at > now),
    )


def settle(session: Session, one: Touched, left_behind: ColumnElement[bool]) -> None:
    """Note down that nobody is left behind, unless somebody is."""
    session.execute(
        update(Revision)
        .where(
            Revision.workflow_id == one.workflow_id,
            Revision.number == one.number,
            ~exists().where(left_behind),
        )
        .values(touched=null()),
        execution_options={"synchronize_session": False},
    )


def keep_source(session: Session, workflow: Workflow, source: str) -> None:
    """Note down other words for the graph of the current revision, which stays as it is."""
    session.execute(
        update(Revision)
        .where(
            Revision.workflow_id == workflow.id,
            Revision.number == workflow.revision,
            Revision.source.is_distinct_from(source),
        )
        .values(source=source),
        execution_options={"synchronize_session": False},
    )


def current_source(session: Session, workflow: Workflow) -> str | None:
    """Return the text the current revision was made from, or None when it was made otherwise."""
    return current_sources(session, [workflow]).get(workflow.id)


def current_sources(session: Session, workflows: Iterable[Workflow]) -> dict[str, str]:
    """Return the texts that current revisions were made from, by workflow, where there is one."""
    rows = session.execute(
        select(Revision.workflow_id, Revision.source)
        .join(Workflow, Workflow.id == Revision.workflow_id)
        .where(
            Revision.workflow_id.in_([one.id for one in workflows]),
            Revision.number == Workflow.revision,
            Revision.source.is_not(None),
        )
    )
    return {row.workflow_id: row.source for row in rows}


def _unsettled() -> Select[str, str, int, list[str] | None, datetime, int]:
    return (
        select(
            Revision.project_id,
            Revision.workflow_id,
            Revision.number,
            Revision.touched,
            Revision.created_at,
            Workflow.pinned_revision,
        )
        .join(Workflow, Workflow.id == Revision.workflow_id)
        .where(Revision.touched.is_not(None))
        .order_by(Revision.created_at)
    )


def _touched(
    session: Session, rows: Select[str, str, int, list[str] | None, datetime, int]
) -> list[Touched]:
    return [
        Touched(project_id, workflow_id, number, touched or (), created_at, pinned_revision)
        for project_id, workflow_id, number, touched, created_at, pinned_revision in (
            session.execute(rows)
        )
    ]


def snapshot(drawing: Drawing) -> dict[str, Any]:
    """Return the graph as runs follow it."""
    return {
        "workflowId": drawing.workflow.id,
        "revision": drawing.workflow.revision,
        "name": drawing.workflow.name,
        "dialect": drawing.workflow.dialect,
        "headers": drawing.workflow.headers,
        "steps": [_step_json(step) for step in drawing.steps],
        "transitions": [_transition_json(edge) for edge in drawing.transitions],
    }


def _step_json(step: Step) -> dict[str, Any]:
    return {
        "id": step.id,
        "type": step.type,
        "name": step.name,
        "label": step.label,
        "config": step.config,
        "templateId": step.template_id,
        **({} if step.draw is None else {"draw": step.draw}),
    }


def _transition_json(edge: Transition) -> dict[str, Any]:
    return {
        "id": edge.id,
        "fromStepId": edge.from_step_id,
        "toStepId": edge.to_step_id,
        "condition": edge.condition,
        "priority": edge.priority,
        "waitOutcome": edge.wait_outcome,
    }
