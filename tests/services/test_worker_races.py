"""Several workers at once, while the application goes on: nothing twice, nothing lost."""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from threading import Barrier

import pytest
from sqlalchemy import insert, select

from plunk.db import transaction
from plunk.engine.shell.computing import compute_due
from plunk.engine.shell.firing import fire_due
from plunk.engine.shell.following import Follower, follow
from plunk.ids import new_id
from plunk.models import Contact, Event, Execution, Segment, SegmentMember
from plunk.services import segment_computing
from tests import factories
from tests.conftest import NOON

CROWD, WORKERS = 40, 3
PRO = {
    "logic": "AND",
    "groups": [{"filters": [{"field": "data.plan", "operator": "equals", "value": "pro"}]}],
}


@pytest.fixture
def crowd(sessions, project):
    """Make many contacts, all pros."""
    rows = [
        {
            "id": new_id(),
            "project_id": project.id,
            "email": f"c{number}@example.com",
            "data": {"plan": "pro"},
            "subscribed": True,
            "created_at": NOON,
            "updated_at": NOON,
        }
        for number in range(CROWD)
    ]
    with transaction(sessions) as session:
        session.execute(insert(Contact), rows)
    return [row["id"] for row in rows]


@pytest.fixture
def at_once(machine, app, api):
    """Return a function that lets workers and the application loose on the same rows."""

    def run(work):
        barrier = Barrier(WORKERS + 1)

        def labour(_):
            barrier.wait(timeout=60)
            engine = replace(machine.worker.engine, batch_size=7)
            while work(engine):
                pass

        def serve():
            barrier.wait(timeout=60)
            client = app.test_client()
            headers = {"Authorization": f"Bearer {api.key}"}
            for number in range(CROWD):
                body = {"event": "seen", "email": f"c{number}@example.com", "data": {"n": number}}
                answer = client.post("/v1/track", json=body, headers=headers)
                assert answer.status_code == 200, answer.text

        with ThreadPoolExecutor(WORKERS + 1) as threads:
            jobs = [threads.submit(labour, number) for number in range(WORKERS)]
            jobs.append(threads.submit(serve))
            for job in jobs:
                job.result(timeout=120)

    return run


def told(sessions):
    with sessions() as session:
        rows = session.scalars(select(Event.contact_id).where(Event.name.startswith("segment.")))
        return Counter(rows)


def test_everybody_enters_a_segment_once(api, crowd, at_once, sessions):
    body = {"name": "Pros", "condition": PRO, "trackMembership": True}
    segment_id = api.post("/segments", body).json["id"]

    def work(engine):
        with transaction(engine.sessions) as session:
            segment = session.get_one(Segment, segment_id)
            step = segment_computing.compute_batch(
                session, segment, batch=engine.batch_size, now=NOON
            )
        return compute_due(engine) + follow(engine, Follower()) + step.entered

    at_once(work)
    assert told(sessions) == Counter(crowd)
    with sessions() as session:
        members = session.scalars(select(SegmentMember.contact_id)).all()
    assert sorted(members) == sorted(crowd)
    assert api.post(f"/segments/{segment_id}/compute").json == {
        "added": 0,
        "removed": 0,
        "total": CROWD,
    }
    assert api.get(f"/segments/{segment_id}").json["memberCount"] == CROWD


def test_everybody_enters_a_workflow_once_for_each_occurrence(
    api, crowd, at_once, sessions, machine
):
    segment_id = api.post("/segments", {"name": "Pros", "condition": PRO}).json["id"]
    flow = factories.workflow(api, ("DELAY", {"amount": 9, "unit": "days"}), allowReentry=True)
    trigger = {"type": "schedule", "cron": "0 15 * * *", "segment": {"id": segment_id}}
    answer = api.patch(f"/workflows/{flow['id']}", {"triggerConfig": {"triggers": [trigger]}})
    assert answer.status_code == 200, answer.text
    for day in (1, 2):
        machine.clock.advance(timedelta(hours=3 if day == 1 else 24))
        at_once(fire_due)
        machine.settle()
        with sessions() as session:
            runs = Counter(session.scalars(select(Execution.contact_id)))
        assert runs == Counter(dict.fromkeys(crowd, day))
