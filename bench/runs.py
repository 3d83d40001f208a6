"""Advance: runs of TRIGGER → CONDITION → UPDATE_CONTACT → SEND_EMAIL → EXIT, due at once.

python -m bench.runs [sqlite|postgres] [runs]
"""

from __future__ import annotations

import sys
import time

from sqlalchemy import func, insert, select
from sqlalchemy.orm import Session

from bench import stage
from plunk.config import read_settings
from plunk.db import transaction
from plunk.ids import new_id
from plunk.models import Contact, Email, Execution, Trigger, Workflow
from plunk.services import deploying, workflow_text
from plunk.services.deploying import Bundle
from plunk.worker.jobs import Worker, advance_runs, close_worker, deliver_mail, open_worker

PEER = 55
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


def main(kind: str = "sqlite", total: str = "5000") -> None:
    """Measure the advance alone, then the delivery to a provider that takes everything."""
    count = int(total)
    with stage.database(kind) as url:
        project = stage.project(url)
        environment = {"DATABASE_URL": url, "SECRET_KEY": stage.SECRET, "MAIL_URL": "null://"}
        worker = open_worker(read_settings(environment))
        with transaction(worker.engine.sessions) as session:
            _fill(session, project.id, count, worker)
        advancing = _timed(advance_runs, worker)
        delivering = _timed(deliver_mail, worker)
        with transaction(worker.engine.sessions) as session:
            sent = session.scalar(
                select(func.count()).select_from(Email).where(Email.status == "SENT")
            )
        close_worker(worker)
    if sent != count:
        raise SystemExit(f"only {sent} of {count} messages were sent")
    rate, whole = count / advancing, count / (advancing + delivering)
    print(f"advance, {kind}: {rate:,.0f} runs/s of 5 steps, {rate / PEER:.0f} x the peer's {PEER}")
    print(f"advance + mail row SENT, {kind}: {whole:,.0f}/s, {whole / PEER:.0f} x the peer")


def _timed(job: object, worker: Worker) -> float:
    started = time.perf_counter()
    job(worker)  # type: ignore[operator] # one of the worker's jobs
    return time.perf_counter() - started


def _fill(session: Session, project_id: str, count: int, worker: Worker) -> None:
    """Deploy the flow, and enrol that many contacts at once."""
    now = worker.engine.clock.now()
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
