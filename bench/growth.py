"""Flat cost: claim, enrol, wake and list with ever more people, runs and events on PostgreSQL.

python -m bench.growth [largest]
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from statistics import median

import structlog
from flask.testing import FlaskClient
from sqlalchemy import Engine, text

from bench import stage
from bench.own_postgres import OwnPostgres
from plunk.application import create_app
from plunk.config import read_settings
from plunk.db import db, open_engine, session_factory, transaction
from plunk.engine.shell.claim import claim, is_due
from plunk.ids import NO_ID
from plunk.migrating import upgrade
from plunk.services.old_rows import EVENTS, drop_events
from plunk.services.walks import Walk
from plunk.worker.jobs import advance_runs, close_worker, open_worker

SIZES = (10_000, 100_000, 1_000_000)
ROUNDS, WARMING, CALLS, DUE, OK = 5, 10, 20, 250, 200
MAKE_DUE = """
UPDATE executions SET due_at = now() WHERE id IN
  (SELECT id FROM executions WHERE entry_key ~ '^run' ORDER BY id LIMIT :most)
"""
FLOW = """
workflow "growth" {
  on event "go"
  reentry always
  wait for event "paid" up to 30 days
  exit "done"
}
"""
# Ids that sort as they are made; foreign keys are not asked for rows that are right by making.
FILL = """
SET session_replication_role = replica;
INSERT INTO contacts (id, project_id, email, data, subscribed, created_at, updated_at)
SELECT {contact}, '{project}', 'user' || n || '@example.com', '{{"plan": "pro"}}', true,
  now() + n * interval '1 microsecond', now()
FROM generate_series({first}, {last}) n;
INSERT INTO executions (id, project_id, workflow_id, dialect, contact_id, entry_key, revision,
  status, current_step_id, visit, version, depth, due_at, awaited_event, started_at, created_at,
  updated_at)
SELECT {run}, '{project}', x.workflow_id, 'plunk', {contact}, 'run' || n, x.revision, x.status,
  x.current_step_id, x.visit, x.version, x.depth, now() + interval '30 days', 'paid',
  now() + n * interval '1 microsecond', now(), now()
FROM generate_series({first}, {last}) n,
  (SELECT * FROM executions WHERE entry_key !~ '^run' LIMIT 1) x;
INSERT INTO events (id, project_id, contact_id, name, data, created_at)
SELECT {event}, '{project}', {contact}, 'go', '{{"order": 7}}', now()
FROM generate_series({first}, {last}) n;
SET session_replication_role = DEFAULT;
"""


def main(largest: str = "1000000") -> None:
    """Measure at each size and print the medians, and how much the dearest costs more."""
    structlog.configure(logger_factory=structlog.ReturnLoggerFactory())
    sizes = [size for size in SIZES if size <= int(largest)]
    with OwnPostgres() as server:
        upgrade(server.url)
        project = stage.project(server.url)
        settings = read_settings(
            {"DATABASE_URL": server.url, "SECRET_KEY": stage.SECRET, "RATELIMIT_ENABLED": "0"}
        )
        app, engine = create_app(settings), open_engine(server.url)
        client = app.test_client()
        client.environ_base["HTTP_AUTHORIZATION"] = f"Bearer {project.secret}"
        flow = _begin(client, server.url)
        found: dict[str, list[float]] = {}
        have = 0
        for size in sizes:
            _fill(engine, project.id, have + 1, size)
            have = size
            for name, measure in Stand(engine, client, project.id, flow, size).measures().items():
                for warming in range(ROUNDS, ROUNDS + WARMING):
                    measure(warming)
                times = [measure(round_) for round_ in range(ROUNDS)]
                found.setdefault(name, []).append(median(times))
        for name, costs in found.items():
            shown = " ".join(f"{cost * 1000:8.2f}" for cost in costs)
            print(f"{name:<34} {shown} ms, {max(costs) / min(costs):.2f} x")
        engine.dispose()
        with app.app_context():
            db.engine.dispose()


def _begin(client: FlaskClient, url: str) -> str:
    """Deploy the workflow and make its first run, which the others are copies of."""
    deployed = client.post("/flows/deploy", json={"files": {"growth.flow": FLOW}})
    client.post("/v1/track", json={"event": "go", "email": "first@example.com"})
    worker = open_worker(
        read_settings({"DATABASE_URL": url, "SECRET_KEY": stage.SECRET, "MAIL_URL": "null://"})
    )
    advance_runs(worker)
    close_worker(worker)
    return str(deployed.get_json()["workflows"][0]["id"])


def _fill(engine: Engine, project_id: str, first: int, last: int) -> None:
    ids = {
        name: f"('0000000{digit}-0000-7000-8000-' || lpad(to_hex(n), 12, '0'))::uuid"
        for digit, name in enumerate(("contact", "run", "event"), start=1)
    }
    script = FILL.format(project=project_id, first=first, last=last, **ids)
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        for statement in script.split(";\n"):
            if statement.strip():
                connection.exec_driver_sql(statement)
        connection.execute(text("VACUUM ANALYZE"))


@dataclass(frozen=True)
class Stand:
    """What is measured at one size; every measurement gets the number of its round."""

    engine: Engine
    client: FlaskClient
    project_id: str
    flow: str
    size: int

    def measures(self) -> dict[str, Callable[[int], float]]:
        """Return the measurements by name, each answering in seconds."""
        first = self.client.get("/contacts?limit=100").get_json()
        following = f"/contacts?limit=100&cursor={first.get('cursor')}"
        return {
            f"claim of {DUE} due runs": self.claim,
            "track, nothing listens": partial(self.track, "other"),
            "track, enrols": partial(self.track, "go"),
            "track, wakes": partial(self.track, "paid"),
            f"retention of {EVENTS} events": self.retain,
            "page of 100 contacts, with total": partial(self.get, "/contacts?limit=100"),
            "the next page, by cursor": partial(self.get, following),
            "page of 100 runs, with total": partial(
                self.get, f"/workflows/{self.flow}/executions?pageSize=100"
            ),
        }

    def claim(self, _round: int) -> float:
        """Claim what was made due just before."""
        with self.engine.begin() as connection:
            connection.execute(text(MAKE_DUE), {"most": DUE})
        with transaction(session_factory(self.engine)) as session:
            now = session.scalar(text("SELECT now() + interval '1 minute'"))
            began = time.perf_counter()
            claimed = claim(session, self.project_id, is_due(now), limit=DUE)
            spent = time.perf_counter() - began
        if len(claimed) != DUE:
            raise SystemExit(f"claimed {len(claimed)}")
        return spent

    def track(self, event: str, round_: int) -> float:
        """Track an event of people nobody tracked before."""
        first = self.size // 2 + round_ * CALLS
        began = time.perf_counter()
        for number in range(first, first + CALLS):
            body = {"event": event, "email": f"user{number}@example.com"}
            if self.client.post("/v1/track", json=body).status_code != OK:
                raise SystemExit("not tracked")
        return (time.perf_counter() - began) / CALLS

    def retain(self, _round: int) -> float:
        """Let one batch of events go."""
        tomorrow = datetime.now(UTC) + timedelta(days=1)
        began = time.perf_counter()
        with transaction(session_factory(self.engine)) as session:
            if not drop_events(session, Walk(NO_ID, tomorrow, tomorrow)):
                raise SystemExit("nothing to drop")
        return time.perf_counter() - began

    def get(self, path: str, _round: int) -> float:
        """Get a page."""
        began = time.perf_counter()
        if self.client.get(path).status_code != OK:
            raise SystemExit(path)
        return time.perf_counter() - began


if __name__ == "__main__":
    main(*sys.argv[1:])
