"""Computing: segments whose turn has come are counted, and tracked ones brought up to date."""

from __future__ import annotations

import structlog

from plunk.db import is_passing, table_of, transaction
from plunk.engine.shell.batch import Engine
from plunk.engine.shell.rotation import projects_due
from plunk.errors import SegmentNotFound
from plunk.models import Segment
from plunk.services import segment_computing as computing
from plunk.services import segments

log = structlog.get_logger()


def compute_due(engine: Engine) -> int:
    """Give every project one of its due segments (I7); return how many there were."""
    with transaction(engine.sessions) as session:
        due = projects_due(session, table_of(Segment), "compute_at", now=engine.clock.now())
    return sum(_compute_one(engine, one) for one in due if not engine.stopping.is_set())


def _compute_one(engine: Engine, project_id: str) -> int:
    """Compute one segment of the project; one that cannot be computed waits for its next turn."""
    with transaction(engine.sessions) as session:
        segment = computing.claim(session, project_id, now=engine.clock.now())
    if segment is None:
        return 0
    try:
        if segment.type == "DYNAMIC" and segment.track_membership:
            _compute(engine, segment)
        if engine.stopping.is_set():
            return 1  # the next turn, which comes by itself, begins it anew
        with transaction(engine.sessions) as session:
            computing.settle(session, segment, now=engine.clock.now())
    except SegmentNotFound:  # deleted meanwhile
        return 1
    except Exception as error:  # I7: whatever it is, only this segment may suffer
        if is_passing(error):
            log.warning("segment.postponed", segment_id=segment.id)
        else:
            log.exception("segment.failed", project_id=project_id, segment_id=segment.id)
    return 1


def _compute(engine: Engine, segment: Segment) -> None:
    cursor: str | None = ""
    while cursor is not None and not engine.stopping.is_set():
        with transaction(engine.sessions) as session:
            newest = segments.get(session, segment.project_id, segment.id)
            if not newest.track_membership:
                return
            step = computing.compute_batch(
                session, newest, after=cursor, batch=engine.batch_size, now=engine.clock.now()
            )
        cursor = step.cursor
