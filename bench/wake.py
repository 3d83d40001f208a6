"""Waking: many runs are parked and some are due; how late do they come, and what does it cost.

python -m bench.wake [parked] [due]     PostgreSQL only; a million parked runs take some minutes
"""

from __future__ import annotations

import re
import sys
import time

from sqlalchemy import Connection, text

from bench import stage
from plunk.config import read_settings
from plunk.db import open_engine, transaction
from plunk.services import deploying, workflow_text
from plunk.services.deploying import Bundle
from plunk.worker import schedule
from plunk.worker.jobs import Worker, close_worker, open_worker

FLOW = """
workflow "parked" {
  on event "go"
  wait 30 days
  update contact { woken: true }
}
"""
PEER = "59/s; first lag 0.17 s, last 85 s, of 5,000"
PEOPLE = """
INSERT INTO contacts (id, project_id, email, data, subscribed, created_at, updated_at)
SELECT gen_random_uuid(), :project, 'user' || n || '@example.com', '{"plan": "pro"}', true,
    now(), now() FROM generate_series(1, :parked) AS n
"""
RUNS = """
INSERT INTO executions (id, project_id, workflow_id, dialect, contact_id, entry_key, revision,
    status, current_step_id, visit, version, depth, due_at, started_at, created_at, updated_at)
SELECT gen_random_uuid(), :project, workflow.id, 'plunk', contact.id, contact.id, workflow.revision,
    'WAITING', step.id, 2, 2, 0, now() + '30 days', now(), now(), now()
FROM contacts AS contact, workflows AS workflow, steps AS step WHERE step.type = 'DELAY'
"""
DUE = """
UPDATE executions SET due_at = clock_timestamp() WHERE id IN
    (SELECT id FROM executions WHERE due_at > now() ORDER BY entry_key LIMIT :due)
"""
WOKEN = """
SELECT count(*) FROM executions
WHERE workflow_id = (SELECT id FROM workflows) AND status = 'COMPLETED'
"""
LAGS = """
SELECT count(*), max(lag), percentile_cont(array[0.5, 0.99]) WITHIN GROUP (ORDER BY lag) FROM (
    SELECT extract(epoch FROM completed_at - :since) AS lag FROM executions
    WHERE status = 'COMPLETED') AS woken
"""


def main(parked: str = "1000000", due: str = "10000") -> None:
    """Park the runs, let some be due at once, and look at when a worker came to them."""
    schedule.collect_seldom()
    with stage.database("postgres") as url:
        project = stage.project(url)
        worker = open_worker(
            read_settings({"DATABASE_URL": url, "SECRET_KEY": stage.SECRET, "MAIL_URL": "null://"})
        )
        _park(worker, project.id, int(parked))
        stage.settle(url)
        engine = open_engine(url)
        running = schedule.start(worker, poll_seconds=1.0)
        before = _resident()
        with engine.begin() as connection:
            connection.execute(text(DUE), {"due": int(due)})
        with engine.connect() as connection:
            # Nobody could see that they are due before this was committed.
            since = connection.execute(text("SELECT clock_timestamp()")).scalar_one()
            count, last, (half, most) = _lags(connection, since, int(due))
        after = _resident()
        running.stop()
        print(
            f"wake, {count:,} of {int(parked):,} parked runs due at once: lag p50 {half:.2f} s, "
            f"p99 {most:.2f} s, last {last:.2f} s (the peer: {PEER})"
        )
        print(f"claim: {_claims(worker)}")
        print(f"memory of the worker: {before:.0f} MiB before, {after:.0f} MiB after")
        close_worker(worker)
        engine.dispose()


def _park(worker: Worker, project_id: str, parked: int) -> None:
    with transaction(worker.engine.sessions) as session:
        now = worker.engine.clock.now()
        written, bundle = workflow_text.read({"f.flow": FLOW}), Bundle({"f.flow": FLOW})
        deploying.deploy(session, project_id, written, bundle, now=now)
    with worker.database.begin() as connection:
        connection.execute(text("SET session_replication_role = replica"))  # no foreign keys: speed
        connection.execute(text(PEOPLE), {"project": project_id, "parked": parked})
        connection.execute(text(RUNS), {"project": project_id})
        connection.execute(text("SET session_replication_role = origin"))


def _lags(connection: Connection, since: object, due: int) -> tuple[int, float, list[float]]:
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        woken = connection.execute(text(WOKEN)).scalar_one()
        connection.rollback()
        if woken >= due:
            found = connection.execute(text(LAGS), {"since": since}).one()
            return found[0], float(found[1]), [float(one) for one in found[2]]
        time.sleep(0.5)
    raise TimeoutError("the runs were not woken")


def _claims(worker: Worker) -> str:
    """Return what the meter says about claims of runs."""
    lines = worker.meter.text().decode()
    figures = {
        name: float(value)
        for name, value in re.findall(r'plunk_claim_seconds_(sum|count){queue="runs"} (\S+)', lines)
    }
    mean = figures["sum"] / figures["count"] * 1000
    return f"{figures['count']:.0f} claims, {mean:.1f} ms each in the mean"


def _resident() -> float:
    with open("/proc/self/status") as status:  # noqa: PTH123 - Linux's own
        return next(int(line.split()[1]) for line in status if line.startswith("VmRSS")) / 1024


if __name__ == "__main__":
    main(*sys.argv[1:])
