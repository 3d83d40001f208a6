"""Several people at once: revisions never collide, nobody enters twice, nothing is half done."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session, sessionmaker

from plunk.models import Execution, Revision, StepExecution
from plunk.services.projects import NewProject
from tests.factories import runs, step, template, track, workflow

MANY = 6
DELAY = ("DELAY", {"amount": 1, "unit": "days"})
BUNDLE = """
template "hello" { type: marketing subject: "Hi" from: "a@acme.test" body: "B" }
workflow "Twice" {
  on event "go"

  send email "hello"
}
"""
Send = Callable[[Any, int], Any]


@pytest.fixture
def together(app: Flask, project: NewProject, api: Any) -> Callable[[Send], Counter[int]]:
    """Return a function that sends many requests at once and counts the statuses."""
    kind = type(api)

    def send_all(send: Send) -> Counter[int]:
        barrier = Barrier(MANY)

        def one(number: int) -> int:
            client = kind(app.test_client(), project.secret)
            barrier.wait(30)
            return int(send(client, number).status_code)

        with ThreadPoolExecutor(MANY) as threads:
            return Counter(threads.map(one, range(MANY)))

    return send_all


Together = Callable[[Send], Counter[int]]


def draft(number: int, **fields: Any) -> dict[str, Any]:
    return {
        "type": "EXIT",
        "name": f"End {number}",
        "position": {"x": 0, "y": 0},
        "config": {},
        "autoConnect": False,
        **fields,
    }


def test_edits_queue_up(api: Any, together: Together, sessions: sessionmaker[Session]) -> None:
    flow = workflow(api)
    path = f"/workflows/{flow['id']}"
    assert together(lambda client, at: client.post(f"{path}/steps", draft(at))) == {201: MANY}
    shown = api.get(path).json
    assert (shown["revision"], len(shown["steps"])) == (MANY + 1, MANY + 1)
    with sessions() as session:
        kept = session.scalars(select(Revision).order_by(Revision.number)).all()
    assert [len(one.graph["steps"]) for one in kept] == list(range(1, MANY + 2))


def test_of_edits_of_one_revision_one_wins(api: Any, together: Together) -> None:
    flow = workflow(api)
    path = f"/workflows/{flow['id']}"
    body = {"expectedRevision": 1}
    assert together(lambda client, at: client.post(f"{path}/steps", draft(at, **body))) == {
        201: 1,
        409: MANY - 1,
    }
    assert api.get(path).json["revision"] == 2


def test_two_edges_never_close_a_cycle_together(api: Any, together: Together) -> None:
    flow = workflow(api)
    ids = [step(api, flow, *DELAY, connect=False) for _ in range(2)]

    def connect(client: Any, at: int) -> Any:
        start, end = ids if at % 2 else reversed(ids)
        body = {"fromStepId": start, "toStepId": end}
        return client.post(f"/workflows/{flow['id']}/transitions", body)

    assert together(connect) == {201: 1, 400: MANY - 1}


def test_a_contact_is_started_once(api: Any, together: Together) -> None:
    flow = workflow(api, DELAY)
    kim = api.post("/contacts", {"email": "kim@example.org"}).json["id"]
    path = f"/workflows/{flow['id']}/executions"
    sent = together(lambda client, _: client.post(path, {"contactId": kim}))
    assert sent == {201: 1, 409: MANY - 1}
    assert len(runs(api, flow)) == 1


def test_starting_and_tracking_at_once_is_one_run(api: Any, together: Together) -> None:
    flow = workflow(api, DELAY)
    kim = api.post("/contacts", {"email": "kim@example.org"}).json["id"]

    def enter(client: Any, at: int) -> Any:
        if at % 2:
            return client.post("/v1/track", {"event": "go", "email": "kim@example.org"})
        return client.post(f"/workflows/{flow['id']}/executions", {"contactId": kim})

    assert set(together(enter)) <= {200, 201, 409}
    assert len(runs(api, flow)) == 1


def test_a_run_is_cancelled_once(api: Any, together: Together) -> None:
    flow = workflow(api, DELAY)
    track(api)
    (run,) = runs(api, flow)
    path = f"/workflows/{flow['id']}/executions/{run['id']}"
    assert together(lambda client, _: client.delete(path)) == {200: 1, 409: MANY - 1}


def test_deploying_at_once_creates_once(api: Any, together: Together) -> None:
    assert together(
        lambda client, _: client.post("/flows/deploy", {"files": {"a.flow": BUNDLE}})
    ) == {200: MANY}
    assert api.get("/workflows").json["total"] == 1
    assert api.get("/templates").json["total"] == 1
    (flow,) = api.get("/workflows").json["data"]
    assert flow["revision"] == 1


def test_a_lock_is_never_overtaken_by_an_entry(api: Any, together: Together) -> None:
    """Either the trigger changed before anybody entered, or it did not change."""
    flow = workflow(api, DELAY)
    path = f"/workflows/{flow['id']}"

    def send(client: Any, at: int) -> Any:
        if at == 0:
            return client.patch(path, {"triggerConfig": None})
        return client.post("/v1/track", {"event": "go", "email": f"{at}@example.org"})

    sent = together(send)
    assert sent[200] >= MANY - 1
    assert sent[200] + sent[409] == MANY


@pytest.mark.parametrize("query", ["", "?force=true"])
def test_deleting_while_people_enter(
    api: Any, together: Together, sessions: sessionmaker[Session], query: str
) -> None:
    letter = template(api)
    flow = workflow(api, ("SEND_EMAIL", {"templateId": letter}))
    path = f"/workflows/{flow['id']}"

    def send(client: Any, at: int) -> Any:
        if at == 0:
            return client.delete(path + query)
        return client.post("/v1/track", {"event": "go", "email": f"{at}@example.org"})

    sent = together(send)
    assert sent[200] == MANY - 1
    assert sent[204] + sent[409] == 1
    if sent[204]:
        with sessions() as session:
            assert session.scalars(select(Execution.id)).all() == []
            assert session.scalars(select(StepExecution.id)).all() == []
