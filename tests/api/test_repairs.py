"""Repair by hand: failed steps retried, waits skipped, runs moved, singly and in batches."""

from __future__ import annotations

from base64 import urlsafe_b64encode
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from threading import Barrier
from typing import Any

import pytest
from sqlalchemy import event, func, insert, select, update

from plunk.clock import ManualClock
from plunk.db import transaction
from plunk.engine.shell.batch import advance_due
from plunk.errors import NotFound
from plunk.ids import NO_ID, new_id
from plunk.models import Conversion, Email, Execution, StepExecution, WebhookCall
from plunk.outbound import Answer, OutboundError
from plunk.services import repairing, sweeping
from plunk.services.executions import RunPath
from plunk.services.repairing import Order
from tests.conftest import NOON, Api, Backend
from tests.factories import (
    ANSWER,
    Machine,
    edge,
    only_run,
    runs,
    step,
    template,
    track,
    visited,
    workflow,
)

DELAY = ("DELAY", {"amount": 2, "unit": "hours"})
WAIT = ("WAIT_FOR_EVENT", {"eventName": "paid", "timeout": 86_400})
HOOK = ("WEBHOOK", {"url": "https://hooks.example.com/"})
EXIT = ("EXIT", {"reason": "arrived"})
WHY = {"reason": "the shop was down", "by": "ada"}


def down(_: Any) -> Answer:
    raise OutboundError("nobody there")


def path(flow: Any, run: Any, action: str) -> str:
    return f"/workflows/{flow['id']}/executions/{run['id']}/{action}"


def repair(api: Api, flow: Any, action: str, **fields: Any) -> Any:
    return api.post(path(flow, only_run(api, flow), action), {**WHY, **fields})


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


def said(visit: Any) -> Any:
    return {name: visit["output"][name] for name in ("repair", "reason", "by")}


def failed(api: Api, machine: Machine, *emails: str) -> Any:
    """Return a workflow whose runs have failed at a web hook; the receiver is up again."""
    flow = workflow(api, HOOK, EXIT)
    machine.hooks.answer = down
    for email in emails or ("kim@example.org",):
        track(api, email=email)
    machine.settle()
    machine.hooks.answer = lambda _: ANSWER
    return flow


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


def bulk(api: Api, flow: Any, **fields: Any) -> Any:
    answer = api.post(f"/workflows/{flow['id']}/executions/repair", {**WHY, **fields})
    assert answer.status_code == 200, answer.text
    return answer.json


def crowd(count: int) -> list[str]:
    return [f"{number}@example.org" for number in range(count)]


def test_a_dry_run_counts_and_changes_nothing(api: Api, machine: Machine) -> None:
    flow = failed(api, machine, *crowd(5))
    before = runs(api, flow)
    told = bulk(api, flow, action="retry", dryRun=True)
    assert told == {"matched": 5, "repaired": 0, "ended": 0, "refused": [], "cursor": None}
    assert runs(api, flow) == before


def test_all_failed_runs_are_retried_batch_by_batch(api: Api, machine: Machine) -> None:
    flow = failed(api, machine, *crowd(5))
    batches, cursor = [], None
    while batches == [] or cursor:
        fields = {} if cursor is None else {"cursor": cursor}
        told = bulk(api, flow, action="retry", limit=2, **fields)
        batches.append((told["matched"], told["repaired"]))
        cursor = told["cursor"]
        machine.settle()
    assert batches == [(2, 2), (2, 2), (1, 1)]
    assert Counter(run["status"] for run in runs(api, flow)) == {"COMPLETED": 5}
    assert bulk(api, flow, action="retry")["matched"] == 0


def test_with_a_cursor_nobody_is_repaired_twice(api: Api, machine: Machine) -> None:
    """Who is skipped comes to the next delay at once, and would be found again without it."""
    flow = workflow(api, DELAY, DELAY, EXIT)
    for email in crowd(4):
        track(api, email=email)
    machine.settle()
    cursor: Any = None
    for _ in range(2):
        fields = {} if cursor is None else {"cursor": cursor}
        cursor = bulk(api, flow, action="skip", limit=2, **fields)["cursor"]
        machine.settle()
    assert bulk(api, flow, action="skip", limit=2, cursor=cursor)["matched"] == 0
    for run in runs(api, flow):
        assert [status for _, status in visited(run)].count("SKIPPED") == 1
        assert run["status"] == "WAITING"


def test_a_cursor_goes_on_behind_a_run_that_has_gone(api: Api, machine: Machine) -> None:
    flow = failed(api, machine, *crowd(4))
    cursor = bulk(api, flow, action="retry", limit=2)["cursor"]
    for contact in api.get("/contacts").json["data"]:
        if contact["email"] in crowd(2):
            assert api.delete(f"/contacts/{contact['id']}").status_code == 204
    told = bulk(api, flow, action="retry", limit=3, cursor=cursor)
    assert (told["matched"], told["repaired"], told["cursor"]) == (2, 2, None)


def test_a_batch_is_chosen_by_step_and_status(api: Api, machine: Machine) -> None:
    flow = workflow(api, DELAY, WAIT, EXIT)
    track(api, email="1@example.org")
    machine.settle()
    machine.sleep(hours=3)
    track(api, email="2@example.org")
    machine.settle()
    _, delay, wait, end = (one["id"] for one in flow["steps"])
    told = bulk(api, flow, action="move", status="WAITING", stepId=wait, toStepId=end)
    assert (told["matched"], told["repaired"]) == (1, 1)
    machine.settle()
    assert {run["contact"]["email"]: run["status"] for run in runs(api, flow)} == {
        "1@example.org": "COMPLETED",
        "2@example.org": "WAITING",
    }
    assert bulk(api, flow, action="move", status="FAILED", toStepId=delay)["matched"] == 0


def test_who_cannot_be_repaired_is_told_and_left(api: Api, machine: Machine) -> None:
    flow = workflow(api, HOOK, EXIT)
    track(api)
    fresh = only_run(api, flow)["id"]
    while advance_due(machine.worker.engine):
        pass
    track(api, email="new@example.org")
    told = bulk(api, flow, action="skip", status="RUNNING")
    assert (told["matched"], told["repaired"]) == (2, 1)
    (refused,) = told["refused"]
    assert refused["executionId"] != fresh
    assert "does not wait" in refused["message"]


STOP = {"stops": [{"eventName": "gone"}]}
GOAL = {"goals": [{"name": "paid", "eventName": "paid", "exit": True}]}
COUNTED = {"goals": [{"name": "paid", "eventName": "paid"}]}


def failed_with(api: Api, machine: Machine, headers: Any, *emails: str) -> Any:
    """Return a workflow with these headers whose runs have failed before they send something."""
    flow = workflow(api, HOOK, ("SEND_EMAIL", {"templateId": template(api)}), EXIT)
    answer = api.patch(f"/workflows/{flow['id']}", headers)
    assert answer.status_code == 200, answer.text
    machine.hooks.answer = down
    for email in emails or ("kim@example.org",):
        track(api, email=email)
    machine.sleep(minutes=5)
    machine.sleep(hours=1)
    machine.hooks.answer = lambda _: ANSWER
    return flow


@pytest.mark.parametrize("action", ["retry", "move"])
@pytest.mark.parametrize(
    ("headers", "events", "reason"),
    [
        (STOP, ["gone"], "stopped"),
        (GOAL, ["paid"], "goal: paid"),
        (STOP | GOAL, ["paid", "gone"], "goal: paid"),
        (STOP | GOAL, ["other", "gone", "paid"], "stopped"),
        (COUNTED, ["paid"], "arrived"),
        (STOP | GOAL, [], "arrived"),
    ],
)
def test_what_a_failed_run_has_missed_counts(
    api: Api, machine: Machine, headers: Any, events: list[str], reason: str, action: str
) -> None:
    flow = failed_with(api, machine, headers)
    assert only_run(api, flow)["status"] == "FAILED"
    for name in events:
        track(api, name)
        machine.sleep(minutes=1)
    fields = {"stepId": flow["steps"][2]["id"]} if action == "move" else {}
    answer = repair(api, flow, action, **fields)
    assert answer.status_code == 200, answer.text
    machine.settle()
    run = only_run(api, flow)
    assert (run["status"], run["exitReason"]) == ("COMPLETED", reason)
    assert len(machine.mail.messages) == (reason == "arrived")
    if reason != "arrived":
        assert (answer.json["status"], answer.json["currentStep"]) == ("COMPLETED", None)
        assert said(run["stepExecutions"][-1]) == {"repair": action, **WHY}


def test_goals_that_a_failed_run_has_missed_are_counted(
    api: Api, machine: Machine, sessions: Any
) -> None:
    flow = failed_with(api, machine, COUNTED)
    track(api, "paid")
    track(api, "paid")
    repair(api, flow, "retry")
    machine.settle()
    with sessions() as session:
        assert session.scalars(select(Conversion.goal)).all() == ["paid"]


def test_only_what_concerns_a_run_stops_it_afterwards(
    api: Api, machine: Machine, sessions: Any
) -> None:
    """Neither what others did, nor what came before it, nor what its condition does not mean."""
    track(api, "gone", data={"total": 500})
    machine.sleep(hours=1)
    flow = failed_with(
        api, machine, {"stops": [{"eventName": "gone", "where": "event.total > 100"}]}
    )
    track(api, "gone", email="lee@example.org", data={"total": 500})
    track(api, "gone", data={"total": 5})
    assert repair(api, flow, "retry").json["status"] == "RUNNING"
    machine.settle()
    assert only_run(api, flow)["exitReason"] == "arrived"


def test_a_run_that_was_pinned_while_it_had_failed_hears_its_own_stops(
    api: Api, machine: Machine
) -> None:
    head = 'workflow "Flow" {\n  on event "go"\n'
    call = '  webhook POST "https://x.example.com/"\n'
    old = head + '  stop when event "gone"\n' + call + "  wait 1 day\n}\n"
    assert api.post("/flows/deploy", {"files": {"a.flow": old}}).status_code == 200
    (flow,) = api.get("/workflows").json["data"]
    api.patch(f"/workflows/{flow['id']}", {"enabled": True})
    machine.hooks.answer = down
    for email in crowd(2):
        track(api, email=email)
    machine.sleep(hours=1)
    machine.hooks.answer = lambda _: ANSWER
    put = {"files": {"a.flow": head + "  wait 1 day\n}\n"}, "inFlight": "pin"}
    assert api.post("/flows/deploy", put).status_code == 200
    track(api, "gone", email=crowd(2)[0])
    told = bulk(api, flow, action="retry")
    assert (told["repaired"], told["ended"]) == (2, 1)
    machine.settle()
    assert Counter(run["status"] for run in runs(api, flow)) == {"WAITING": 1, "COMPLETED": 1}
    track(api, "gone", email=crowd(2)[1])
    assert {run["exitReason"] for run in runs(api, flow)} == {"stopped"}


def test_many_that_are_retried_leave_out_who_has_left(api: Api, machine: Machine) -> None:
    flow = failed_with(api, machine, STOP, *crowd(5))
    for email in crowd(2):
        track(api, "gone", email=email)
    machine.sleep(days=1)
    told = bulk(api, flow, action="retry")
    assert (told["matched"], told["repaired"], told["ended"]) == (5, 5, 2)
    machine.settle()
    assert sorted(message.to_address for message in machine.mail.messages) == crowd(5)[2:]
    reasons = Counter(run["exitReason"] for run in runs(api, flow))
    assert reasons == {"stopped": 2, "arrived": 3}


def cursor_of(text: str) -> str:
    return urlsafe_b64encode(text.encode()).decode()


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"action": "move"}, 400),
        ({"action": "move", "status": "WAITING"}, 400),
        ({"action": "retry", "cursor": "01890000-0000-7000-8000-000000000000"}, 400),
        ({"action": "retry", "cursor": "é"}, 400),
        ({"action": "retry", "cursor": cursor_of("2026-03-02T12:00:00+00:00 nobody")}, 400),
        ({"action": "retry", "cursor": cursor_of(f"soon {NO_ID}")}, 400),
        ({"action": "retry", "cursor": cursor_of(f"0001-01-01T00:00+14:00 {NO_ID}")}, 400),
        ({"action": "retry", "cursor": "x" * 201}, 422),
        ({"action": "retry", "limit": 501}, 422),
        ({"action": "retry", "limit": 0}, 422),
        ({"action": "drop"}, 422),
        ({"action": "retry", "status": "COMPLETED"}, 422),
        ({}, 422),
    ],
)
def test_batches_that_make_no_sense_are_refused(api: Api, body: Any, status: int) -> None:
    flow = workflow(api)
    answer = api.post(f"/workflows/{flow['id']}/executions/repair", {**WHY, **body})
    assert answer.status_code == status, answer.text


CROWD, WORKERS = 24, 2


@pytest.fixture
def at_once(app: Any, api: Api, machine: Machine) -> Any:
    """Return a function that lets requests and workers loose on the same runs."""

    def run(requests: list[tuple[str, Any]]) -> Counter[int]:
        barrier = Barrier(WORKERS + 2)
        headers = {"Authorization": f"Bearer {api.key}"}

        def labour() -> None:
            barrier.wait(timeout=60)
            engine = replace(machine.worker.engine, batch_size=5)
            while advance_due(engine):
                pass

        def serve(mine: list[tuple[str, Any]]) -> list[int]:
            barrier.wait(timeout=60)
            client = app.test_client()
            return [client.post(url, json=body, headers=headers).status_code for url, body in mine]

        with ThreadPoolExecutor(WORKERS + 2) as threads:
            workers = [threads.submit(labour) for _ in range(WORKERS)]
            served = [threads.submit(serve, mine) for mine in (requests, requests[::-1])]
            answers = [status for one in served for status in one.result(timeout=120)]
            for one in workers:
                one.result(timeout=120)
        return Counter(answers)

    return run


def test_repairs_and_workers_at_once_move_everybody_once(
    api: Api, machine: Machine, at_once: Any, sessions: Any
) -> None:
    """Each run is skipped by two hands while its delay is just over: one of the three wins."""
    flow = workflow(api, DELAY, ("SEND_EMAIL", {"templateId": template(api)}), EXIT)
    for email in crowd(CROWD):
        track(api, email=email)
    machine.settle()
    machine.clock.advance(timedelta(hours=2))
    answers = at_once([(path(flow, run, "skip"), WHY) for run in runs(api, flow)])
    assert set(answers) <= {200, 409}
    assert answers.total() == 2 * CROWD
    machine.settle()
    told = runs(api, flow)
    assert Counter(run["status"] for run in told) == {"COMPLETED": CROWD}
    skipped = sum(("DELAY", "SKIPPED") in visited(run) for run in told)
    assert skipped == answers[200]
    assert_whole(sessions, CROWD)


def test_failed_runs_retried_by_many_hands_fail_or_go_on_once(
    api: Api, machine: Machine, at_once: Any, sessions: Any
) -> None:
    send = ("SEND_EMAIL", {"templateId": template(api)})
    flow = workflow(api, HOOK, send, EXIT)
    machine.hooks.answer = down
    for email in crowd(CROWD):
        track(api, email=email)
    machine.settle()
    machine.hooks.answer = lambda _: ANSWER
    single = [(path(flow, run, "retry"), WHY) for run in runs(api, flow)]
    url = f"/workflows/{flow['id']}/executions/repair"
    many = [(url, {**WHY, "action": "retry", "limit": 7})] * 6
    answers = at_once([*single[::2], *many, *single[1::2]])
    assert set(answers) <= {200, 409}
    machine.settle()
    told = runs(api, flow)
    assert Counter(run["status"] for run in told) == {"COMPLETED": CROWD}
    for run in told:
        assert visited(run).count(("WEBHOOK", "SKIPPED")) == 1
    assert len(machine.hooks.requests) == 2 * CROWD
    assert_whole(sessions, CROWD)


def assert_whole(sessions: Any, mails: int) -> None:
    """Everybody got one message, and no history has a gap or a doubled visit."""
    with sessions() as session:
        assert session.scalar(select(func.count()).select_from(Email)) == mails
        rows = session.execute(
            select(Execution.visit, func.count(), func.max(StepExecution.visit))
            .join(StepExecution, StepExecution.execution_id == Execution.id)
            .group_by(Execution.id, Execution.visit)
        ).all()
    assert all(visit == count == last for visit, count, last in rows)
    assert sweeping.sweep(sessions, ManualClock(NOON + timedelta(hours=3))) == []
