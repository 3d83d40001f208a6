"""Firing: schedules and dates that have come round, one batch of contacts at a time."""

from __future__ import annotations

import structlog

from plunk.db import is_passing, table_of, transaction
from plunk.engine.shell.batch import Engine
from plunk.engine.shell.rotation import projects_due
from plunk.models import Trigger
from plunk.services import occurrences

log = structlog.get_logger()


def fire_due(engine: Engine) -> int:
    """Give every project with a due schedule one batch (I7); return how many there were."""
    with transaction(engine.sessions) as session:
        due = projects_due(session, table_of(Trigger), "next_at", now=engine.clock.now())
    return sum(_fire_project(engine, project_id) for project_id in due)


def _fire_project(engine: Engine, project_id: str) -> int:
    """Fire one batch of the project's oldest due trigger; one that cannot be fired is skipped."""
    with transaction(engine.sessions) as session:
        trigger_id = occurrences.find_due(session, project_id, now=engine.clock.now())
    if trigger_id is None:
        return 0
    try:
        with transaction(engine.sessions) as session:
            now = engine.clock.now()
            return int(occurrences.fire(session, trigger_id, batch=engine.batch_size, now=now))
    except Exception as error:  # I7: whatever it is, only this trigger may suffer
        if is_passing(error):
            return 0
        log.exception("schedule.failed", project_id=project_id, trigger_id=trigger_id)
    with transaction(engine.sessions) as session:
        occurrences.skip(session, trigger_id, now=engine.clock.now())
    return 1
