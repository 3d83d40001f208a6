"""One turn of the engine: claim a batch of due runs, advance each, store it all, commit.

The transaction is the lease: a worker that dies in the middle leaves nothing behind, and its runs
are due again at once. No network call happens while it is open.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from threading import Event

import structlog
from sqlalchemy import ColumnElement, and_, update
from sqlalchemy.orm import Session, sessionmaker

from plunk.clock import Clock
from plunk.db import is_costly, is_passing, table_of, transaction
from plunk.engine.core import facts
from plunk.engine.core.advance import advance
from plunk.engine.core.progress import Progress, Visit
from plunk.engine.core.relocate import relocate
from plunk.engine.core.retiming import retime
from plunk.engine.core.run import Run
from plunk.engine.shell import telling
from plunk.engine.shell.claim import Claimed, claim, is_due
from plunk.engine.shell.load import GraphCache, Surroundings, load
from plunk.engine.shell.perform import Writes
from plunk.engine.shell.rotation import projects_due
from plunk.engine.shell.store import add, store
from plunk.metrics import Meter
from plunk.models import Execution

log = structlog.get_logger()
BATCH_SIZE = 250
PUT_OFF = timedelta(minutes=1)
Wanted = Callable[[datetime], ColumnElement[bool]]


@dataclass(frozen=True, slots=True)
class Engine:
    """What the engine needs to run: the database, the time, and where links lead.

    `stopping` is set when long work is to end after its current batch.
    """

    sessions: sessionmaker[Session]
    clock: Clock
    dashboard_url: str
    graphs: GraphCache = field(default_factory=GraphCache)
    batch_size: int = BATCH_SIZE
    meter: Meter = field(default_factory=Meter)
    stopping: Event = field(default_factory=Event)


def advance_due(engine: Engine) -> int:
    """Give every project with due runs one batch (I7); return how many runs were claimed."""
    with transaction(engine.sessions) as session:
        due = projects_due(session, table_of(Execution), "due_at", now=engine.clock.now())
    return sum(advance_project(engine, project_id) for project_id in due)


def advance_project(engine: Engine, project_id: str, wanted: Wanted = is_due) -> int:
    """Advance one batch of a project's due runs; one run that cannot be stored fails alone.

    `wanted` tells, given the time, which other runs are to be looked at as if they were due.
    """
    claimed: list[Claimed] = []
    try:
        with transaction(engine.sessions) as session:
            now = engine.clock.now()
            with engine.meter.claiming("runs"):
                claimed = claim(session, project_id, wanted(now), limit=engine.batch_size)
            moved = _advance(engine, session, project_id, claimed, now)
    except Exception as error:  # noqa: BLE001 - I7: whatever it is, only its culprit may suffer
        if is_passing(error) and not is_costly(error):  # all of it stays due
            log.warning("engine.postponed", project_id=project_id, reason=error)
            return 0
        log.warning("engine.batch_split", project_id=project_id, reason=error)
        return sum(_advance_alone(engine, project_id, item.run.id, wanted) for item in claimed)
    telling.advanced(engine.meter, claimed, moved, now=now)
    return len(claimed)


def _advance_alone(engine: Engine, project_id: str, run_id: str, wanted: Wanted) -> int:
    """Advance one run in a transaction of its own; mark it FAILED when even that cannot be."""
    try:
        with transaction(engine.sessions) as session:
            now = engine.clock.now()
            only = and_(wanted(now), Execution.id == run_id)
            claimed = claim(session, project_id, only, limit=1)
            moved = _advance(engine, session, project_id, claimed, now)
    except Exception as error:  # I7: whatever it is, it ends this run only
        if is_costly(error):  # perhaps it always is: nobody else may wait for it
            log.warning("engine.put_off", project_id=project_id, run_id=run_id, reason=error)
            _put_off(engine, run_id)
            return 1
        if is_passing(error):
            return 0
        log.exception("engine.run_failed", project_id=project_id, run_id=run_id)
        _fail(engine, project_id, run_id, wanted, f"{type(error).__name__}: {str(error)[:500]}")
        return 1
    telling.advanced(engine.meter, claimed, moved, now=now)
    return 1


def _put_off(engine: Engine, run_id: str) -> None:
    """Let a run that is due be due a little later."""
    with transaction(engine.sessions) as session:
        now = engine.clock.now()
        session.execute(
            update(Execution)
            .where(Execution.id == run_id, Execution.due_at <= now)
            .values(due_at=now + PUT_OFF)
            .execution_options(synchronize_session=False)
        )


def _advance(
    engine: Engine, session: Session, project_id: str, claimed: Sequence[Claimed], now: datetime
) -> Sequence[tuple[Run, Run]]:
    """Advance the runs and store them; return each as it was and as it is."""
    if not claimed:
        return ()
    around = load(
        session, project_id, claimed, engine.graphs, dashboard_url=engine.dashboard_url, now=now
    )
    writes = Writes(project_id, now, engine.dashboard_url, around.templates)
    for item in claimed:
        contact = writes.contacts.get(item.contact.id, item.contact)
        progress = _progress(around, replace(item, contact=contact), now)
        around.answers[contact.id] = progress.facts.answers  # for other runs of the same contact
        _add(writes, item, progress)
    store(session, writes)
    return writes.runs


def _add(writes: Writes, item: Claimed, progress: Progress) -> None:
    contact = progress.facts.contact
    writes.subjects[item.run.id] = contact
    if contact is not item.contact:  # not `!=`: to Python {"a": 1} equals {"a": True}
        writes.contacts[contact.id] = contact
        if contact.subscribed != item.contact.subscribed:
            writes.turned.add(contact.id)
        writes.depth = max(writes.depth, progress.run.depth + 1)
    add(writes, item.run, progress)


def _progress(around: Surroundings, item: Claimed, now: datetime) -> Progress:
    """Advance the run in the revision that it is to follow, from wherever it stands there."""
    run, known = item.run, around.facts(item.contact)
    graph = around.followed(run)
    if run.revision != graph.revision:
        old, entered = around.graph(run), around.entered.get(run.id, now)
        run, closed = relocate(old, graph, run, now)
        if (run.status, run.step_id) == (item.run.status, item.run.step_id):
            run = retime(old, graph, run, known, entered, now)
        if (run.status, run.step_id) != (item.run.status, item.run.step_id):
            return Progress(run, closed, known)
    progress = advance(graph, run, item.signal, known, now)
    if progress.run is run:  # nothing was to be done: it waits on until its own deadline (I9)
        return replace(progress, run=run.wait_again(now))
    return progress


def _fail(engine: Engine, project_id: str, run_id: str, wanted: Wanted, reason: str) -> None:
    with transaction(engine.sessions) as session:
        now = engine.clock.now()
        only = and_(wanted(now), Execution.id == run_id)
        for item in claim(session, project_id, only, limit=1):
            writes = Writes(project_id, now, engine.dashboard_url, {})
            failed = item.run.fail(now, step_id=item.run.step_id, visit=item.run.visit + 1)
            visits = _failed_visit(item.run, reason, now)
            writes.subjects[run_id] = item.contact
            add(writes, item.run, Progress(failed, visits, facts.Facts(item.contact)))
            store(session, writes)
            engine.meter.ended(Counter([failed.status]))


def _failed_visit(run: Run, reason: str, now: datetime) -> tuple[Visit, ...]:
    if run.step_id is None:
        return ()
    return (Visit(run.visit + 1, run.step_id, "FAILED", None, reason, now, now),)
