"""What a run has missed while it had FAILED: its stops and goals hear it before it goes on."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
from sqlalchemy import select

from plunk.models import Conversion
from tests.api.hands import EXIT, HOOK, WHY, bulk, crowd, down, repair, said
from tests.conftest import Api
from tests.factories import ANSWER, Machine, only_run, runs, template, track, workflow

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
