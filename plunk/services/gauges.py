"""Gauges of the database: what is due, leased and stored, at a cost that does not grow with it.

Due rows are counted project by project along each queue's partial index, up to MOST in a project,
so that neither parked nor finished rows are read. Rows by status are counted while they are few.
Beyond that they come from PostgreSQL's own statistics, which ANALYZE keeps; those have no rare
values, so runs of a rare status are counted along an index. What is unknown is left out.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Select, Table, case, func, select, text, true
from sqlalchemy.orm import Session

from plunk.db import is_postgres, table_of
from plunk.metrics import Gauge
from plunk.models import Email, Execution, Segment, Trigger, WebhookCall, Workflow
from plunk.models.email import EMAIL_STATUSES, LANE_CAMPAIGN, LANE_TRANSACTIONAL, LANE_WORKFLOW
from plunk.models.execution import RUN_STATUSES

MOST = 10_000
FEW = 20_000
RARE = 1_000  # in one workflow
DUE = "plunk_queue_due"
OLDEST = "plunk_queue_oldest_seconds"
LEASED = "plunk_leases"
EXPIRED = "plunk_leases_expired"
ABOUT = {
    DUE: f"Rows that are due, up to {MOST} of each project.",
    OLDEST: "For how long the oldest due row has been due.",
    LEASED: "Rows that a worker holds.",
    EXPIRED: "Rows whose worker did not come back in time.",
}
# One row for each usual value of a column, with how many rows of the table have it.
USUAL = text(
    "SELECT unnest(s.most_common_vals::text::text[]) AS status,"
    " unnest(s.most_common_freqs) * c.reltuples AS rows"
    " FROM pg_stats s JOIN pg_class c ON c.oid = to_regclass(s.tablename)"
    " WHERE s.schemaname = current_schema() AND s.tablename = :name AND s.attname = 'status'"
)

SIZE = text("SELECT reltuples FROM pg_class WHERE oid = to_regclass(:name)")


class Queue(NamedTuple):
    """Rows that become due by a column; an outbox has lanes, one index range for each."""

    name: str
    table: Table
    column: str
    lanes: Mapping[str, int]


ONE_LANE = {"": 0}
LANES = {
    "transactional": LANE_TRANSACTIONAL,
    "workflow": LANE_WORKFLOW,
    "campaign": LANE_CAMPAIGN,
}
QUEUES = (
    Queue("runs", table_of(Execution), "due_at", ONE_LANE),
    Queue("emails", table_of(Email), "next_attempt_at", LANES),
    Queue("hooks", table_of(WebhookCall), "next_attempt_at", ONE_LANE),
    Queue("schedules", table_of(Trigger), "next_at", ONE_LANE),
    Queue("segments", table_of(Segment), "compute_at", ONE_LANE),
)
OUTBOXES: dict[str, type[Email | WebhookCall]] = {"emails": Email, "hooks": WebhookCall}
RUNS = table_of(Execution)
STORED = {
    "plunk_runs": (RUNS, RUN_STATUSES),
    "plunk_emails": (table_of(Email), EMAIL_STATUSES),
}


@dataclass(frozen=True, slots=True)
class Waiting:
    """Due rows of one lane: how many, and since when the oldest."""

    count: int
    oldest: datetime | None


def measure(session: Session, *, now: datetime, few: int = FEW) -> list[Gauge]:
    """Return all gauges; tables of up to so few rows are counted."""
    return [*_queues(session, now), *_leases(session, now), *_stored(session, few)]


def _queues(session: Session, now: datetime) -> Iterator[Gauge]:
    for queue in QUEUES:
        for lane, number in queue.lanes.items():
            found = waiting(session, queue, number, now=now)
            labels = {"queue": queue.name, "lane": lane}
            late = (now - found.oldest).total_seconds() if found.oldest else 0.0
            yield Gauge(DUE, ABOUT[DUE], labels, found.count)
            yield Gauge(OLDEST, ABOUT[OLDEST], labels, max(0.0, late))


def waiting(session: Session, queue: Queue, lane: int, *, now: datetime) -> Waiting:
    """Return what is due in one lane of a queue."""
    count, oldest = session.execute(due_statement(queue, lane, now=now)).one()
    return Waiting(int(count), oldest)


def due_statement(queue: Queue, lane: int, *, now: datetime) -> Select[int, datetime | None]:
    """Return the statement that counts what is due, and finds the oldest of it.

    It jumps from project to project, and looks at the due end of each one's part of the index.
    """
    row = queue.table.alias("row")
    project, due = row.c.project_id, row.c[queue.column]
    first = select(project).where(due.is_not(None)).order_by(project).limit(1)
    start = select(first.scalar_subquery().label("id")).cte("walk", recursive=True)
    following = first.where(project > start.c.id).scalar_subquery()
    walk = start.union_all(select(following).where(start.c.id.is_not(None)))
    mine = (project == walk.c.id, due <= now, row.c.lane == lane if lane else true())
    some = select(due).where(*mine).limit(MOST).correlate(walk).subquery()
    oldest = select(due).where(*mine).order_by(due).limit(1).correlate(walk)
    by_project = (
        select(
            select(func.count()).select_from(some).correlate(walk).scalar_subquery().label("count"),
            oldest.scalar_subquery().label("oldest"),
        )
        .where(walk.c.id.is_not(None))
        .subquery()
    )
    count = func.coalesce(func.sum(by_project.c["count"]), 0)
    return select(count, func.min(by_project.c.oldest))


def _leases(session: Session, now: datetime) -> Iterator[Gauge]:
    for name, model in OUTBOXES.items():
        is_late: ColumnElement[Any] = case((model.lease_until < now, 1))
        held, lost = session.execute(
            select(func.count(), func.count(is_late)).where(model.lease_until.is_not(None))
        ).one()
        yield Gauge(LEASED, ABOUT[LEASED], {"queue": name}, held)
        yield Gauge(EXPIRED, ABOUT[EXPIRED], {"queue": name}, lost)


def _stored(session: Session, few: int) -> Iterator[Gauge]:
    about = "Rows by status, about: as of the last ANALYZE, or exactly while they are few."
    for name, (table, statuses) in STORED.items():
        for status, rows in _by_status(session, table, statuses, few).items():
            yield Gauge(name, about, {"status": status}, rows)


def _by_status(
    session: Session, table: Table, statuses: Sequence[str], few: int
) -> dict[str, float]:
    """Return the rows of each status of which it is known how many there are."""
    if is_postgres(session) and (session.scalar(SIZE, {"name": table.name}) or 0) > few:
        usual = _usual(session, table)
        rare = (one for one in statuses if one not in usual and table is RUNS)
        exact = {status: _rare(session, status) for status in rare}
        return usual | {status: rows for status, rows in exact.items() if rows is not None}
    counted = _few(session, table, few)
    return {} if counted is None else {status: counted.get(status, 0) for status in statuses}


def _usual(session: Session, table: Table) -> dict[str, float]:
    rows = session.execute(USUAL, {"name": table.name})
    return {row.status: float(round(row.rows)) for row in rows}


def _rare(session: Session, status: str) -> float | None:
    """Count runs of a status along the index of each workflow; None when they are too many."""
    run = RUNS.alias("run")
    some = select(run.c.id).where(run.c.workflow_id == Workflow.id, run.c.status == status)
    mine = select(func.count()).select_from(some.limit(RARE + 1).correlate(Workflow).subquery())
    by_workflow = select(mine.scalar_subquery().label("rows")).select_from(Workflow).subquery()
    rows, most = session.execute(
        select(func.sum(by_workflow.c.rows), func.max(by_workflow.c.rows))
    ).one()
    return None if (most or 0) > RARE else float(rows or 0)


def _few(session: Session, table: Table, few: int) -> dict[str, float] | None:
    some = select(table.c.status).limit(few + 1).subquery()
    counted = select(some.c.status, func.count()).group_by(some.c.status)
    found = dict(_pairs(session.execute(counted)))
    return None if sum(found.values()) > few else found


def _pairs(rows: Iterable[Any]) -> Iterator[tuple[str, float]]:
    return ((status, count) for status, count in rows)
