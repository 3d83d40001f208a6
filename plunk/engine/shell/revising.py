"""Revising: runs that stand on steps which a deployment changed or removed follow it at once.

Everybody else follows when their own time comes. Here runs are looked at although nothing is due:
a wait that is shorter now may be over, and from a removed step a run goes on. One batch of each
workflow at a time, so that thousands of people are spread out instead of all moving at once.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy import select

from plunk.db import begin_reading, transaction
from plunk.engine.shell.batch import Engine, advance_project
from plunk.models import Execution
from plunk.services import revisions
from plunk.services.revisions import Key, Touched, left_behind

# Who was under way while a revision was cut may still come to stand on what it touched.
LATE = timedelta(minutes=1)
PAUSE = timedelta(seconds=10)  # after a look that found nobody


@dataclass(slots=True)
class Reviser:
    """How far a worker has got with the runs of each revision, and when it looks again.

    `reached` is when the last of them started. It only spares looking at the same runs again and
    again; a new worker begins anew.
    """

    reached: dict[Key, datetime] = field(default_factory=dict)
    looks_at: dict[Key, datetime] = field(default_factory=dict)

    def forget(self, others: Collection[Key]) -> None:
        """Keep these revisions only."""
        self.reached = {key: at for key, at in self.reached.items() if key in others}
        self.looks_at = {key: at for key, at in self.looks_at.items() if key in others}


def revise_due(engine: Engine, reviser: Reviser) -> int:
    """Bring one batch of each workflow's runs over; return how many there were.

    A revision is done with when nobody is left behind. Until then a crash costs nothing: what was
    brought over carries the new revision, and the others are found again.
    """
    with engine.sessions() as session:
        begin_reading(session)
        unsettled = revisions.unsettled(session)
    reviser.forget({one.key for one in unsettled})
    return sum(_revise(engine, reviser, one) for one in unsettled)


def _revise(engine: Engine, reviser: Reviser, one: Touched) -> int:
    now = engine.clock.now()
    if reviser.looks_at.get(one.key, now) > now:
        return 0
    if ids := _next(engine, reviser, one):
        return advance_project(
            engine, one.project_id, lambda now: left_behind(one, now) & Execution.id.in_(ids)
        )
    reviser.looks_at[one.key] = now + PAUSE
    if one.created_at + LATE <= now:
        with transaction(engine.sessions) as session:
            revisions.settle(session, one, left_behind(one, now))
    return 0


def _next(engine: Engine, reviser: Reviser, one: Touched) -> list[str]:
    """Return the runs of the next batch, oldest first; after the last ones it begins anew."""
    since = reviser.reached.pop(one.key, None)
    with engine.sessions() as session:
        begin_reading(session)
        rows = session.execute(
            select(Execution.id, Execution.started_at)
            .where(
                left_behind(one, engine.clock.now()),
                *([] if since is None else [Execution.started_at >= since]),
            )
            .order_by(Execution.started_at)
            .limit(engine.batch_size)
        ).all()
    if len(rows) == engine.batch_size:
        reviser.reached[one.key] = rows[-1].started_at
    return [row.id for row in rows]
