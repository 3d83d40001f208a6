"""`.flow` texts with every form of the language, deployed and run to their ends."""

from __future__ import annotations

import json
from typing import Any

import pytest
from sqlalchemy import select

from plunk.db import transaction
from plunk.models import Conversion
from tests.factories import only_run, runs, track

TEMPLATES = """
template "tips" { type: marketing  subject: "Tips"  from: "a@acme.test"  body: "<p>Tips</p>" }
segment "VIP" { static }
segment "Pros" { where data.plan == "pro" }
"""
EVERYTHING = """
workflow "Everything" {
  on event "go" where not event.internal
  on manual
  reentry always
  stop when event "gone" where event.really
  stop when contact.data.banned
  goal "paid" when event "paid" where event.amount > 10
  goal "gold" when contact.data.plan == "gold" then exit
  timezone contact.data.tz default "Europe/Brussels"
  quiet hours 21:00 to 08:00

  track "started" { n: (event.n ?? 0) + 1, at: now + 3 days, day: date("2026-03-01") - 1 week }
  add to segment "VIP"
  if contact in segment "VIP" and triggered "started" within 1 hour and count "started" >= 1 {
    update contact { greeting: render("Hi {{ email }}") }
  }
  wait until 09:00 on weekdays
  send email "tips"
  wait until contact.data.ends minus 1 day when past exit
  wait until contact.data.ready == true up to 2 days {
    remove from segment "VIP"
  } timeout {
    exit "never ready"
  }
  split { 60% { } 40% { } }
  switch contact.data.plan { case "basic", "pro" { } else { exit "no plan" } }
  webhook POST "https://hooks.example.com/x" {
    headers: { "X-Token": "Bearer " + secret("TOKEN") }
    body: { id: contact.id, key: secret("TOKEN") }
  } as crm
  if crm.ok and not opened "tips" within 3 days { } else { exit "not ok" }
  wait for event "last" where event.n == 2
  exit "end"
}
"""


def deploy(api: Any, *texts: str) -> dict[str, Any]:
    files = {f"{at}.flow": text for at, text in enumerate(texts)}
    answer = api.post("/flows/deploy", {"files": files})
    assert answer.status_code == 200, answer.text
    found = {one["name"]: one for one in api.get("/workflows").json["data"]}
    return {name: dict(api.get(f"/workflows/{one['id']}").json) for name, one in found.items()}


def test_every_form_of_the_language_runs(api, machine, sessions):
    api.put("/secrets/TOKEN", {"value": "tok-2026"})
    flow = deploy(api, TEMPLATES, EVERYTHING)["Everything"]
    track(api, data={"internal": True})
    assert runs(api, flow) == []
    track(api, data={"n": 1, "plan": "pro", "ends": "2026-03-05", "internal": False})
    machine.settle()
    run = only_run(api, flow)
    assert run["status"] == "WAITING", run["stepExecutions"]
    tracked = run["stepExecutions"][1]["output"]
    assert tracked["data"] == {"n": 2, "at": "2026-03-05T12:00:00.000Z", "day": "2026-02-22"}
    (contact,) = api.get("/contacts").json["data"]
    assert contact["data"]["greeting"] == "Hi kim@example.org"
    machine.sleep(hours=20)  # Tuesday, 09:00 in Brussels
    assert [message.subject for message in machine.mail.messages] == ["Tips"]
    machine.sleep(hours=14, minutes=59)  # the 4th begins at 23:00
    assert only_run(api, flow)["stepExecutions"][-1]["step"]["type"] == "DELAY"
    machine.sleep(minutes=1)
    assert only_run(api, flow)["stepExecutions"][-1]["step"]["type"] == "WAIT_FOR_EVENT"
    track(api, "paid", data={"amount": 11})
    api.patch(f"/contacts/{contact['id']}", {"data": {"ready": True}})
    machine.settle()
    (request,) = machine.hooks.requests
    assert request.headers["X-Token"] == "Bearer tok-2026"
    assert json.loads(request.body) == {"id": contact["id"], "key": "tok-2026"}
    track(api, "last", data={"n": 1})
    track(api, "last", data={"n": 2})
    machine.settle()
    run = only_run(api, flow)
    assert (run["status"], run["exitReason"]) == ("COMPLETED", "end"), run["stepExecutions"][-1]
    with transaction(sessions) as session:
        assert list(session.scalars(select(Conversion.goal))) == ["paid"]


def test_stops_and_goals_by_text(api, machine):
    flow = deploy(api, TEMPLATES, EVERYTHING)["Everything"]
    for name in ("kim", "lou", "max"):
        track(api, email=f"{name}@example.org", data={"plan": "pro", "ends": "2030-01-01"})
    machine.settle()
    track(api, "gone", email="kim@example.org", data={"really": True})
    track(api, "any", email="lou@example.org", data={"banned": True})
    track(api, "any", email="max@example.org", data={"plan": "gold"})
    reasons = sorted(run["exitReason"] for run in runs(api, flow))
    assert reasons == ["goal: gold", "stopped", "stopped"]


SWITCH = """
workflow "Chosen" {
  on event "go"
  reentry always

  switch contact.data.plan {
    case "free" { exit "free" }
    case null { exit "none" }
    else { }
  }
  switch event.p {
    case 5 { exit "number" }
    case "5" { exit "text" }
    case "team", null { exit "team or none" }
    case "default" { exit "not the rest" }
    else { exit "rest" }
  }
}
"""


@pytest.mark.parametrize(
    ("plan", "event", "reason"),
    [
        (None, {}, "none"),
        ("free", {}, "free"),
        ("pro", {}, "team or none"),
        ("pro", {"p": None}, "team or none"),
        ("pro", {"p": "team"}, "team or none"),
        ("pro", {"p": 5}, "number"),
        ("pro", {"p": "5"}, "text"),
        ("pro", {"p": "default"}, "not the rest"),
        ("pro", {"p": False}, "rest"),
        ("pro", {"p": ""}, "rest"),
    ],
)
def test_a_case_is_typed_and_null_is_for_what_is_missing(api, machine, plan, event, reason):
    flow = deploy(api, SWITCH)["Chosen"]
    given = {} if plan is None else {"plan": plan}
    api.post("/contacts", {"email": "kim@example.org", "data": given})
    track(api, data=event)
    machine.settle()
    assert only_run(api, flow)["exitReason"] == reason
    simulated = {
        "files": {"a.flow": SWITCH},
        "contact": {"email": "kim@example.org", "data": given},
        "event": "go",
        "data": event,
    }
    (told,) = api.post("/flows/simulate", simulated).json["runs"]
    assert told["reason"] == reason
    text = api.get(f"/workflows/{flow['id']}/flow").json["flow"]
    assert 'case "team", null {' in text


SPLIT = """workflow "Dealt" {
  on event "go"
  reentry always

  %ssplit {
    50%% "x" {
      exit "x"
    }
    else {
      exit "y"
    }
  }
}
"""


def dealt(api: Any, machine: Any, flow: Any) -> dict[str, Any]:
    """Send a dozen people through; return the ways they have taken so far."""
    for number in range(12):
        track(api, email=f"p{number}@example.org")
    machine.settle()
    ways: dict[str, set[str]] = {}
    for run in runs(api, flow):
        ways.setdefault(run["contactId"], set()).add(run["exitReason"])
    return ways


def test_a_label_keeps_a_split_and_everybodys_lot(api, machine):
    flow = deploy(api, SPLIT % "")["Dealt"]
    before = dealt(api, machine, flow)
    assert {way for ways in before.values() for way in ways} == {"x", "y"}
    (split,) = [one for one in steps_of(api, flow) if one["type"] == "SPLIT"]
    assert deploy(api, SPLIT % "@exp ")["Dealt"]["revision"] == flow["revision"]
    for other in ('split { 10% "hold" { } else { } } wait 1 second @exp ', "@exp "):
        deploy(api, SPLIT % other)
        kept = [one for one in steps_of(api, flow) if one["id"] == split["id"]]
        assert len(kept) == 1
        assert f"  {other}split" in api.get(f"/workflows/{flow['id']}/flow").json["flow"]
    deploy(api, SPLIT % "")
    assert all(len(ways) == 1 for ways in dealt(api, machine, flow).values())


def steps_of(api: Any, flow: Any) -> list[Any]:
    return list(api.get(f"/workflows/{flow['id']}").json["steps"])
