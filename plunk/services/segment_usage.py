"""Where a segment is used: in workflows, and in the conditions of other segments."""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy import ColumnElement, Select, String, cast, func, select, union
from sqlalchemy.orm import InstrumentedAttribute, Session

from plunk.errors import Conflict
from plunk.models import Segment, Step, Transition, Trigger, Workflow
from plunk.services import pinned_runs


def refuse_used(session: Session, segment: Segment) -> None:
    """Raise Conflict when something would no longer work without the segment."""
    workflows = session.scalar(
        select(func.count()).select_from(union(*_workflows(segment)).subquery())
    )
    others = session.scalar(
        select(func.count()).where(
            Segment.project_id == segment.project_id,
            Segment.id != segment.id,
            _mentions(Segment.condition, segment),
        )
    )
    if workflows or others:
        raise Conflict(
            f"The segment is used by {_counted(workflows or 0, 'workflow')}"
            f" and {_counted(others or 0, 'other segment')}.",
            details={"workflows": workflows or 0, "segments": others or 0},
        )


def _workflows(segment: Segment) -> Iterator[Select[str]]:
    ours = Workflow.project_id == segment.project_id
    yield select(Workflow.id).where(ours, _mentions(Workflow.headers, segment))
    yield select(Workflow.id).where(ours, _mentions(Workflow.trigger_config, segment))
    yield select(Trigger.workflow_id).where(Trigger.segment_id == segment.id)
    yield select(Step.workflow_id).where(
        Step.project_id == segment.project_id,
        Step.deleted_at.is_(None),
        _mentions(Step.config, segment),
    )
    yield select(Transition.workflow_id).where(
        Transition.project_id == segment.project_id, _mentions(Transition.condition, segment)
    )
    yield pinned_runs.needing(segment.project_id, [segment.id])


def _mentions(column: InstrumentedAttribute[object], segment: Segment) -> ColumnElement[bool]:
    """Return whether a JSON column speaks of the segment; nothing else looks like its id."""
    return cast(column, String).contains(segment.id)


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"
