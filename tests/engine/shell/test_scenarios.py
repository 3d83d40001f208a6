"""The engine's conformance scenarios, through the API and the worker, on both databases."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from plunk.errors import PlunkError
from plunk.outbound import AddressBlocked, Answer, NetworkFailed, OutgoingRequest
from tests.factories import (
    edge,
    only_run,
    runs,
    step,
    template,
    track,
    visited,
    workflow,
)


def test_1_a_trigger_alone_completes_at_once(api, machine):
    flow = workflow(api)
    track(api, data={"orderId": "A-7"})
    machine.settle()
    run = only_run(api, flow)
    assert (run["status"], run["currentStepId"], run["exitReason"]) == ("COMPLETED", None, None)
    assert run["context"] == {"orderId": "A-7"}
    (visit,) = run["stepExecutions"]
    assert visit["output"] == {
        "triggered": True,
        "eventName": "go",
        "timestamp": "2026-03-02T12:00:00.000Z",
    }


@pytest.mark.parametrize(
    ("kind", "sent"), [("MARKETING", 0), ("HEADLESS", 0), ("TRANSACTIONAL", 1)]
)
def test_2_an_unsubscribed_contact_gets_transactional_mail_only(api, machine, kind, sent):
    flow = workflow(api, ("SEND_EMAIL", {"templateId": template(api, type=kind)}))
    track(api, subscribed=False)
    machine.settle()
    assert visited(only_run(api, flow)) == [("TRIGGER", "COMPLETED"), ("SEND_EMAIL", "COMPLETED")]
    assert only_run(api, flow)["status"] == "COMPLETED"
    assert len(machine.mail.messages) == sent


def test_2_a_subscribed_contact_gets_the_rendered_mail(api, machine):
    flow = workflow(api, ("SEND_EMAIL", {"templateId": template(api)}))
    track(api, data={"firstName": "Kim"})
    machine.settle()
    (message,) = machine.mail.messages
    assert (message.subject, message.to_address) == ("Hello Kim", "kim@example.org")
    assert "Dear kim@example.org" in message.html
    output = only_run(api, flow)["stepExecutions"][1]["output"]
    assert output["recipientEmail"] == "kim@example.org"
    assert output["emailId"] in message.message_id


def test_3_a_delay_parks_the_run_and_the_timer_moves_it_on(api, machine):
    flow = workflow(
        api,
        ("DELAY", {"amount": 1, "unit": "minutes"}),
        ("UPDATE_CONTACT", {"updates": {"seen": True}}),
    )
    track(api)
    machine.settle()
    run = only_run(api, flow)
    assert (run["status"], run["currentStep"]["type"]) == ("WAITING", "DELAY")
    assert run["stepExecutions"][1]["status"] == "COMPLETED"
    assert run["stepExecutions"][1]["output"]["resumeAt"] == "2026-03-02T12:01:00.000Z"
    machine.sleep(seconds=59)
    assert only_run(api, flow)["status"] == "WAITING"
    machine.sleep(seconds=1)
    assert only_run(api, flow)["status"] == "COMPLETED"
    assert api.get("/contacts").json["data"][0]["data"] == {"seen": True}


def test_4_two_delays_add_up_and_a_last_delay_ends_the_run(api, machine):
    hour = ("DELAY", {"amount": 1, "unit": "hours"})
    flow = workflow(api, hour, hour)
    track(api)
    machine.settle()
    machine.sleep(hours=1)
    assert only_run(api, flow)["status"] == "WAITING"
    machine.sleep(minutes=59)
    assert only_run(api, flow)["status"] == "WAITING"
    machine.sleep(minutes=1)
    assert only_run(api, flow)["status"] == "COMPLETED"


def test_4_a_wait_after_a_delay_starts_when_the_delay_ends(api, machine):
    flow = workflow(
        api,
        ("DELAY", {"amount": 1, "unit": "minutes"}),
        ("WAIT_FOR_EVENT", {"eventName": "paid"}),
    )
    track(api)
    machine.settle()
    track(api, "paid")
    machine.sleep(minutes=1)
    assert only_run(api, flow)["status"] == "WAITING"
    track(api, "paid", data={"amount": 3})
    machine.settle()
    run = only_run(api, flow)
    assert run["status"] == "COMPLETED"
    assert run["context"] == {"amount": 3}


def waiting_flow(api: Any, **config: Any) -> dict[str, Any]:
    """Build go → wait for paid → (event: exit "paid", time-out: exit "late")."""
    flow = workflow(api, ("WAIT_FOR_EVENT", {"eventName": "paid", **config}))
    wait = flow["steps"][-1]["id"]
    paid = step(api, flow, "EXIT", {"reason": "paid"}, connect=False)
    late = step(api, flow, "EXIT", {"reason": "late"}, connect=False)
    edge(api, flow, wait, paid, waitOutcome="EVENT")
    edge(api, flow, wait, late, waitOutcome="TIMEOUT")
    return flow


def test_5_the_event_comes_first(api, machine):
    flow = waiting_flow(api, timeout=60)
    track(api)
    machine.settle()
    track(api, "paid", data={"amount": 5})
    machine.sleep(minutes=5)
    run = only_run(api, flow)
    assert (run["status"], run["exitReason"]) == ("COMPLETED", "paid")
    assert run["stepExecutions"][1]["output"]["eventData"] == {"amount": 5}


def test_5_the_time_out_comes_first(api, machine):
    flow = waiting_flow(api, timeout=60)
    track(api)
    machine.settle()
    machine.sleep(seconds=60)
    track(api, "paid")
    machine.settle()
    run = only_run(api, flow)
    assert (run["status"], run["exitReason"]) == ("COMPLETED", "late")
    assert run["stepExecutions"][1]["output"] == {"timedOut": True, "eventName": "paid"}


def test_5_event_and_time_out_at_once_have_one_winner(api, machine):
    flow = waiting_flow(api, timeout=60)
    track(api)
    machine.settle()
    track(api, "paid")
    track(api, "paid")
    machine.sleep(seconds=60)
    run = only_run(api, flow)
    assert (run["status"], run["exitReason"]) == ("COMPLETED", "paid")
    assert [visit["step"]["type"] for visit in run["stepExecutions"]].count("EXIT") == 1


def test_5_without_a_time_out_it_waits_for_ever(api, machine):
    flow = workflow(api, ("WAIT_FOR_EVENT", {"eventName": "paid"}))
    track(api)
    machine.settle()
    machine.sleep(days=4000)
    assert only_run(api, flow)["status"] == "WAITING"
    track(api, "paid")
    machine.settle()
    assert only_run(api, flow)["status"] == "COMPLETED"


def test_5_another_contacts_event_is_not_meant(api, machine):
    flow = waiting_flow(api, timeout=60)
    track(api)
    machine.settle()
    track(api, "paid", email="lee@example.org")
    machine.settle()
    assert only_run(api, flow)["status"] == "WAITING"


def test_5_the_enrolling_event_does_not_end_a_wait_for_its_own_name(api, machine):
    flow = workflow(api, ("WAIT_FOR_EVENT", {"eventName": "go"}))
    track(api)
    machine.settle()
    assert only_run(api, flow)["status"] == "WAITING"


def test_5_a_wait_takes_only_events_that_meet_its_condition(api, machine):
    where = {
        "logic": "AND",
        "groups": [{"filters": [{"field": "event.amount", "operator": "greaterThan", "value": 9}]}],
    }
    flow = waiting_flow(api, timeout=60, where=where)
    track(api)
    machine.settle()
    track(api, "paid", data={"amount": 9})
    machine.settle()
    assert only_run(api, flow)["status"] == "WAITING"
    track(api, "paid", data={"amount": 10})
    machine.settle()
    assert only_run(api, flow)["exitReason"] == "paid"


# What a contact's `plan` is, as far as it can be stored: null and "" leave the key missing.
PLANS = [None, "", 0, False, 5, "5", "pro", "Pro", ["a", "b"], {"k": 1}]


@pytest.mark.parametrize(
    ("operator", "value", "hits"),
    [
        ("equals", 5, [5]),
        ("equals", "pro", ["pro"]),
        ("notEquals", "pro", [0, False, 5, "5", "Pro", ["a", "b"], {"k": 1}]),
        ("contains", "r", ["pro", "Pro"]),
        ("greaterThan", 4, [5, "5"]),
        ("lessThanOrEqual", 0, [0, False]),
        ("exists", None, [0, False, 5, "5", "pro", "Pro", ["a", "b"], {"k": 1}]),
        ("notExists", None, [None, ""]),
    ],
)
def test_6_conditions_choose_their_branch(api, machine, operator, value, hits):
    flow = workflow(
        api, ("CONDITION", {"field": "data.plan", "operator": operator, "value": value})
    )
    condition = flow["steps"][-1]["id"]
    for branch in ("yes", "no"):
        target = step(api, flow, "EXIT", {"reason": branch}, connect=False)
        edge(api, flow, condition, target, branch=branch)
    for number, plan in enumerate(PLANS):
        track(api, email=f"p{number}@example.org", data={"plan": plan})
    machine.settle()
    taken = {run["contact"]["email"]: run["exitReason"] for run in runs(api, flow)}
    went = [plan for number, plan in enumerate(PLANS) if taken[f"p{number}@example.org"] == "yes"]
    assert repr(went) == repr(hits)


def test_6_several_branches_and_a_default(api, machine):
    branches = [
        {"id": "a", "name": "Pro", "operator": "equals", "value": "pro"},
        {"id": "b", "name": "Any", "operator": "exists"},
    ]
    flow = workflow(
        api, ("CONDITION", {"mode": "multi", "field": "data.plan", "branches": branches})
    )
    condition = flow["steps"][-1]["id"]
    for branch in ("a", "b", "default"):
        target = step(api, flow, "EXIT", {"reason": branch}, connect=False)
        edge(api, flow, condition, target, branch=branch)
    track(api, email="a@example.org", data={"plan": "pro"})
    track(api, email="b@example.org", data={"plan": "free"})
    track(api, email="d@example.org")
    machine.settle()
    assert {run["contact"]["email"][0]: run["exitReason"] for run in runs(api, flow)} == {
        "a": "a",
        "b": "b",
        "d": "default",
    }


def test_7_a_branch_without_an_edge_completes_the_run(api, machine):
    flow = workflow(api, ("CONDITION", {"field": "data.plan", "operator": "exists"}))
    track(api)
    machine.settle()
    run = only_run(api, flow)
    assert (run["status"], run["currentStepId"]) == ("COMPLETED", None)
    assert run["stepExecutions"][1]["output"]["branch"] == "no"


def test_8_an_exit_keeps_its_reason_and_is_the_end(api, machine):
    flow = workflow(api, ("EXIT", {"reason": "done here"}))
    step(api, flow, "UPDATE_CONTACT", {"updates": {"passed": True}})
    track(api)
    machine.settle()
    run = only_run(api, flow)
    assert (run["status"], run["exitReason"]) == ("COMPLETED", "done here")
    assert api.get("/contacts").json["data"][0]["data"] is None


HOOK = {"url": "https://hooks.example.com/x", "body": {"plan": "{{ plan }}"}}


def test_9_any_answer_completes_a_web_hook(api, machine):
    machine.hooks.answer = lambda request: Answer(500, "oops", "text/plain", request.url)
    flow = workflow(api, ("WEBHOOK", HOOK))
    track(api, data={"plan": "pro"})
    machine.settle()
    run = only_run(api, flow)
    assert run["status"] == "COMPLETED"
    assert run["stepExecutions"][1]["output"] == {
        "url": "https://hooks.example.com/x",
        "method": "POST",
        "statusCode": 500,
        "success": False,
        "response": "oops",
    }
    (request,) = machine.hooks.requests
    assert request.body == b'{"plan": "pro"}'


def test_9_a_private_address_fails_the_step(api, machine):
    def blocked(_: OutgoingRequest) -> Answer:
        raise AddressBlocked("10.0.0.1 is a private address")

    machine.hooks.answer = blocked
    flow = workflow(api, ("WEBHOOK", HOOK), ("UPDATE_CONTACT", {"updates": {"passed": True}}))
    track(api)
    machine.settle()
    run = only_run(api, flow)
    assert run["status"] == "FAILED"
    assert visited(run) == [("TRIGGER", "COMPLETED"), ("WEBHOOK", "FAILED")]
    assert "private" in run["stepExecutions"][1]["error"]


def test_9_network_failures_are_tried_again_with_the_same_key(api, machine):
    answers: list[Answer | PlunkError] = [
        NetworkFailed("no route"),
        NetworkFailed("no route"),
        Answer(200, "fine", "text/plain", HOOK["url"]),
    ]

    def next_answer(_: OutgoingRequest) -> Answer:
        answer = answers.pop(0)
        if isinstance(answer, PlunkError):
            raise answer
        return answer

    machine.hooks.answer = next_answer
    flow = workflow(api, ("WEBHOOK", HOOK))
    track(api)
    machine.settle()
    assert only_run(api, flow)["status"] == "RUNNING"
    machine.sleep(minutes=1)
    machine.sleep(minutes=5)
    assert only_run(api, flow)["status"] == "COMPLETED"
    keys = {request.headers["Idempotency-Key"] for request in machine.hooks.requests}
    assert (len(machine.hooks.requests), len(keys)) == (3, 1)


def test_10_a_cancelled_run_stays_cancelled(api, machine):
    flow = waiting_flow(api, timeout=60)
    track(api)
    machine.settle()
    run = only_run(api, flow)
    answer = api.delete(f"/workflows/{flow['id']}/executions/{run['id']}")
    assert (answer.status_code, answer.json["exitReason"]) == (200, "Cancelled by user")
    track(api, "paid")
    machine.sleep(hours=1)
    run = only_run(api, flow)
    assert run["status"] == "CANCELLED"
    assert [visit["status"] for visit in run["stepExecutions"]] == ["COMPLETED", "SKIPPED"]


@pytest.mark.parametrize(("reentry", "expected"), [(False, 1), (True, 50)])
def test_11_fifty_events_at_once(api, machine, reentry, expected):
    flow = workflow(api, allowReentry=reentry)
    with ThreadPoolExecutor(8) as threads:
        list(threads.map(lambda _: track(api), range(50)))
    machine.settle()
    total = api.get(f"/workflows/{flow['id']}/executions").json["total"]
    assert total == expected


def test_12_a_disabled_workflow_lets_its_runs_finish(api, machine):
    flow = workflow(api, ("DELAY", {"amount": 1, "unit": "hours"}))
    track(api)
    machine.settle()
    api.patch(f"/workflows/{flow['id']}", {"enabled": False})
    track(api, email="late@example.org")
    machine.sleep(hours=1)
    assert only_run(api, flow)["status"] == "COMPLETED"


def test_12_a_disabled_project_cancels_its_runs(api, machine, sessions, project):
    flow = workflow(api, ("DELAY", {"amount": 1, "unit": "hours"}), ("EXIT", {}))
    track(api)
    machine.settle()
    disable(sessions, project.id)
    machine.sleep(hours=1)
    run = only_run(api, flow)
    assert (run["status"], run["exitReason"]) == ("CANCELLED", "Project disabled")


def disable(sessions: Any, project_id: str) -> None:
    """Switch a project off, as the operator would."""
    from plunk.models import Project  # noqa: PLC0415 - the only test that needs the table

    with sessions() as session, session.begin():
        session.get(Project, project_id).disabled = True
