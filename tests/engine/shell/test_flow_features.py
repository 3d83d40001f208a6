"""What only `.flow` texts can write, through the API and the worker, on both databases."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import event, select

from plunk.db import transaction
from plunk.engine.shell.batch import advance_due
from plunk.models import Conversion, Event, Execution
from tests.factories import edge, only_run, runs, step, template, track, visited, workflow

DAY = ("DELAY", {"amount": 1, "unit": "days"})
END = ("EXIT", {"reason": "end"})


def tree(*filters: dict[str, Any]) -> dict[str, Any]:
    return {"logic": "AND", "groups": [{"filters": list(filters)}]}


def when(field: object, operator: str, value: object = None, **more: Any) -> dict[str, Any]:
    return tree({"field": field, "operator": operator, "value": value, **more})


GOLD = when("contact.data.plan", "equals", "gold")


def contact_of(api: Any, email: str = "kim@example.org") -> dict[str, Any]:
    (found,) = [one for one in api.get("/contacts").json["data"] if one["email"] == email]
    return dict(found)


def goals(sessions: Any) -> list[str]:
    with transaction(sessions) as session:
        return list(session.scalars(select(Conversion.goal).order_by(Conversion.goal)))


# delays until a time


def test_a_delay_until_a_date_of_the_contact(api, machine):
    until = {
        "time": {"$expr": ["get", "contact", "data", "ends"]},
        "offset": {"amount": -1, "unit": "days"},
    }
    headers = {"timezone": {"field": None, "default": "Europe/Brussels"}}
    flow = workflow(api, ("DELAY", {"until": until}), END, **headers)
    track(api, data={"ends": "2026-03-05"})
    machine.settle()
    visit = only_run(api, flow)["stepExecutions"][1]
    assert visit["output"] == {"resumeAt": "2026-03-03T23:00:00.000Z"}
    machine.sleep(hours=34, minutes=59)
    assert only_run(api, flow)["status"] == "WAITING"
    machine.sleep(minutes=1)
    assert only_run(api, flow)["exitReason"] == "end"


@pytest.mark.parametrize("days", [["monday", "tuesday"], ["weekdays"], ["weekends", "tuesday"]])
def test_a_delay_until_nine_on_some_days(api, machine, days):
    flow = workflow(api, ("DELAY", {"until": {"timeOfDay": "09:00", "days": days}}), END)
    track(api)
    machine.settle()  # it is Monday, at noon
    machine.sleep(hours=20, minutes=59)
    assert only_run(api, flow)["status"] == "WAITING"
    machine.sleep(minutes=1)
    assert only_run(api, flow)["status"] == "COMPLETED"


# waits for a condition


def waiting(api: Any, condition: Any = GOLD, **config: Any) -> dict[str, Any]:
    flow = workflow(api, ("WAIT_FOR_EVENT", {"condition": condition, **config}))
    wait = flow["steps"][-1]["id"]
    for outcome, reason in (("EVENT", "held"), ("TIMEOUT", "late")):
        end = step(api, flow, "EXIT", {"reason": reason}, connect=False)
        edge(api, flow, wait, end, waitOutcome=outcome)
    return flow


def test_a_condition_that_holds_is_not_waited_for(api, machine):
    flow = waiting(api)
    track(api, data={"plan": "gold"})
    machine.settle()
    assert only_run(api, flow)["exitReason"] == "held"


@pytest.mark.parametrize("how", ["track", "patch", "post", "run"])
def test_a_change_of_the_contact_ends_a_wait_at_once(api, machine, how):
    flow = waiting(api, timeout=86_400)
    workflow(api, ("UPDATE_CONTACT", {"updates": {"plan": "gold"}}), event="promote", name="Other")
    track(api)
    track(api, email="other@example.org")
    machine.settle()
    contact = contact_of(api)
    match how:
        case "track":
            track(api, "anything", data={"plan": "gold"})
        case "patch":
            api.patch(f"/contacts/{contact['id']}", {"data": {"plan": "gold"}})
        case "post":
            api.post("/contacts", {"email": contact["email"], "data": {"plan": "gold"}})
        case "run":
            track(api, "promote")
    machine.settle()
    ended = {run["contactId"]: run["exitReason"] for run in runs(api, flow)}
    assert ended.pop(contact["id"]) == "held"
    assert list(ended.values()) == [None]


def test_a_change_that_does_not_matter_leaves_the_run_alone(api, machine, sessions):
    flow = waiting(api, timeout=86_400)
    track(api)
    machine.settle()
    with transaction(sessions) as session:
        before = session.scalars(select(Execution)).one()
    track(api, "anything", data={"plan": "silver"})
    with transaction(sessions) as session:
        after = session.scalars(select(Execution)).one()
    assert (after.version, after.due_at, after.signal) == (before.version, before.due_at, None)
    assert only_run(api, flow)["status"] == "WAITING"


def test_a_wait_for_a_condition_ends_at_its_limit_however_often_it_is_looked_at(api, machine):
    flow = waiting(api, timeout=3_600)
    track(api)
    machine.settle()
    for _ in range(3):
        machine.sleep(minutes=16)
        track(api, "anything")
    assert only_run(api, flow)["status"] == "WAITING"
    machine.sleep(minutes=12)
    run = only_run(api, flow)
    assert (run["exitReason"], run["stepExecutions"][1]["output"]) == ("late", {"timedOut": True})


def test_time_alone_can_make_a_condition_hold(api, machine):
    seen = {"field": "contact.data.seen", "operator": "olderThan", "value": 1, "unit": "hours"}
    flow = waiting(api, tree(seen))
    track(api, data={"seen": "2026-03-02T12:00:00Z"})
    machine.settle()
    machine.sleep(minutes=59)
    assert only_run(api, flow)["status"] == "WAITING"
    machine.sleep(minutes=16)
    assert only_run(api, flow)["exitReason"] == "held"


# history


def test_conditions_ask_what_happened_before(api, machine):
    often = {
        "$count": {
            "event": "login",
            "where": when("event.ok", "equals", True),
            "within": {"value": 1, "unit": "days"},
        }
    }
    condition = tree(
        {"field": "event.bought", "operator": "triggeredWithin", "value": 2, "unit": "days"},
        {"field": often, "operator": "greaterThanOrEqual", "value": 2},
        {"field": "email.sent", "operator": "notTriggered"},
    )
    flow = workflow(
        api, ("CONDITION", {"mode": "expression", "condition": condition}), allowReentry=True
    )
    for ok in (True, False, True):
        track(api, "login", data={"ok": ok})
    track(api)
    machine.settle()
    track(api, "bought")
    track(api)
    machine.settle()
    machine.sleep(days=1, minutes=1)
    track(api)
    machine.settle()
    results = [run["stepExecutions"][1]["output"]["result"] for run in runs(api, flow)]
    assert sorted(results) == [False, False, True]


def test_emails_are_history(api, machine):
    welcome = template(api)
    asked = {"operator": "triggered", "template": {"id": welcome}}
    flow = workflow(
        api,
        ("SEND_EMAIL", {"templateId": welcome}),
        DAY,
        ("CONDITION", {"mode": "expression", "condition": tree({"field": "email.sent", **asked})}),
    )
    track(api)
    machine.settle()
    machine.sleep(days=1)
    assert only_run(api, flow)["stepExecutions"][-1]["output"]["result"] is True


def test_history_decides_who_enters_and_who_is_woken(api, machine):
    twice = {"field": {"$count": {"event": "go"}}, "operator": "greaterThanOrEqual", "value": 2}
    trigger = {"triggers": [{"type": "event", "eventName": "go", "where": tree(twice)}]}
    flow = workflow(
        api, ("WAIT_FOR_EVENT", {"eventName": "go", "where": tree({**twice, "value": 4})})
    )
    assert api.patch(f"/workflows/{flow['id']}", {"triggerConfig": trigger}).status_code == 200
    track(api)
    assert runs(api, flow) == []
    track(api)
    machine.settle()
    track(api)
    machine.settle()
    assert only_run(api, flow)["status"] == "WAITING"
    track(api)
    machine.settle()
    assert only_run(api, flow)["status"] == "COMPLETED"


# splits, tracked events


def test_a_split_goes_the_same_way_again(api, machine):
    branches = [{"id": "a", "weight": 50}, {"id": "b", "weight": 50}]
    flow = workflow(api, ("SPLIT", {"branches": branches}), allowReentry=True)
    split = flow["steps"][-1]["id"]
    for name in ("a", "b"):
        end = step(api, flow, "EXIT", {"reason": name}, connect=False)
        edge(api, flow, split, end, branch=name)
    for _ in range(2):
        for number in range(8):
            track(api, email=f"p{number}@example.org")
    machine.settle()
    ways: dict[str, set[str]] = {}
    for run in runs(api, flow):
        ways.setdefault(run["contactId"], set()).add(run["exitReason"])
    assert len(ways) == 8
    assert {len(way) for way in ways.values()} == {1}


def test_a_tracked_event_is_stored_and_starts_others(api, machine, sessions):
    data = {"n": {"$expr": ["+", ["get", "event", "n"], 1]}}
    flow = workflow(api, ("TRACK", {"eventName": "synced", "data": data}), END)
    other = workflow(api, END, event="synced", name="Other")
    track(api, data={"n": 1})
    machine.settle()
    output = only_run(api, flow)["stepExecutions"][1]["output"]
    with transaction(sessions) as session:
        stored = session.scalars(select(Event).where(Event.name == "synced")).one()
    assert output == {
        "tracked": True,
        "eventName": "synced",
        "data": {"n": 2},
        "eventId": stored.id,
    }
    assert stored.data == {"n": 2}
    assert only_run(api, other)["context"] == {"n": 2}
    assert contact_of(api)["data"] == {"n": 1}


def test_i8_runs_that_wake_each_other_come_to_an_end(api, machine, sessions):
    for mine, yours in (("ping", "pong"), ("pong", "ping")):
        steps = [("WAIT_FOR_EVENT", {"eventName": mine}), ("TRACK", {"eventName": yours})] * 20
        workflow(api, *steps, name=mine)
    track(api)
    machine.settle()
    machine.sleep(hours=2)  # they are old by now
    track(api, "ping")
    machine.settle()
    with transaction(sessions) as session:
        names = session.scalars(select(Event.name).where(Event.name.in_(["ping", "pong"]))).all()
    assert 10 < len(names) <= 18


def test_i8_changes_that_wake_each_other_slow_down(api, machine):
    def count(parity: int) -> dict[str, Any]:
        return when("contact.data.n", "in", list(range(parity, 99, 2)))

    step_up = {"updates": {"n": {"$expr": ["+", ["get", "data", "n"], 1]}}}
    for parity in (0, 1):
        steps = [("WAIT_FOR_EVENT", {"condition": count(parity)}), ("UPDATE_CONTACT", step_up)] * 20
        workflow(api, *steps, name=f"N{parity}")
    track(api, data={"n": -1})
    machine.settle()
    track(api, "nudge", data={"n": 0})
    machine.settle()
    reached = contact_of(api)["data"]["n"]
    assert 10 < reached < 30
    machine.sleep(minutes=15)
    assert contact_of(api)["data"]["n"] > reached


# segments


def segment(api: Any, name: str = "VIP", **fields: Any) -> str:
    answer = api.post("/segments", {"name": name, "type": "STATIC", **fields})
    assert answer.status_code == 201, answer.text
    return str(answer.json["id"])


def members(api: Any, segment_id: str) -> list[str]:
    return [one["email"] for one in api.get(f"/segments/{segment_id}/contacts").json["data"]]


def test_steps_put_contacts_into_segments_and_take_them_out(api, machine):
    vip = segment(api, trackMembership=True)
    add = ("SEGMENT", {"action": "add", "segmentId": vip})
    flow = workflow(api, add, ("WAIT_FOR_EVENT", {"eventName": "segment.vip.entry", "timeout": 60}))
    told = workflow(api, END, event="segment.vip.entry", name="Told")
    workflow(api, ("SEGMENT", {"action": "remove", "segmentId": vip}), event="out", name="Out")
    for name in ("kim", "lou"):
        track(api, email=f"{name}@example.org")
    machine.settle()
    assert sorted(members(api, vip)) == ["kim@example.org", "lou@example.org"]
    assert len(runs(api, told)) == 2
    assert {run["status"] for run in runs(api, flow)} == {"WAITING"}  # not woken by themselves
    track(api, "out")
    machine.settle()
    assert members(api, vip) == ["lou@example.org"]
    assert api.get(f"/segments/{vip}").json["memberCount"] == 1


def test_a_step_sees_the_segment_it_has_just_changed(api, machine):
    vip = segment(api)
    is_vip = tree({"field": f"segment.{vip}", "operator": "memberOfSegment"})
    ask = ("CONDITION", {"mode": "expression", "condition": is_vip})
    flow = workflow(api, ask, allowReentry=True)
    yes = flow["steps"][-1]["id"]
    add = step(api, flow, "SEGMENT", {"action": "add", "segmentId": vip}, connect=False)
    edge(api, flow, yes, add, branch="no")
    again = step(api, flow, *ask, connect=False)
    edge(api, flow, add, again)
    for _ in range(2):
        track(api)
    machine.settle()
    results = [
        [
            visit["output"]["result"]
            for visit in run["stepExecutions"]
            if visit["step"]["type"] == "CONDITION"
        ]
        for run in runs(api, flow)
    ]
    assert sorted(results) == [[False, True], [True]]


@pytest.mark.parametrize("tracked", [True, False])
def test_a_wait_for_a_segment_ends_when_the_contact_is_added(api, machine, tracked):
    vip = segment(api, trackMembership=tracked)
    flow = waiting(api, tree({"field": f"segment.{vip}", "operator": "memberOfSegment"}))
    track(api)
    machine.settle()
    api.post(f"/segments/{vip}/members", {"emails": ["kim@example.org"]})
    machine.settle()
    assert only_run(api, flow)["exitReason"] == "held"


def test_dynamic_segments_are_asked_by_their_condition(api, machine):
    gold = segment(api, "Gold", type="DYNAMIC", condition=when("data.plan", "equals", "gold"))
    is_gold = tree({"field": f"segment.{gold}", "operator": "memberOfSegment"})
    flow = workflow(api, ("CONDITION", {"mode": "expression", "condition": is_gold}), END)
    track(api, data={"plan": "gold"})
    track(api, email="other@example.org")
    machine.settle()
    found = [run["stepExecutions"][1]["output"]["result"] for run in runs(api, flow)]
    assert sorted(found) == [False, True]


# stops and goals

GONE = {"stops": [{"eventName": "gone", "where": when("event.really", "equals", True)}]}


@pytest.mark.parametrize(
    "config", [DAY, ("WAIT_FOR_EVENT", {"eventName": "x"}), ("WAIT_FOR_EVENT", {"condition": GOLD})]
)
def test_an_event_stops_a_parked_run(api, machine, config):
    flow = workflow(api, config, END, **GONE)
    other = workflow(api, DAY, END, name="Other")
    track(api)
    machine.settle()
    track(api, "gone", data={"really": False})
    track(api, "gone", email="other@example.org", data={"really": True})
    assert only_run(api, flow)["status"] == "WAITING"
    track(api, "gone", data={"really": True})
    run = only_run(api, flow)
    assert (run["status"], run["exitReason"], run["currentStepId"]) == (
        "COMPLETED",
        "stopped",
        None,
    )
    assert visited(run)[1][1] == ("COMPLETED" if config is DAY else "SKIPPED")
    machine.sleep(days=2)
    assert only_run(api, flow)["exitReason"] == "stopped"
    assert only_run(api, other)["exitReason"] == "end"


def test_a_stop_wins_against_an_event_that_has_arrived_already(api, machine):
    flow = workflow(api, ("WAIT_FOR_EVENT", {"eventName": "x"}), END, stops=[{"eventName": "gone"}])
    track(api)
    machine.settle()
    track(api, "x")
    track(api, "gone")
    machine.settle()
    assert only_run(api, flow)["exitReason"] == "stopped"


def test_a_stop_reaches_a_run_that_has_not_begun_and_one_that_is_switched_off(api, machine):
    flow = workflow(api, END, stops=[{"eventName": "gone"}])
    track(api)
    api.patch(f"/workflows/{flow['id']}", {"enabled": False})
    track(api, "gone")
    machine.settle()
    run = only_run(api, flow)
    assert (run["exitReason"], run["stepExecutions"]) == ("stopped", [])


def test_a_stop_cancels_a_call_that_nobody_has_made(api, machine):
    flow = workflow(
        api, ("WEBHOOK", {"url": "https://hooks.example.com/"}), stops=[{"eventName": "gone"}]
    )
    track(api)
    advance_due(machine.worker.engine)
    track(api, "gone")
    machine.settle()
    assert machine.hooks.requests == []
    assert only_run(api, flow)["exitReason"] == "stopped"


@pytest.mark.parametrize("how", ["track", "patch", "run"])
def test_a_condition_stops_a_parked_run(api, machine, how):
    flow = workflow(api, DAY, END, stops=[{"condition": GOLD}])
    workflow(api, ("UPDATE_CONTACT", {"updates": {"plan": "gold"}}), event="promote", name="Other")
    track(api)
    machine.settle()
    match how:
        case "track":
            track(api, "anything", data={"plan": "gold"})
        case "patch":
            api.patch(f"/contacts/{contact_of(api)['id']}", {"data": {"plan": "gold"}})
        case "run":
            track(api, "promote")
            machine.settle()
    assert only_run(api, flow)["exitReason"] == "stopped"


def test_a_run_stops_before_its_next_step(api, machine):
    flow = workflow(
        api, ("UPDATE_CONTACT", {"updates": {"plan": "gold"}}), END, stops=[{"condition": GOLD}]
    )
    track(api)
    machine.settle()
    run = only_run(api, flow)
    assert (run["exitReason"], len(run["stepExecutions"])) == ("stopped", 2)


def test_goals_count_once_for_each_run(api, machine, sessions):
    flow = workflow(
        api,
        ("TRACK", {"eventName": "hello"}),
        ("WAIT_FOR_EVENT", {"eventName": "x"}),
        END,
        goals=[
            {"name": "greeted", "eventName": "hello"},
            {"name": "paid", "eventName": "paid", "where": when("event.n", "greaterThan", 1)},
            {"name": "gold", "condition": GOLD, "exit": True},
        ],
    )
    track(api)
    machine.settle()
    assert goals(sessions) == ["greeted"]
    for n in (1, 2, 3):
        track(api, "paid", data={"n": n})
    machine.settle()
    assert goals(sessions) == ["greeted", "paid"]
    assert only_run(api, flow)["status"] == "WAITING"
    track(api, "anything", data={"plan": "gold"})
    assert goals(sessions) == ["gold", "greeted", "paid"]
    assert only_run(api, flow)["exitReason"] == "goal: gold"


def test_goals_that_the_core_sees_are_stored(api, machine, sessions):
    flow = workflow(
        api,
        ("UPDATE_CONTACT", {"updates": {"plan": "gold"}}),
        END,
        goals=[{"name": "gold", "condition": GOLD, "exit": True}],
    )
    track(api)
    machine.settle()
    assert (goals(sessions), only_run(api, flow)["exitReason"]) == (["gold"], "goal: gold")


# quiet hours


def test_marketing_mail_waits_for_the_morning_of_its_reader(api, machine):
    flow = workflow(
        api,
        ("SEND_EMAIL", {"templateId": template(api, name="Receipt", type="TRANSACTIONAL")}),
        ("SEND_EMAIL", {"templateId": template(api)}),
        timezone={"field": {"$expr": ["get", "contact", "data", "tz"]}, "default": "UTC"},
        quietHours={"from": "21:00", "to": "08:00"},
    )
    track(api, data={"tz": "Asia/Tokyo"})  # 21:00 there
    track(api, email="other@example.org")
    machine.settle()
    assert len(machine.mail.messages) == 3
    (late,) = [run for run in runs(api, flow) if run["status"] == "WAITING"]
    assert visited(late) == [("TRIGGER", "COMPLETED"), ("SEND_EMAIL", "COMPLETED")]
    machine.sleep(hours=10, minutes=59)
    assert len(machine.mail.messages) == 3
    machine.sleep(minutes=1)
    assert [message.subject for message in machine.mail.messages][3:] == ["Hello friend"]
    assert {run["status"] for run in runs(api, flow)} == {"COMPLETED"}


# the API


def test_headers_are_written_and_read(api):
    flow = workflow(api)
    assert (flow["stops"], flow["goals"], flow["timezone"], flow["quietHours"]) == (
        [],
        [],
        None,
        None,
    )
    path = f"/workflows/{flow['id']}"
    wanted = {
        **GONE,
        "goals": [{"name": "g", "condition": GOLD, "exit": True}],
        "timezone": {"field": None, "default": "Europe/Brussels"},
        "quietHours": {"from": "21:00", "to": "08:00"},
    }
    changed = api.patch(path, wanted).json
    assert {name: changed[name] for name in wanted} == wanted
    assert changed["revision"] == flow["revision"] + 1
    assert api.patch(path, wanted).json["revision"] == changed["revision"]
    copy = api.post(f"{path}/duplicate").json
    assert copy["goals"] == wanted["goals"]
    cleared = api.patch(path, {"stops": [], "quietHours": None}).json
    assert (cleared["stops"], cleared["quietHours"]) == ([], None)
    assert cleared["goals"] == wanted["goals"]
    listed = api.get("/workflows").json["data"]
    assert {one["timezone"]["default"] for one in listed} == {"Europe/Brussels"}


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        ({"stops": [{}]}, 400),
        ({"stops": [{"condition": {"logic": "AND"}}]}, 400),
        ({"stops": "x"}, 422),
        ({"goals": [{"eventName": "x"}]}, 422),
        ({"goals": [{"name": "g", "eventName": "x"}] * 2}, 400),
        ({"timezone": {"default": "Mars/Base"}}, 400),
        ({"quietHours": {"from": "9", "to": "08:00"}}, 422),
        ({"quietHours": {"from": "09:00", "to": "09:00"}}, 400),
    ],
)
def test_headers_that_cannot_be_read_are_refused(api, fields, status):
    body = {"name": "Flow", "eventName": "go", **fields}
    assert api.post("/workflows", body).status_code == status
    flow = workflow(api)
    assert api.patch(f"/workflows/{flow['id']}", fields).status_code == status


@pytest.mark.parametrize(
    ("type_", "config"),
    [
        ("SPLIT", {}),
        ("TRACK", {"eventName": "email.open"}),
        ("SEGMENT", {"action": "add"}),
        ("DELAY", {"until": {"timeOfDay": "25:00"}}),
        ("WAIT_FOR_EVENT", {"condition": {}}),
    ],
)
def test_configs_that_nothing_can_carry_out_are_refused(api, type_, config):
    flow = workflow(api)
    body = {"type": type_, "name": "It", "position": {}, "config": config}
    answer = api.post(f"/workflows/{flow['id']}/steps", body)
    assert (answer.status_code, answer.json["error"]["message"][:8]) == (400, "config: ")


# what it costs those who use none of it


def statements(backend: Any) -> list[str]:
    seen: list[str] = []
    event.listen(backend, "before_cursor_execute", lambda *args: seen.append(args[2]), named=False)
    return seen


def test_plain_projects_pay_nothing_for_it(api, machine):
    workflow(api, ("WAIT_FOR_EVENT", {"eventName": "x"}), ("UPDATE_CONTACT", {"updates": {"a": 1}}))
    track(api)
    machine.settle()
    seen = statements(machine.worker.database)
    track(api, "x")
    advance_due(machine.worker.engine)
    asked = [text for text in seen if text.startswith("SELECT (EXISTS")]
    strange = [text for text in seen if "conversions" in text or "segment_members" in text]
    assert (len(asked), strange) == (1, [])


def test_a_batch_costs_the_same_for_one_run_and_for_many(api, machine):
    vip = segment(api, trackMembership=True)
    often = {"$count": {"event": "go", "where": when("event.n", "exists")}}
    asked = tree({"field": often, "operator": "greaterThan", "value": 0})
    workflow(
        api,
        ("CONDITION", {"mode": "expression", "condition": asked}),
        ("SEGMENT", {"action": "add", "segmentId": vip}),
        ("TRACK", {"eventName": "told"}),
        ("UPDATE_CONTACT", {"updates": {"plan": "gold"}}),
        ("WAIT_FOR_EVENT", {"condition": when("contact.data.x", "exists")}),
        goals=[{"name": "told", "eventName": "told"}, {"name": "gold", "condition": GOLD}],
    )
    seen = statements(machine.worker.database)
    costs = []
    for wave, size in enumerate((1, 20)):
        for number in range(size):
            track(api, email=f"{wave}-{number}@example.org", data={"n": 1})
        seen.clear()
        assert advance_due(machine.worker.engine) == size
        costs.append(len(seen))
    # The first wave also reads the workflow's graph; and of an event that comes alone it is asked
    # first whether anybody hears it, on SQLite in a statement of its own.
    assert costs[0] - 3 <= costs[1] <= costs[0]
