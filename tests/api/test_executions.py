"""Runs: listed, looked into, started by hand and cancelled."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session, sessionmaker

from plunk.clock import ManualClock
from plunk.engine.shell.batch import advance_due
from plunk.models import Execution, StepExecution, WebhookCall
from tests.factories import Machine, only_run, runs, step, track, workflow

DELAY = ("DELAY", {"amount": 1, "unit": "days"})
WAIT = ("WAIT_FOR_EVENT", {"eventName": "paid", "timeout": 60})
HOOK = ("WEBHOOK", {"url": "https://hooks.example.com/"})
RUN = {
    "id",
    "workflowId",
    "contactId",
    "status",
    "currentStepId",
    "exitReason",
    "context",
    "startedAt",
    "completedAt",
    "createdAt",
    "updatedAt",
}
NOBODY = "00000000-0000-0000-0000-000000000000"


def contact(api: Any, email: str = "kim@example.org") -> str:
    return str(api.post("/contacts", {"email": email}).json["id"])


def start(api: Any, flow: dict[str, Any], contact_id: str, **fields: Any) -> Any:
    return api.post(f"/workflows/{flow['id']}/executions", {"contactId": contact_id, **fields})


def test_starting_by_hand(api: Any, machine: Machine) -> None:
    flow, kim = workflow(api, DELAY), contact(api)
    context = {"orderId": "A-7", "deep": {"list": [1, None]}}
    answer = start(api, flow, kim, context=context)
    assert answer.status_code == 201
    assert answer.json.keys() == RUN
    assert answer.json["status"] == "RUNNING"
    assert answer.json["currentStepId"] == flow["steps"][0]["id"]
    assert (answer.json["contactId"], answer.json["context"]) == (kim, context)
    assert answer.json["completedAt"] is answer.json["exitReason"] is None
    machine.settle()
    run = only_run(api, flow)
    assert (run["id"], run["status"]) == (answer.json["id"], "WAITING")
    assert run["currentStep"]["type"] == "DELAY"


@pytest.mark.parametrize("kind", ["MANUAL", "SCHEDULE", "EVENT"])
def test_any_kind_of_workflow_can_be_started(api: Any, kind: str) -> None:
    flow = workflow(api, DELAY)
    api.patch(f"/workflows/{flow['id']}", {"triggerType": kind})
    assert start(api, flow, contact(api)).status_code == 201


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({}, 400),
        ({"contactId": None}, 400),
        ({"contactId": "kim@example.org"}, 422),
        ({"contactId": 5}, 422),
        ({"contactId": NOBODY}, 404),
        ({"contactId": "KIM", "context": "x"}, 422),
        ({"contactId": "KIM", "context": [1]}, 422),
        ({"contactId": "KIM", "context": {"a": "x" * 300_000}}, 422),
    ],
)
def test_starting_refuses(api: Any, body: dict[str, Any], status: int) -> None:
    flow, kim = workflow(api, DELAY), contact(api)
    sent = body | ({"contactId": kim} if body.get("contactId") == "KIM" else {})
    answer = api.post(f"/workflows/{flow['id']}/executions", sent)
    assert answer.status_code == status, answer.text
    assert runs(api, flow) == []


def test_a_disabled_workflow_is_not_started(api: Any) -> None:
    flow = workflow(api, DELAY, enabled=False)
    assert start(api, flow, contact(api)).status_code == 400


@pytest.mark.parametrize("ended", [False, True])
def test_without_reentry_a_contact_enters_once(api: Any, *, ended: bool) -> None:
    flow, kim = workflow(api, DELAY), contact(api)
    first = start(api, flow, kim).json
    if ended:
        api.delete(f"/workflows/{flow['id']}/executions/{first['id']}")
    assert start(api, flow, kim).status_code == 409
    track(api)
    assert len(runs(api, flow)) == 1
    assert start(api, flow, contact(api, "lee@example.org")).status_code == 201


def test_with_reentry_runs_may_overlap(api: Any) -> None:
    flow, kim = workflow(api, DELAY, allowReentry=True), contact(api)
    assert [start(api, flow, kim).status_code for _ in range(3)] == [201] * 3
    api.patch(f"/workflows/{flow['id']}", {"allowReentry": False})
    assert start(api, flow, kim).status_code == 409


@pytest.mark.parametrize(
    ("query", "states"),
    [
        ("", ["RUNNING", "WAITING", "CANCELLED", "COMPLETED", "COMPLETED"]),
        ("?status=", ["RUNNING", "WAITING", "CANCELLED", "COMPLETED", "COMPLETED"]),
        ("?status=RUNNING", ["RUNNING"]),
        ("?status=WAITING", ["WAITING"]),
        ("?status=CANCELLED", ["CANCELLED"]),
        ("?status=COMPLETED", ["COMPLETED", "COMPLETED"]),
        ("?status=EXITED", ["COMPLETED"]),
        ("?status=FAILED", []),
        ("?status=PENDING", []),
        ("?pageSize=2", ["RUNNING", "WAITING"]),
        ("?pageSize=2&page=3", ["COMPLETED"]),
    ],
)
def test_listing(
    api: Any, machine: Machine, clock: ManualClock, query: str, states: list[str]
) -> None:
    flow = workflow(api, ("CONDITION", {"field": "event.end", "operator": "exists"}))
    path = f"/workflows/{flow['id']}"
    ends = [("EXIT", {"reason": "done"}, "yes"), (*DELAY, "no")]
    for type_, config, branch in ends:
        end = step(api, flow, type_, config, connect=False)
        edge = {"fromStepId": flow["steps"][1]["id"], "toStepId": end, "branch": branch}
        assert api.post(f"{path}/transitions", edge).status_code == 201
    track(api, email="1@example.org")
    machine.settle()
    machine.sleep(days=1)
    track(api, email="2@example.org", data={"end": True})
    machine.sleep(minutes=1)
    track(api, email="3@example.org")
    machine.sleep(minutes=1)
    api.delete(f"{path}/executions/{runs(api, flow)[0]['id']}")
    track(api, email="4@example.org")
    machine.sleep(minutes=1)
    track(api, email="5@example.org")
    answer = api.get(f"{path}/executions{query}").json
    assert [run["status"] for run in answer["executions"]] == states
    assert answer.keys() == {"executions", "total", "page", "pageSize", "totalPages"}
    for run in answer["executions"]:
        assert run.keys() == RUN | {"contact", "currentStep"}
        assert run["contact"].keys() == {"id", "email"}
        step_now = run["currentStep"]
        assert step_now is None or step_now.keys() == {"id", "name", "type"}


def test_an_unknown_status_is_refused(api: Any) -> None:
    flow = workflow(api)
    assert api.get(f"/workflows/{flow['id']}/executions?status=DONE").status_code == 422


def test_looking_into_a_run(api: Any, machine: Machine) -> None:
    flow = workflow(api, DELAY, WAIT)
    track(api, data={"orderId": "A-7"})
    machine.settle()
    run = only_run(api, flow)
    assert run.keys() == RUN | {"workflow", "contact", "currentStep", "stepExecutions"}
    assert run["workflow"]["name"] == "Flow"
    assert run["contact"]["email"] == "kim@example.org"
    assert run["currentStep"]["config"] == DELAY[1]
    assert run["context"] == {"orderId": "A-7"}
    first = run["stepExecutions"][0]
    assert first.keys() == {
        "id",
        "executionId",
        "stepId",
        "status",
        "scheduledFor",
        "executeAfter",
        "output",
        "error",
        "startedAt",
        "completedAt",
        "createdAt",
        "updatedAt",
        "step",
    }
    assert first["step"] == {
        "id": flow["steps"][0]["id"],
        "name": "Trigger: go",
        "type": "TRIGGER",
    }


def test_counting_where_runs_stand(api: Any, machine: Machine) -> None:
    flow = workflow(api, DELAY, WAIT)
    path = f"/workflows/{flow['id']}/step-execution-counts"
    assert api.get(path).json == {}
    for number in range(3):
        track(api, email=f"{number}@example.org")
    machine.settle()
    machine.sleep(days=1)
    track(api, email="late@example.org")
    machine.settle()
    assert api.get(path).json == {flow["steps"][1]["id"]: 1, flow["steps"][2]["id"]: 3}


@pytest.mark.parametrize(
    ("parked", "left"), [(WAIT, ["WAITING"]), (HOOK, ["RUNNING"]), (DELAY, [])]
)
def test_cancelling_closes_everything(
    api: Any, machine: Machine, sessions: sessionmaker[Session], parked: Any, left: list[str]
) -> None:
    flow = workflow(api, parked, ("EXIT", {}))
    track(api)
    while advance(machine):
        pass
    before = only_run(api, flow)
    open_visits = [one for one in before["stepExecutions"] if one["status"] != "COMPLETED"]
    assert [one["status"] for one in open_visits] == left
    path = f"/workflows/{flow['id']}/executions/{before['id']}"
    answer = api.delete(path)
    assert answer.status_code == 200
    assert answer.json.keys() == RUN
    assert (answer.json["status"], answer.json["exitReason"]) == ("CANCELLED", "Cancelled by user")
    assert answer.json["completedAt"] is not None
    assert answer.json["currentStepId"] == before["currentStepId"]
    with sessions() as session:
        run = session.scalars(select(Execution)).one()
        assert run.due_at is run.awaited_event is run.awaited_call is run.signal is None
        states = session.scalars(select(StepExecution.status).order_by(StepExecution.visit)).all()
        assert states[-len(left) :] == ["SKIPPED"] if left else "SKIPPED" not in states
        calls = session.scalars(select(WebhookCall.status)).all()
        assert calls == (["CANCELLED"] if parked is HOOK else [])
    assert api.delete(path).status_code == 409
    track(api, "paid")
    machine.sleep(days=2)
    assert only_run(api, flow)["status"] == "CANCELLED"
    assert machine.hooks.requests == []


def advance(machine: Machine) -> int:
    """Move runs, but deliver nothing."""
    return advance_due(machine.worker.engine)


def test_a_finished_run_is_not_cancelled(api: Any, machine: Machine) -> None:
    flow = workflow(api)
    track(api)
    machine.settle()
    run = only_run(api, flow)
    answer = api.delete(f"/workflows/{flow['id']}/executions/{run['id']}")
    assert (answer.status_code, only_run(api, flow)) == (409, run)


def test_cancelling_all(api: Any, machine: Machine) -> None:
    flow, other = workflow(api, WAIT), workflow(api, WAIT, event="other")
    for number in range(4):
        track(api, email=f"{number}@example.org")
    machine.settle()
    track(api, email="running@example.org")
    track(api, "other")
    path = f"/workflows/{flow['id']}/executions/cancel-all"
    assert (answer := api.post(path)).status_code == 200
    assert answer.json == {"cancelled": 5}
    assert {run["exitReason"] for run in runs(api, flow)} == {"Cancelled by user (bulk cancel)"}
    assert {run["status"] for run in runs(api, flow)} == {"CANCELLED"}
    assert only_run(api, other)["status"] == "RUNNING"
    assert api.post(path).json == {"cancelled": 0}


def test_cancelling_more_than_a_batch(api: Any, machine: Machine) -> None:
    flow = workflow(api, WAIT)
    people = [{"event": "go", "email": f"{number}@example.org"} for number in range(1001)]
    api.post("/v1/track/batch", {"events": people[:1000]})
    api.post("/v1/track/batch", {"events": people[1000:]})
    path = f"/workflows/{flow['id']}/executions"
    assert api.post(f"{path}/cancel-all").json == {"cancelled": 1001}
    assert api.get(f"{path}?status=CANCELLED&pageSize=1").json["total"] == 1001
