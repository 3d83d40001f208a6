"""Deploying under runs that are on their way: they follow, are pinned, or drain."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from plunk.db import transaction
from plunk.engine.shell.batch import advance_due
from plunk.engine.shell.revising import Reviser, revise_due
from plunk.models import Conversion, Execution, Revision
from tests.factories import Json, Machine, only_run, runs, track, visited

TEMPLATES = """
template "old" { type: transactional  subject: "Old"  from: "a@acme.test"  body: "<p>Old</p>" }
template "new" { type: transactional  subject: "New"  from: "a@acme.test"  body: "<p>New</p>" }
"""
HEAD = 'workflow "W" {\n  on event "go"\n  reentry always\n'
TWO_DAYS = HEAD + '  @pause wait 2 days\n  send email "old"\n  exit "old end"\n}\n'
NEW_MAIL = TWO_DAYS.replace('email "old"', 'email "new"').replace("old end", "new end")
NO_PAUSE = NEW_MAIL.replace("  @pause wait 2 days\n", "")


def deploy(api: Any, text: str, **fields: Any) -> Json:
    files = {"t.flow": TEMPLATES, "w.flow": text}
    answer = api.post("/flows/deploy", {"files": files, **fields})
    assert answer.status_code == 200, answer.text
    (flow,) = api.get("/workflows").json["data"]
    return dict(flow)


def subjects(machine: Machine) -> list[str]:
    return [message.subject for message in machine.mail.messages]


def begin(api: Any, machine: Machine, text: str) -> Json:
    """Deploy a text, send one contact in, and let an hour pass."""
    flow = deploy(api, text)
    track(api)
    machine.settle()
    machine.sleep(hours=1)
    return flow


FOLLOWED = {
    "nothing": (TWO_DAYS, "WAITING", 47),
    "a longer delay": (TWO_DAYS.replace("2 days", "3 days"), "WAITING", 71),
    "a shorter delay": (TWO_DAYS.replace("2 days", "5 hours"), "WAITING", 4),
    "a delay that is over": (TWO_DAYS.replace("2 days", "30 minutes"), "COMPLETED", 0),
    "no delay": (TWO_DAYS.replace("  @pause wait 2 days\n", ""), "COMPLETED", 0),
    "a time of day": (TWO_DAYS.replace("2 days", "until 18:00"), "WAITING", 5),
    "another kind of step": (TWO_DAYS.replace("2 days", 'for event "x"'), "COMPLETED", 0),
}


@pytest.mark.parametrize("edit", FOLLOWED, ids=str)
def test_who_follows_goes_by_the_new_text_at_once(api: Any, machine: Machine, edit: str) -> None:
    flow = begin(api, machine, TWO_DAYS)
    text, status, hours = FOLLOWED[edit]
    deploy(api, text)
    machine.settle()
    assert only_run(api, flow)["status"] == status
    if hours:
        machine.sleep(hours=hours, minutes=-1)
        assert subjects(machine) == []
        machine.sleep(minutes=1)
    assert subjects(machine) == ["Old"]
    assert only_run(api, flow)["exitReason"] == "old end"


def test_a_changed_wait_is_for_the_new_event(api: Any, machine: Machine) -> None:
    text = HEAD + '  wait for event "a" up to 2 days { exit "in time" }\n  exit "too late"\n}\n'
    flow = begin(api, machine, text)
    deploy(api, text.replace('"a" up to 2 days', '"b" where event.n == 1 up to 1 day'))
    machine.settle()
    for event, data in (("a", {}), ("b", {"n": 2})):
        track(api, event, data=data)
        machine.settle()
        assert only_run(api, flow)["status"] == "WAITING"
    track(api, "b", data={"n": 1})
    machine.settle()
    assert only_run(api, flow)["exitReason"] == "in time"


def test_an_event_finds_who_is_yet_to_follow(api: Any, machine: Machine) -> None:
    text = HEAD + '  wait for event "a" up to 2 days { exit "in time" }\n  exit "too late"\n}\n'
    flow = begin(api, machine, text)
    deploy(api, text.replace("2 days", "30 minutes"))
    track(api, "a")
    machine.settle()
    assert only_run(api, flow)["exitReason"] == "in time"


def test_people_are_brought_over_in_batches(api: Any, machine: Machine, sessions: Any) -> None:
    flow = deploy(api, TWO_DAYS)
    for number in range(7):
        track(api, email=f"kim{number}@example.org")
    machine.settle()
    deploy(api, NO_PAUSE)
    small, reviser = replace(machine.worker.engine, batch_size=3), Reviser()
    assert [revise_due(small, reviser) for _ in range(4)] == [3, 3, 1, 0]
    assert advance_due(small) == 3
    machine.settle()
    assert {run["exitReason"] for run in runs(api, flow)} == {"new end"}
    assert [one is None for one in touched(sessions)] == [True, False]
    machine.sleep(minutes=1)
    assert touched(sessions) == [None, None]


def touched(sessions: Any) -> list[Any]:
    with transaction(sessions) as session:
        return list(session.scalars(select(Revision.touched).order_by(Revision.number)))


def test_who_is_held_by_somebody_else_is_brought_over_later(
    api: Any, machine: Machine, sessions: Any, backend: str
) -> None:
    flow = begin(api, machine, TWO_DAYS)
    deploy(api, TWO_DAYS.replace("2 days", "30 minutes"))
    machine.clock.advance(timedelta(minutes=2))
    if backend == "postgres":
        with transaction(sessions) as other:
            other.execute(select(Execution.id).with_for_update())
            assert revise_due(machine.worker.engine, machine.worker.reviser) == 0
    assert touched(sessions)[-1] is not None
    machine.settle()
    assert only_run(api, flow)["exitReason"] == "old end"
    machine.settle()
    assert touched(sessions)[-1] is None


def test_one_run_that_cannot_follow_holds_nobody_up(api: Any, machine: Machine) -> None:
    flow = begin(api, machine, TWO_DAYS)
    track(api, email="ada@example.org")
    machine.settle()
    text = TWO_DAYS.replace("2 days", "until contact.data.when")
    deploy(api, text)
    machine.settle()
    machine.sleep(days=2)
    assert {run["status"] for run in runs(api, flow)} == {"COMPLETED"}


@pytest.mark.parametrize("text", [NEW_MAIL, NO_PAUSE], ids=["changed", "removed"])
def test_who_is_pinned_finishes_the_old_way(api: Any, machine: Machine, text: str) -> None:
    flow = begin(api, machine, TWO_DAYS)
    deploy(api, text, inFlight="pin")
    machine.settle()
    run = only_run(api, flow)
    assert (run["status"], run["pinned"]) == ("WAITING", True)
    assert api.get(f"/workflows/{flow['id']}/executions").json["executions"][0]["pinned"] is True
    track(api, email="ada@example.org")
    machine.settle()
    newest, _ = runs(api, flow)
    assert "pinned" not in newest
    machine.sleep(days=3)
    assert sorted(subjects(machine)) == ["New", "Old"]
    assert {run["exitReason"] for run in runs(api, flow)} == {"old end", "new end"}
    old = next(run for run in runs(api, flow) if run["exitReason"] == "old end")
    assert "pinned" not in old
    assert [kind for kind, _ in visited(old)] == ["TRIGGER", "DELAY", "SEND_EMAIL", "EXIT"]


def test_later_deployments_leave_the_pinned_alone(api: Any, machine: Machine) -> None:
    flow = begin(api, machine, TWO_DAYS)
    deploy(api, NEW_MAIL, inFlight="pin")
    track(api, email="ada@example.org")
    machine.settle()
    last = NEW_MAIL.replace("2 days", "1 day").replace("new end", "last end")
    plan = api.post("/flows/plan", {"files": {"t.flow": TEMPLATES, "w.flow": last}}).json
    assert {step["people"] for step in plan["workflows"][0]["steps"]} == {1, 0}
    deploy(api, last)
    machine.sleep(days=1)
    machine.sleep(days=2)
    reasons = {run["contact"]["email"]: run["exitReason"] for run in runs(api, flow)}
    assert reasons == {"kim@example.org": "old end", "ada@example.org": "last end"}


def test_the_pinned_hear_what_they_wait_for(api: Any, machine: Machine) -> None:
    text = HEAD + '  wait for event "a" up to 2 days { exit "in time" }\n  exit "too late"\n}\n'
    flow = begin(api, machine, text)
    deploy(api, HEAD + '  exit "at once"\n}\n', inFlight="pin")
    machine.settle()
    track(api, "a")
    machine.settle()
    assert only_run(api, flow)["exitReason"] == "in time"


WATCHED = (
    HEAD
    + '  stop when event "gone"\n  stop when contact.data.banned\n'
    + '  goal "paid" when event "paid" then exit\n  wait 2 days\n}\n'
)
ELSE = HEAD + '  stop when event "away"\n  goal "won" when event "paid"\n  wait 1 day\n}\n'


@pytest.mark.parametrize(
    ("event", "data", "old", "new"),
    [
        ("gone", {}, "stopped", None),
        ("away", {}, None, "stopped"),
        ("news", {"banned": True}, "stopped", None),
        ("paid", {}, "goal: paid", None),
    ],
)
def test_everybody_has_the_stops_and_goals_of_their_revision(
    api: Any, machine: Machine, sessions: Any, event: str, data: Json, old: str, new: str
) -> None:
    flow = begin(api, machine, WATCHED)
    deploy(api, ELSE, inFlight="pin")
    track(api)  # the same contact, in the new revision
    machine.settle()
    track(api, event, data=data)
    machine.settle()
    newest, oldest = runs(api, flow)
    assert (oldest["exitReason"], newest["exitReason"]) == (old, new)
    with transaction(sessions) as session:
        goals = set(session.scalars(select(Conversion.goal)))
    assert goals == ({"paid", "won"} if event == "paid" else set())


def test_what_is_watched_for_nobody_is_forgotten(api: Any, machine: Machine) -> None:
    flow = begin(api, machine, WATCHED)
    deploy(api, ELSE, inFlight="pin")
    machine.sleep(days=3)
    deploy(api, WATCHED, inFlight="pin")
    track(api)
    machine.settle()
    track(api, "gone")
    machine.settle()
    newest, oldest = runs(api, flow)
    assert (oldest["exitReason"], newest["exitReason"]) == (None, "stopped")


def test_a_drained_workflow_lets_nobody_in(api: Any, machine: Machine) -> None:
    begin(api, machine, TWO_DAYS)
    files = {"files": {"t.flow": TEMPLATES, "w.flow": NEW_MAIL}, "inFlight": "drain"}
    plan = api.post("/flows/plan", files).json
    assert plan["inFlight"] == "drain"
    assert plan["workflows"][0]["headers"] == [{"name": "enabled", "old": True, "new": False}]
    flow = deploy(api, NEW_MAIL, inFlight="drain", planDigest=plan["digest"])
    assert flow["enabled"] is False
    track(api, email="ada@example.org")
    machine.sleep(days=3)
    assert only_run(api, flow)["exitReason"] == "old end"
    again = api.post("/flows/plan", files).json
    assert [one["status"] for one in again["workflows"]] == ["unchanged"]
    assert api.patch(f"/workflows/{flow['id']}", {"enabled": True}).status_code == 200
    track(api, email="ada@example.org")
    machine.settle()
    machine.sleep(days=2)
    assert runs(api, flow)[0]["exitReason"] == "new end"


@pytest.mark.parametrize("policy", ["pin", "drain"])
def test_where_nothing_changes_nobody_is_pinned(api: Any, machine: Machine, policy: str) -> None:
    begin(api, machine, TWO_DAYS)
    flow = deploy(api, TWO_DAYS, inFlight=policy)
    assert flow["enabled"] is True
    assert "pinned" not in only_run(api, flow)


def test_one_workflow_can_be_replaced_with_a_policy(api: Any, machine: Machine) -> None:
    flow = begin(api, machine, TWO_DAYS)
    path = f"/workflows/{flow['id']}/flow"
    assert api.put(path, {"source": NEW_MAIL, "inFlight": "drain"}).status_code == 200
    assert only_run(api, flow)["pinned"] is True
    assert api.get(f"/workflows/{flow['id']}").json["enabled"] is False
    assert api.put(path, {"source": NEW_MAIL, "inFlight": "hover"}).status_code == 422


def test_a_policy_belongs_to_its_plan(api: Any) -> None:
    deploy(api, TWO_DAYS)
    files = {"files": {"t.flow": TEMPLATES, "w.flow": NEW_MAIL}}
    digest = api.post("/flows/plan", {**files, "inFlight": "pin"}).json["digest"]
    assert api.post("/flows/deploy", {**files, "planDigest": digest}).status_code == 409
    pinned = {**files, "planDigest": digest, "inFlight": "pin"}
    assert api.post("/flows/deploy", pinned).status_code == 200


def named(api: Any, kind: str, name: str) -> str:
    found = api.get(f"/{kind}").json
    items = found if isinstance(found, list) else found["data"]
    return next(str(one["id"]) for one in items if one["name"] == name)


@pytest.mark.parametrize("way", ["alone", "in bulk"])
def test_a_template_stays_while_the_pinned_need_it(api: Any, machine: Machine, way: str) -> None:
    flow = begin(api, machine, TWO_DAYS)
    deploy(api, NEW_MAIL, inFlight="pin")
    old = named(api, "templates", "old")

    def delete() -> Any:
        if way == "alone":
            return api.delete(f"/templates/{old}")
        return api.post("/templates/bulk-update", {"ids": [old], "delete": True})

    refused = delete()
    assert refused.status_code == 409
    assert "pinned executions of 1 workflow(s)" in refused.text
    machine.sleep(days=3)
    assert only_run(api, flow)["exitReason"] == "old end"
    assert delete().status_code in {200, 204}


def test_a_template_that_the_pinned_do_not_need_can_go(api: Any, machine: Machine) -> None:
    begin(api, machine, TWO_DAYS)
    deploy(api, TWO_DAYS.replace("2 days", "3 days"), inFlight="pin")
    assert api.delete(f"/templates/{named(api, 'templates', 'new')}").status_code == 204


def test_a_segment_stays_while_the_pinned_need_it(api: Any, machine: Machine) -> None:
    segment = 'segment "VIP" { where contact.data.vip }\n'
    text = HEAD + '  @pause wait 2 days\n  if contact in segment "VIP" { exit "vip" }\n}\n'
    begin(api, machine, segment + text)
    deploy(api, NO_PAUSE, inFlight="pin")
    vip = named(api, "segments", "VIP")
    assert api.delete(f"/segments/{vip}").status_code == 409
    machine.sleep(days=3)
    assert api.delete(f"/segments/{vip}").status_code == 204


def test_the_steps_of_the_pinned_are_those_of_their_revision(api: Any, machine: Machine) -> None:
    old = HEAD + '  @pause wait 2 days\n  @mail send email "old"\n  @last wait 2 days\n}\n'
    new = old.replace('"old"', '"new"').replace("@last wait 2 days", '@last exit "new"')
    flow = begin(api, machine, old)
    before = only_run(api, flow)["currentStep"]
    deploy(api, new.replace("@pause wait 2 days", "@pause wait 5 days"), inFlight="pin")
    shown = only_run(api, flow)["currentStep"]
    assert {**shown, "updatedAt": before["updatedAt"]} == before
    machine.sleep(days=3)
    (listed,) = api.get(f"/workflows/{flow['id']}/executions").json["executions"]
    assert (listed["currentStep"]["name"], listed["currentStep"]["type"]) == (
        "Wait 2 days",
        "DELAY",
    )
    machine.sleep(days=3)
    run = only_run(api, flow)
    assert run["status"] == "COMPLETED"
    assert [one["step"]["name"] for one in run["stepExecutions"]][1:] == [
        "Wait 2 days",
        "Send old",
        "Wait 2 days",
    ]
    assert [kind for kind, _ in visited(run)] == ["TRIGGER", "DELAY", "SEND_EMAIL", "DELAY"]


@pytest.mark.parametrize("policy", ["pin", "drain"])
def test_nobody_is_pinned_who_is_being_brought_over(
    api: Any, machine: Machine, policy: str
) -> None:
    flow = begin(api, machine, TWO_DAYS)
    deploy(api, TWO_DAYS.replace("2 days", "3 days"))
    last = {"files": {"t.flow": TEMPLATES, "w.flow": NEW_MAIL}, "inFlight": policy}
    for path in ("/flows/plan", "/flows/deploy"):
        refused = api.post(path, last)
        assert refused.status_code == 409
        assert "still being brought over to revision 2" in refused.text
    source = {"source": NEW_MAIL, "inFlight": policy}
    assert api.put(f"/workflows/{flow['id']}/flow", source).status_code == 409
    machine.settle()
    assert api.post("/flows/deploy", last).status_code == 200
    machine.sleep(days=2)
    assert only_run(api, flow)["status"] == "WAITING"
    machine.sleep(days=1)
    assert subjects(machine) == ["Old"]
