"""What must not cost more as tables grow: every statement of it finds its rows by an index.

The totals that list pages answer with are counted anew each time; they are left out here, and
docs/scaling.md says what they cost.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Connection, event, func, insert, select, text, update

from plunk.clock import SystemClock
from plunk.config import Settings
from plunk.db import db, transaction
from plunk.engine.shell.batch import advance_due
from plunk.engine.shell.hooks import call_due
from plunk.engine.shell.mail import deliver_due
from plunk.ids import new_id
from plunk.models import (
    Contact,
    Email,
    Event,
    Execution,
    IdempotencyKey,
    StepExecution,
    WebhookCall,
    Workflow,
)
from plunk.services import retention
from plunk.worker.jobs import drop_old
from tests.conftest import NOON
from tests.factories import template, track, workflow

ROWS = 3_000
GROWING = (
    "contacts",
    "executions",
    "emails",
    "events",
    "step_executions",
    "webhook_calls",
    "idempotency_keys",
)
SCAN = re.compile(r"(?:Seq Scan on|SCAN) (\w+)(?! USING COVERING INDEX)")
OTHERS = ("COPY", "SAVEPOINT", "RELEASE", "ROLLBACK", "BEGIN", "SET", "LISTEN", "NOTIFY")
TOTAL = "count(*) AS count_1"
WEEK = Settings(retention_events_days=7, retention_runs_days=7, retention_emails_days=7)
LATER = NOON + timedelta(days=30)
Statement = tuple[str, Any]


class Recorder:
    """Every statement that any engine executes while it is entered."""

    def __init__(self) -> None:
        self.statements: list[Statement] = []

    @contextmanager
    def recording(self, *engines: Any) -> Iterator[list[Statement]]:
        self.statements = []
        for engine in engines:
            event.listen(engine, "before_cursor_execute", self._note)
        try:
            yield self.statements
        finally:
            for engine in engines:
                event.remove(engine, "before_cursor_execute", self._note)

    def _note(self, _c: Any, _cu: Any, sql: str, values: Any, _x: Any, many: bool) -> None:  # noqa: FBT001 - SQLAlchemy's
        self.statements.append((sql, values[0] if many else values))


def plan_of(connection: Connection, statement: Statement) -> str:
    """Return how the database would find the rows."""
    sql, values = statement
    words = "EXPLAIN" if connection.dialect.name == "postgresql" else "EXPLAIN QUERY PLAN"
    rows = connection.exec_driver_sql(f"{words} {sql}", values)
    return "\n".join(str(row[-1]) for row in rows)


def used(connection: Connection, statements: list[Statement]) -> str:
    """Return all plans of these statements."""
    plain = [one for one in statements if not one[0].startswith(OTHERS)]
    return "\n".join(plan_of(connection, one) for one in plain)


def scanned(connection: Connection, statements: list[Statement]) -> list[str]:
    """Return the statements that read a growing table from end to end, with their plans."""
    found = []
    for sql, values in statements:
        if sql.startswith(OTHERS) or TOTAL in sql:
            continue
        plan = plan_of(connection, (sql, values))
        if set(SCAN.findall(plan)) & set(GROWING):
            found.append(f"{sql}\n{plan}")
    return found


@pytest.fixture
def crowd(api, machine, sessions, empty, backend):
    """Fill the tables with parked runs and what they left behind; return the workflow."""
    flow = workflow(
        api,
        ("SEND_EMAIL", {"templateId": template(api)}),
        ("WEBHOOK", {"url": "https://hooks.example.com/"}),
        ("WAIT_FOR_EVENT", {"eventName": "paid", "timeout": 86_400}),
    )
    track(api, email="first@example.org")
    machine.settle()
    with transaction(sessions) as session:
        for model in (Contact, Execution, Event, Email, WebhookCall, StepExecution):
            row = session.execute(select(model.__table__)).mappings().first()
            session.execute(insert(model), [_copy(model, row, number) for number in range(ROWS)])
    with empty.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("ANALYZE"))
    return flow


# The queues must be read by these; others would find the rows too, and read all of a project.
BY = {
    "claim": ("ix_executions_due",),
    "mail": ("ix_emails_due", "ix_emails_leased"),
    "hooks": ("ix_webhook_calls_due", "ix_webhook_calls_leased"),
    "page of runs": ("ix_executions_newest",),
}
PEOPLE = [new_id() for _ in range(ROWS)]
RUNS = [new_id() for _ in range(ROWS)]


def _copy(model: Any, row: Any, number: int) -> dict[str, Any]:
    """Return a row like another one, of somebody else."""
    own = {"id": new_id(), "contact_id": PEOPLE[number], "execution_id": RUNS[number]}
    if model is Contact:
        own = {"id": PEOPLE[number], "email": f"p{number}@example.org"}
    if model is Execution:
        own |= {"id": RUNS[number], "entry_key": PEOPLE[number], "due_at": LATER}
    if model is Email:
        own["message_id"] = f"<{number}@example.org>"
    own = {name: value for name, value in own.items() if name in row}
    return {**row, **own}


def test_no_everyday_work_reads_a_growing_table_from_end_to_end(api, machine, empty, crowd, app):
    with app.app_context():
        web = db.engine
    worker, recorder = machine.worker, Recorder()
    path = f"/workflows/{crowd['id']}"
    work: dict[str, Callable[[], object]] = {
        "enrolment": lambda: track(api, email="new@example.org"),
        "claim": lambda: advance_due(worker.engine),
        "mail": lambda: deliver_due(worker.mailer),
        "hooks": lambda: call_due(worker.caller),
        "wake-up": lambda: track(api, "paid", email="p7@example.org"),
        "claim of the woken": lambda: advance_due(worker.engine),
        "page of contacts": lambda: api.get("/contacts?limit=50"),
        "page of runs": lambda: api.get(f"{path}/executions?pageSize=50"),
        "one run": lambda: api.get(f"{path}/executions/{RUNS[5]}"),
        "page of workflows": lambda: api.get("/workflows"),
        "page of segments": lambda: api.get("/segments"),
    }
    faults = []
    for name, act in work.items():
        with recorder.recording(web, worker.database) as statements:
            act()
        assert statements, name
        with empty.engine.connect() as connection:
            plans = used(connection, statements)
            faults += [f"{name}: no {index}" for index in BY.get(name, ()) if index not in plans]
            faults += [f"{name}: {found}" for found in scanned(connection, statements)]
    assert faults == [], "\n\n".join(faults)


def test_retention_reads_no_growing_table_from_end_to_end(machine, sessions, empty, crowd):
    ended = {"status": "COMPLETED", "due_at": None, "awaited_event": None}
    with transaction(sessions) as session:
        session.execute(update(Workflow).values(allow_reentry=True))
        session.execute(update(Execution).values(**ended))
        spent = {"project_id": crowd["projectId"], "request": "POST /x", "created_at": NOON}
        session.execute(insert(IdempotencyKey), [{**spent, "key": str(n)} for n in range(ROWS)])
    machine.clock.move_to(SystemClock().now() + timedelta(days=8))  # ids are made by the real time
    recorder = Recorder()
    with recorder.recording(machine.worker.database) as statements:
        drop_old(replace(machine.worker, rules=retention.rules(WEEK)))
    with transaction(sessions) as session:
        gone = (Event, Execution, StepExecution, WebhookCall, IdempotencyKey)
        assert [session.scalar(select(func.count()).select_from(one)) for one in gone] == [0] * 5
        assert set(session.scalars(select(Email.body))) == {""}
    with empty.engine.connect() as connection:
        if connection.dialect.name == "postgresql":
            # A batch is a sixth of these tables: here an index could help, in large ones it does.
            connection.exec_driver_sql("SET LOCAL enable_seqscan = off")
        assert scanned(connection, statements) == []
