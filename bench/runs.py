"""The engine: runs of five steps that are due at once, advanced and delivered by one worker.

python -m bench.runs [sqlite|postgres] [runs]

On PostgreSQL the statements of the same work are also replayed without the engine, on a copy of the
database as it was before: that is the rate which the SQL alone reaches.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime

from sqlalchemy import event, func, insert, select
from sqlalchemy.orm import Session

from bench import stage
from plunk.config import read_settings
from plunk.db import open_engine, transaction
from plunk.ids import new_id
from plunk.models import Contact, Email, Execution, Trigger, Workflow
from plunk.services import deploying, workflow_text
from plunk.services.deploying import Bundle
from plunk.worker.jobs import Worker, advance_runs, close_worker, deliver_mail, open_worker
from plunk.worker.schedule import collect_seldom

PEER = 55
REPLAYED = 5_000
FLOW = """
template "bench" {
  type: transactional
  subject: "Hello {{ plan }}"
  from: "team@example.com"
  body: "<p>Dear {{ email }}, you are on {{ plan }}.</p>"
}
workflow "bench" {
  on event "go"
  if contact.data.plan == "pro" {
    update contact { seen: true }
    send email "bench"
    exit "done"
  }
}
"""
Statement = tuple[str, Mapping[str, object] | Sequence[object]]


def main(kind: str = "postgres", total: str = "50000") -> None:
    """Measure the advance, then the delivery to a provider that takes everything."""
    collect_seldom()
    count = int(total)
    advancing, delivering = _measured(kind, count)
    rate = count / advancing
    print(f"advance, {kind}: {rate:,.0f} runs/s of 5 steps, {rate / PEER:.0f} x the peer's {PEER}")
    print(f"send, {kind}, null provider, a hundred at once: {count / delivering:,.0f} mails/s")
    whole = count / (advancing + delivering)
    print(f"advance + mail row SENT, {kind}: {whole:,.0f}/s, {whole / PEER:.0f} x the peer")
    if kind == "postgres":
        bare = _bare(REPLAYED)
        print(f"the same SQL alone: {bare:,.0f} runs/s; the engine reaches {rate / bare:.0%} of it")


def _measured(kind: str, count: int) -> tuple[float, float]:
    with _filled(kind, count) as url, _worker(url) as worker:
        advancing = _timed(advance_runs, worker)
        stage.settle(url)
        delivering = _timed(deliver_mail, worker)
        with transaction(worker.engine.sessions) as session:
            sent = session.scalar(select(func.count()).where(Email.status == "SENT"))
        if sent != count:
            raise SystemExit(f"only {sent} of {count} messages were sent")
        return advancing, delivering


def _bare(count: int) -> float:
    """Return how many runs a second the engine's own statements make when nobody thinks."""
    with _filled("postgres", count) as url, stage.copied(url) as copy:
        with _worker(url) as worker:
            recorded = _recorded(worker)
        engine = open_engine(copy)
        with engine.connect() as connection:
            cursor = connection.connection.cursor()
            started = time.perf_counter()
            for statement, parameters in recorded:
                cursor.execute(statement, parameters)
            took = time.perf_counter() - started
        engine.dispose()
        return count / took


def _recorded(worker: Worker) -> list[Statement]:
    statements: list[Statement] = []
    database = worker.database
    # Any callable that takes anything will do as a listener; SQLAlchemy counts its arguments.
    event.listen(
        database,
        "before_cursor_execute",
        lambda _c, _cursor, statement, parameters, _x, _m: statements.append(
            (statement, parameters)
        ),
    )
    event.listen(database, "commit", lambda _connection: statements.append(("COMMIT", ())))
    advance_runs(replace(worker, at_once=1))
    return statements


@contextmanager
def _filled(kind: str, count: int) -> Iterator[str]:
    """Make a database in which that many runs are due."""
    with stage.database(kind) as url:
        project = stage.project(url)
        with _worker(url) as worker, transaction(worker.engine.sessions) as session:
            _fill(session, project.id, count, worker.engine.clock.now())
        stage.settle(url)
        yield url


@contextmanager
def _worker(url: str) -> Iterator[Worker]:
    environment = {"DATABASE_URL": url, "SECRET_KEY": stage.SECRET, "MAIL_URL": "null://?chunk=100"}
    worker = open_worker(read_settings(environment))
    try:
        yield worker
    finally:
        close_worker(worker)


def _timed(job: Callable[[Worker], None], worker: Worker) -> float:
    started = time.perf_counter()
    job(worker)
    return time.perf_counter() - started


def _fill(session: Session, project_id: str, count: int, now: datetime) -> None:
    """Deploy the flow, and enrol that many contacts at once."""
    written = workflow_text.read({"bench.flow": FLOW})
    bundle = Bundle({"bench.flow": FLOW})
    deploying.deploy(session, project_id, written, bundle, now=now)
    flow = session.scalars(select(Workflow)).one()
    entry = session.scalars(select(Trigger.entry_step_id)).one()
    people = [
        {
            "id": new_id(),
            "project_id": project_id,
            "email": f"user{number}@example.com",
            "data": {"plan": "pro"},
            "subscribed": True,
            "created_at": now,
            "updated_at": now,
        }
        for number in range(count)
    ]
    session.execute(insert(Contact), people)
    session.execute(
        insert(Execution),
        [
            {
                "id": new_id(),
                "project_id": project_id,
                "workflow_id": flow.id,
                "contact_id": person["id"],
                "entry_key": person["id"],
                "revision": flow.revision,
                "current_step_id": entry,
                "due_at": now,
                "started_at": now,
                "created_at": now,
                "updated_at": now,
            }
            for person in people
        ],
    )


if __name__ == "__main__":
    main(*sys.argv[1:])
