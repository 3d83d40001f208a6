"""Revising: runs that stand on steps which a deployment changed or removed follow it at once.

Everybody else follows when their own time comes. Here runs are looked at although nothing is due:
a wait that is shorter now may be over, and from a removed step a run goes on. One batch of each
workflow at a time, so that thousands of people are spread out instead of all moving at once.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, and_, or_

from plunk.db import begin_reading, transaction
from plunk.engine.shell.batch import Engine, advance_project
from plunk.models import Execution
from plunk.services import revisions
from plunk.services.revisions import Touched

# Who was under way while a revision was cut may still come to stand on what it touched.
LATE = timedelta(minutes=1)


def revise_due(engine: Engine) -> int:
    """Bring one batch of each workflow's runs over; return how many there were.

    A revision is done with when nobody is left behind. Until then a crash costs nothing: what was
    brought over carries the new revision, and the others are found again.
    """
    with engine.sessions() as session:
        begin_reading(session)
        unsettled = revisions.unsettled(session)
    return sum(_revise(engine, one) for one in unsettled)


def _revise(engine: Engine, one: Touched) -> int:
    def wanted(now: datetime) -> ColumnElement[bool]:
        return left_behind(one, now)

    count = advance_project(engine, one.project_id, wanted)
    if count == 0 and one.created_at + LATE <= engine.clock.now():
        with transaction(engine.sessions) as session:
            revisions.settle(session, one, left_behind(one, engine.clock.now()))
    return count


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
