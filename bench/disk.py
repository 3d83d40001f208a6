"""Disk: what an event, a run of five steps, its visits and its message take on PostgreSQL.

python -m bench.disk [runs]
"""

from __future__ import annotations

import sys

from sqlalchemy import Engine, text

from bench import stage
from bench.own_postgres import OwnPostgres
from bench.runs import FLOW
from plunk.application import create_app
from plunk.config import read_settings
from plunk.db import db
from plunk.migrating import upgrade
from plunk.worker.jobs import advance_runs, close_worker, deliver_mail, open_worker

BATCH, PEOPLE = 1_000, 4  # everybody runs so often
TABLES = ("contacts", "events", "executions", "step_executions", "emails")
SIZE = "SELECT pg_table_size('{0}'), pg_indexes_size('{0}'), count(*) FROM {0}"


def main(runs: str = "20000") -> None:
    """Let so many runs happen, clean up as autovacuum does, and measure the tables."""
    total = int(runs)
    with OwnPostgres() as server:
        upgrade(server.url)
        project = stage.project(server.url)
        environment = {
            "DATABASE_URL": server.url,
            "SECRET_KEY": stage.SECRET,
            "MAIL_URL": "null://",
            "RATELIMIT_ENABLED": "0",
        }
        settings = read_settings(environment)
        app, worker = create_app(settings), open_worker(settings)
        client = app.test_client()
        client.environ_base["HTTP_AUTHORIZATION"] = f"Bearer {project.secret}"
        text_ = FLOW.replace('  on event "go"\n', '  on event "go"\n  reentry always\n')
        deployed = client.post("/flows/deploy", json={"files": {"bench.flow": text_}})
        if deployed.status_code != 200:  # noqa: PLR2004 - the status itself
            raise SystemExit(deployed.text)
        for start in range(0, total, BATCH):
            events = [_event(number, total // PEOPLE) for number in range(start, start + BATCH)]
            client.post("/v1/track/batch", json={"events": events})
        advance_runs(worker)
        deliver_mail(worker)
        _report(worker.database, total)
        close_worker(worker)
        with app.app_context():
            db.engine.dispose()


def _event(number: int, people: int) -> dict[str, object]:
    email = f"user{number % people}@example.com"
    return {"event": "go", "email": email, "data": {"plan": "pro", "order": number}}


def _report(database: Engine, runs: int) -> None:
    with database.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("VACUUM"))
        for table in TABLES:
            heap, indexes, rows = connection.execute(text(SIZE.format(table))).one()
            print(
                f"{table:<16} {rows:>8,} rows: {heap / rows:6,.0f} bytes and"
                f" {indexes / rows:5,.0f} of indexes, {rows / runs:.1f} for each run"
            )


if __name__ == "__main__":
    main(*sys.argv[1:])
