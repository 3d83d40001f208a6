"""Following: whom an event is about may enter or leave a tracked segment, within seconds.

It spares people the wait for the next full computing and decides nothing on its own: what it
misses, in a crash or in a crowd, computing finds.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby

import structlog

from plunk.db import begin_reading, is_passing, transaction
from plunk.engine.shell.batch import Engine
from plunk.errors import SegmentNotFound
from plunk.models import Segment
from plunk.services import segment_computing as computing
from plunk.services import segments

log = structlog.get_logger()
OVERLAP = timedelta(seconds=30)  # an event is dated before its transaction commits
CROWD = 5_000  # more contacts than this are left to computing


@dataclass(slots=True)
class Follower:
    """Up to when a worker has looked at events; a new one begins a little before now."""

    until: datetime | None = None


def follow(engine: Engine, follower: Follower) -> int:
    """Look at the contacts with recent events; return how many entered or left something."""
    now = engine.clock.now()
    since = min(follower.until or now, now) - OVERLAP
    follower.until = now
    with engine.sessions() as session:
        begin_reading(session)
        found = computing.tracked(session)
        heard = {
            project_id: computing.heard_of(session, project_id, since=since, limit=CROWD + 1)
            for project_id in {segment.project_id for segment in found}
        }
    return sum(
        _follow(engine, segment, heard[project_id])
        for project_id, group in groupby(found, key=lambda segment: segment.project_id)
        if 0 < len(heard[project_id]) <= CROWD
        for segment in group
        if not engine.stopping.is_set()
    )


def _follow(engine: Engine, segment: Segment, contact_ids: list[str]) -> int:
    """Ask one segment about these contacts; whatever goes wrong is left to computing (I7)."""
    changed = 0
    try:
        for start in range(0, len(contact_ids), engine.batch_size):
            with transaction(engine.sessions) as session:
                newest = segments.get(session, segment.project_id, segment.id)
                if not newest.track_membership:
                    return changed
                step = computing.compute_batch(
                    session,
                    newest,
                    among=contact_ids[start : start + engine.batch_size],
                    batch=engine.batch_size + 1,
                    now=engine.clock.now(),
                )
            changed += step.entered + step.left
    except SegmentNotFound:  # deleted meanwhile
        return changed
    except Exception as error:  # noqa: BLE001 - I7: the next one gets its turn
        if not is_passing(error):
            log.warning("segment.not_followed", segment_id=segment.id, reason=error)
    return changed
