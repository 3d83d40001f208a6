"""Repair by hand: failed steps retried, waits skipped, runs moved, one at a time."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import event, insert, select, update

from plunk.db import transaction
from plunk.engine.shell.batch import advance_due
from plunk.errors import NotFound
from plunk.ids import new_id
from plunk.models import Execution, StepExecution, WebhookCall
from plunk.services import repairing, sweeping
from plunk.services.executions import RunPath
from plunk.services.repairing import Order
from tests.api.hands import DELAY, EXIT, HOOK, WAIT, WHY, failed, path, repair, said
from tests.conftest import NOON, Api, Backend
from tests.factories import Machine, edge, only_run, runs, step, template, track, visited, workflow


def test_a_failed_step_is_tried_again(api: Api, machine: Machine) -> None:
    flow = failed(api, machine)
    assert only_run(api, flow)["status"] == "FAILED"
    answer = repair(api, flow, "retry")
    assert answer.status_code == 200, answer.text
    assert (answer.json["status"], answer.json["completedAt"]) == ("RUNNING", None)
    machine.settle()
    run = only_run(api, flow)
    assert (run["status"], run["exitReason"]) == ("COMPLETED", "arrived")
    assert visited(run) == [
        ("TRIGGER", "COMPLETED"),
        ("WEBHOOK", "FAILED"),
        ("WEBHOOK", "SKIPPED"),
        ("WEBHOOK", "COMPLETED"),
        ("EXIT", "COMPLETED"),
    ]
    assert said(run["stepExecutions"][2]) == {"repair": "retry", **WHY}
    assert len(machine.hooks.requests) == 2


@pytest.mark.parametrize("parked", [DELAY, WAIT, HOOK], ids=lambda one: one[0])
def test_a_wait_is_skipped(api: Api, machine: Machine, parked: Any, sessions: Any) -> None:
    flow = workflow(api, parked, EXIT)
    track(api)
    while advance_due(machine.worker.engine):
        pass
    answer = repair(api, flow, "skip")
    assert answer.status_code == 200, answer.text
    assert answer.json["currentStepId"] == flow["steps"][2]["id"]
    machine.settle()
    run = only_run(api, flow)
    assert (run["status"], run["exitReason"]) == ("COMPLETED", "arrived")
    (skipped,) = [one for one in run["stepExecutions"] if one["status"] == "SKIPPED"]
    assert said(skipped) == {"repair": "skip", **WHY}
    assert skipped["step"]["type"] == parked[0]
    assert machine.hooks.requests == []
    machine.sleep(days=2)
    assert only_run(api, flow) == run
    assert sweeping.sweep(sessions, machine.clock) == []


@pytest.mark.parametrize(
    ("outcome", "reason"), [(None, "late"), ("TIMEOUT", "late"), ("EVENT", "paid")]
)
def test_a_skipped_wait_leads_on_as_it_is_told(
    api: Api, machine: Machine, outcome: Any, reason: str
) -> None:
    flow = workflow(api, WAIT)
    wait = flow["steps"][1]["id"]
    for word, name in (("EVENT", "paid"), ("TIMEOUT", "late")):
        end = step(api, flow, "EXIT", {"reason": name}, connect=False)
        edge(api, flow, wait, end, waitOutcome=word)
    track(api)
    machine.settle()
    told = {} if outcome is None else {"outcome": outcome}
    assert repair(api, flow, "skip", **told).status_code == 200
    machine.settle()
    assert only_run(api, flow)["exitReason"] == reason


def test_a_wait_at_the_end_of_the_graph_ends_the_run(api: Api, machine: Machine) -> None:
    flow = workflow(api, DELAY)
    track(api)
    machine.settle()
    answer = repair(api, flow, "skip")
    assert (answer.json["status"], answer.json["currentStepId"]) == ("COMPLETED", None)
    machine.sleep(days=1)
    assert only_run(api, flow)["status"] == "COMPLETED"


@pytest.mark.parametrize("parked", [DELAY, WAIT, HOOK], ids=lambda one: one[0])
def test_a_run_is_moved(api: Api, machine: Machine, parked: Any, sessions: Any) -> None:
    flow = workflow(api, parked, ("DELAY", {"amount": 9, "unit": "days"}), EXIT)
    track(api)
    while advance_due(machine.worker.engine):
        pass
    end = flow["steps"][3]["id"]
    assert repair(api, flow, "move", stepId=end).status_code == 200
    machine.settle()
    run = only_run(api, flow)
    assert (run["status"], run["exitReason"]) == ("COMPLETED", "arrived")
    assert [one["status"] for one in run["stepExecutions"]].count("SKIPPED") == 1
    assert machine.hooks.requests == []
    with sessions() as session:
        assert set(session.scalars(select(WebhookCall.status))) <= {"CANCELLED"}
    assert sweeping.sweep(sessions, machine.clock) == []


def test_a_run_is_moved_back_and_does_it_all_again(api: Api, machine: Machine) -> None:
    send = ("SEND_EMAIL", {"templateId": template(api)})
    flow = workflow(api, send, DELAY, EXIT)
    track(api)
    machine.settle()
    assert repair(api, flow, "move", stepId=flow["steps"][1]["id"]).status_code == 200
    machine.settle()
    assert len(machine.mail.messages) == 2
    machine.sleep(hours=2)
    assert only_run(api, flow)["status"] == "COMPLETED"


def test_a_failed_run_may_be_moved_past_its_step(api: Api, machine: Machine) -> None:
    flow = failed(api, machine)
    assert repair(api, flow, "move", stepId=flow["steps"][2]["id"]).status_code == 200
    machine.settle()
    assert only_run(api, flow)["exitReason"] == "arrived"
    assert len(machine.hooks.requests) == 1


@pytest.mark.parametrize("action", ["retry", "skip", "move"])
@pytest.mark.parametrize("how", ["COMPLETED", "CANCELLED"])
def test_what_has_ended_well_stays_so(api: Api, machine: Machine, how: str, action: str) -> None:
    flow = workflow(api, *([DELAY] if how == "CANCELLED" else []))
    track(api)
    machine.settle()
    if how == "CANCELLED":
        api.delete(path(flow, only_run(api, flow), "").rstrip("/"))
    before = only_run(api, flow)
    fields = {"stepId": flow["steps"][0]["id"]} if action == "move" else {}
    answer = repair(api, flow, action, **fields)
    assert (answer.status_code, answer.json["error"]["code"]) == (409, "CONFLICT")
    assert how in answer.json["error"]["message"]
    assert only_run(api, flow) == before


def test_only_what_fits_is_repaired(api: Api, machine: Machine) -> None:
    flow = workflow(api, DELAY, EXIT)
    track(api)
    assert repair(api, flow, "skip").status_code == 409  # it has not come to its delay yet
    machine.settle()
    assert repair(api, flow, "retry").status_code == 409  # it has not failed
    failing = failed(api, machine)
    run = next(one for one in runs(api, failing))
    assert api.post(path(failing, run, "skip"), WHY).status_code == 409  # it does not wait
    assert only_run(api, flow)["status"] == "WAITING"


def test_a_run_to_which_something_came_is_not_skipped(api: Api, machine: Machine) -> None:
    flow = workflow(api, WAIT, EXIT)
    track(api)
    machine.settle()
    track(api, "paid")
    assert repair(api, flow, "skip").status_code == 409
    machine.settle()
    assert visited(only_run(api, flow))[1] == ("WAIT_FOR_EVENT", "COMPLETED")


def test_steps_of_others_are_not_found(api: Api, machine: Machine) -> None:
    flow, other = workflow(api, DELAY), workflow(api, DELAY, event="other")
    track(api)
    machine.settle()
    for wrong in (other["steps"][1]["id"], "01890000-0000-7000-8000-000000000000"):
        answer = repair(api, flow, "move", stepId=wrong)
        assert answer.status_code == 404
        assert answer.json["error"]["details"]["resource"] == "Step"
    assert repair(api, flow, "move", stepId="no id").status_code == 422


@pytest.mark.parametrize("action", ["retry", "skip", "move"])
@pytest.mark.parametrize("reason", [None, "", "x" * 501, 5])
def test_nobody_repairs_without_a_reason(api: Api, action: str, reason: Any) -> None:
    flow = workflow(api, DELAY)
    track(api)
    body = {"reason": reason, "stepId": flow["steps"][1]["id"]}
    assert api.post(path(flow, only_run(api, flow), action), body).status_code == 422


def test_a_pinned_run_is_repaired_in_its_own_revision(api: Api, machine: Machine) -> None:
    text = 'workflow "Flow" {{\n  on event "go"\n  wait {0} days\n  exit "{1}"\n}}\n'
    put = {"files": {"a.flow": text.format(1, "old")}}
    assert api.post("/flows/deploy", put).status_code == 200
    (flow,) = api.get("/workflows").json["data"]
    api.patch(f"/workflows/{flow['id']}", {"enabled": True})
    track(api)
    machine.settle()
    new = text.format(2, "new").replace("  exit", '  track "x"\n  exit')
    answer = api.post("/flows/deploy", {"files": {"a.flow": new}, "inFlight": "pin"})
    assert answer.status_code == 200, answer.text
    steps = api.get(f"/workflows/{flow['id']}").json["steps"]
    added = next(one["id"] for one in steps if one["type"] == "TRACK")
    assert repair(api, flow, "move", stepId=added).status_code == 404
    assert repair(api, flow, "skip").status_code == 200
    machine.settle()
    assert only_run(api, flow)["exitReason"] == "old"


def test_an_unpinned_run_is_repaired_in_the_newest_revision(api: Api, machine: Machine) -> None:
    flow = failed(api, machine)
    added = step(api, flow, "TRACK", {"eventName": "mended"}, connect=False)
    assert repair(api, flow, "move", stepId=added).status_code == 200
    machine.settle()
    assert visited(only_run(api, flow))[-1] == ("TRACK", "COMPLETED")


def test_a_run_that_goes_while_it_is_to_be_repaired_is_not_found(
    api: Api, machine: Machine, empty: Backend, project: Any, sessions: Any
) -> None:
    """Its contact is deleted while we wait for the lock on it."""
    flow = failed(api, machine)
    at = RunPath(flow["id"], only_run(api, flow)["id"])

    @event.listens_for(empty.engine, "before_cursor_execute")
    def overtake(_connection: Any, cursor: Any, statement: str, *_: Any) -> None:
        if " contacts " in " ".join(statement.split()):
            cursor.execute("DELETE FROM executions")

    try:
        with pytest.raises(NotFound, match="Execution not found"), transaction(sessions) as session:
            repairing.repair(session, project.id, at, Order("retry", "down"), now=NOON)
    finally:
        event.remove(empty.engine, "before_cursor_execute", overtake)


def test_the_repair_of_a_run_with_a_long_history_is_shown(
    api: Api, machine: Machine, sessions: Any
) -> None:
    flow = workflow(api, DELAY, EXIT)
    track(api)
    machine.settle()
    with transaction(sessions) as session:
        last = session.scalars(select(StepExecution).where(StepExecution.visit == 2)).one()
        copied = {
            column.key: getattr(last, column.key)
            for column in StepExecution.__table__.columns
            if column.key not in {"id", "visit"}
        }
        rows = [{**copied, "id": new_id(), "visit": number} for number in range(3, 1_201)]
        session.execute(insert(StepExecution), rows)
        session.execute(update(Execution).values(visit=1_200))
    assert repair(api, flow, "skip").status_code == 200
    machine.settle()
    visits = only_run(api, flow)["stepExecutions"]
    assert len(visits) == 1_000
    assert [one["step"]["type"] for one in visits[-3:]] == ["DELAY", "DELAY", "EXIT"]
    assert said(visits[-2]) == {"repair": "skip", **WHY}
