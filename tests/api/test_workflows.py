"""Workflows: created, listed, changed, copied and deleted."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session, sessionmaker

from plunk.clock import ManualClock
from plunk.models import Email, Event, Execution, Revision, Step, Trigger, Workflow
from tests.factories import Machine, edge, only_run, runs, step, template, track, workflow

DELAY = ("DELAY", {"amount": 1, "unit": "days"})
WORKFLOW = {
    "id",
    "projectId",
    "name",
    "description",
    "enabled",
    "triggerType",
    "triggerConfig",
    "allowReentry",
    "stops",
    "goals",
    "timezone",
    "quietHours",
    "revision",
    "createdAt",
    "updatedAt",
}


def new(api: Any, name: str = "Flow", **fields: Any) -> dict[str, Any]:
    answer = api.post("/workflows", {"name": name, "eventName": "go", **fields})
    assert answer.status_code == 201, answer.text
    return dict(answer.json)


def test_creating_makes_a_trigger_step(api: Any) -> None:
    made = new(api, "Trial", eventName="  trial_started ", description="Nurture")
    assert made.keys() == WORKFLOW
    assert made["triggerConfig"] == {"eventName": "trial_started"}
    assert (made["triggerType"], made["enabled"], made["allowReentry"]) == ("EVENT", False, False)
    assert made["revision"] == 1
    (trigger,) = api.get(f"/workflows/{made['id']}").json["steps"]
    assert trigger["name"] == "Trigger: trial_started"
    assert trigger["config"] == {"eventName": "trial_started"}
    assert trigger["position"] == {"x": 100, "y": 100}
    assert trigger["template"] is None


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"eventName": "go"}, 400),
        ({"name": "", "eventName": "go"}, 400),
        ({"name": None, "eventName": "go"}, 400),
        ({"name": "Flow"}, 400),
        ({"name": "Flow", "eventName": "   "}, 400),
        ({"name": 5, "eventName": "go"}, 422),
        ({"name": "Flow", "eventName": ["go"]}, 422),
        ({"name": "x" * 101, "eventName": "go"}, 422),
        ({"name": "Flow", "eventName": "x" * 256}, 422),
        ({"name": "Flow", "eventName": "go", "description": "x" * 501}, 422),
        ({"name": "Flow", "eventName": "go", "enabled": "yes"}, 422),
        ({"name": "Flow", "eventName": "go", "allowReentry": 1}, 422),
        ([], 422),
    ],
)
def test_creating_refuses(api: Any, body: Any, status: int) -> None:
    answer = api.post("/workflows", body)
    assert answer.status_code == status, answer.text
    assert answer.json["error"]["statusCode"] == status
    assert api.get("/workflows").json["total"] == 0


def test_a_long_event_name_is_cut_in_the_name_of_the_step(api: Any) -> None:
    made = new(api, eventName="e" * 255)
    (trigger,) = api.get(f"/workflows/{made['id']}").json["steps"]
    assert len(trigger["name"]) == 100


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("", ["Gamma", "beta", "Alpha"]),
        ("?sort=createdAt&dir=asc", ["Alpha", "beta", "Gamma"]),
        ("?sort=name&dir=asc", ["Alpha", "beta", "Gamma"]),
        ("?sort=name", ["Gamma", "beta", "Alpha"]),
        ("?sort=steps", ["beta", "Gamma", "Alpha"]),
        ("?sort=nonsense&dir=sideways", ["Gamma", "beta", "Alpha"]),
        ("?search=BET", ["beta"]),
        ("?search=greek", ["Gamma"]),
        ("?search=%25", []),
        ("?status=active", ["beta"]),
        ("?status=disabled", ["Gamma", "Alpha"]),
        ("?status=odd", ["Gamma", "beta", "Alpha"]),
        ("?pageSize=2", ["Gamma", "beta"]),
        ("?pageSize=2&page=2", ["Alpha"]),
        ("?pageSize=2&page=9", []),
        ("?pageSize=-5&page=zero", ["Gamma"]),
    ],
)
def test_listing(api: Any, clock: ManualClock, query: str, names: list[str]) -> None:
    fields: dict[str, dict[str, Any]] = {
        "Alpha": {},
        "beta": {"enabled": True},
        "Gamma": {"description": "Third Greek letter"},
    }
    for name, more in fields.items():
        made = new(api, name, **more)
        if name == "beta":
            step(api, made, *DELAY)
        clock.move_to(clock.now().replace(minute=clock.now().minute + 1))
    listed = api.get(f"/workflows{query}").json["data"]
    assert [one["name"] for one in listed] == names


def test_a_page_says_how_large_everything_is(api: Any) -> None:
    flow = workflow(api, DELAY)
    track(api)
    answer = api.get("/workflows").json
    assert {key: answer[key] for key in answer if key != "data"} == {
        "total": 1,
        "page": 1,
        "pageSize": 20,
        "totalPages": 1,
    }
    assert answer["data"][0]["_count"] == {"steps": 2, "executions": 1}
    assert answer["data"][0].keys() == WORKFLOW | {"_count"}
    assert answer["data"][0]["id"] == flow["id"]


def test_showing_the_graph(api: Any) -> None:
    letter = template(api, "Letter")
    flow = workflow(api, DELAY, ("SEND_EMAIL", {"templateId": letter}))
    trigger, delay, mail = flow["steps"]
    assert [one["type"] for one in flow["steps"]] == ["TRIGGER", "DELAY", "SEND_EMAIL"]
    assert trigger["outgoingTransitions"] == delay["incomingTransitions"]
    assert delay["outgoingTransitions"] == mail["incomingTransitions"]
    assert mail["template"] == {"id": letter, "name": "Letter"}
    assert mail["templateId"] == mail["config"]["templateId"] == letter
    (way,) = delay["outgoingTransitions"]
    assert (way["fromStepId"], way["toStepId"]) == (delay["id"], mail["id"])
    assert (way["condition"], way["priority"], way["waitOutcome"]) == (None, 0, None)


def test_edges_are_shown_in_the_order_of_trying_them(api: Any) -> None:
    flow = workflow(api, ("CONDITION", {"field": "data.plan", "operator": "exists"}))
    ends = [step(api, flow, "EXIT", {}, connect=False) for _ in range(3)]
    start = flow["steps"][1]["id"]
    for end, branch, priority in zip(ends, ("yes", "no", "maybe"), (2, 0, 1), strict=True):
        edge(api, flow, start, end, branch=branch, priority=priority)
    shown = api.get(f"/workflows/{flow['id']}").json["steps"][1]["outgoingTransitions"]
    assert [way["condition"]["branch"] for way in shown] == ["no", "maybe", "yes"]


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"name": "New"}, {"name": "New"}),
        ({"description": "Why"}, {"description": "Why"}),
        ({"description": None}, {"description": None}),
        ({"enabled": True}, {"enabled": True}),
        ({"allowReentry": True}, {"allowReentry": True}),
        ({"triggerType": "MANUAL"}, {"triggerType": "MANUAL"}),
        ({"triggerConfig": None}, {"triggerConfig": None}),
        ({"triggerConfig": {"eventName": "stop"}}, {"triggerConfig": {"eventName": "stop"}}),
        ({"eventName": " stop "}, {"triggerConfig": {"eventName": "stop"}}),
        ({}, {}),
        ({"unknown": 1}, {}),
    ],
)
def test_changing(api: Any, change: dict[str, Any], expected: dict[str, Any]) -> None:
    made = new(api, description="Old")
    changed = api.patch(f"/workflows/{made['id']}", change)
    assert changed.status_code == 200
    assert changed.json["project"] == {"name": "Acme"}
    shown = {key: value for key, value in changed.json.items() if key != "project"}
    structural = bool(expected) and "enabled" not in expected
    assert shown == made | expected | {"revision": 1 + structural}


@pytest.mark.parametrize(
    "change",
    [
        {"name": ""},
        {"name": None},
        {"name": "x" * 101},
        {"description": 5},
        {"triggerType": "CRON"},
        {"triggerConfig": "go"},
        {"triggerConfig": {"eventName": 5}},
        {"triggerConfig": {"triggers": "all"}},
        {"triggerConfig": {"triggers": [5]}},
        {"triggerConfig": {"triggers": [{"type": "event"}]}},
        {"triggerConfig": {"junk": "x" * 70_000}},
        {"eventName": ""},
        {"enabled": None},
        {"allowReentry": "no"},
        {"expectedRevision": "1"},
    ],
)
def test_changing_refuses(api: Any, change: dict[str, Any]) -> None:
    made = new(api)
    answer = api.patch(f"/workflows/{made['id']}", change)
    assert answer.status_code == 422, answer.text
    assert api.get(f"/workflows/{made['id']}").json["revision"] == 1


def test_a_condition_that_cannot_be_read_is_no_trigger(api: Any) -> None:
    made = new(api)
    where = {"logic": "AND", "groups": []}
    config = {"triggers": [{"type": "event", "eventName": "go", "where": where}]}
    answer = api.patch(f"/workflows/{made['id']}", {"triggerConfig": config})
    assert answer.status_code == 400
    assert api.get(f"/workflows/{made['id']}").json["triggerConfig"] == {"eventName": "go"}


def test_a_new_event_renames_the_trigger_step_and_is_listened_for(api: Any) -> None:
    flow = workflow(api, DELAY, event="go")
    api.patch(f"/workflows/{flow['id']}", {"eventName": "email.clicked"})
    trigger = api.get(f"/workflows/{flow['id']}").json["steps"][0]
    assert trigger["name"] == "Trigger: email.clicked"
    assert trigger["config"] == {"eventName": "email.clicked"}
    track(api, "go")
    assert runs(api, flow) == []


def test_only_event_workflows_listen(api: Any) -> None:
    flow = workflow(api, DELAY)
    api.patch(f"/workflows/{flow['id']}", {"triggerType": "MANUAL"})
    track(api)
    assert runs(api, flow) == []
    api.patch(f"/workflows/{flow['id']}", {"triggerType": "EVENT"})
    track(api)
    assert len(runs(api, flow)) == 1


def test_several_triggers_with_a_condition(api: Any, sessions: sessionmaker[Session]) -> None:
    flow = workflow(api, DELAY)
    where = {
        "logic": "AND",
        "groups": [{"filters": [{"field": "event.plan", "operator": "equals", "value": "pro"}]}],
    }
    config = {
        "eventName": "go",
        "triggers": [
            {"type": "event", "eventName": "go", "where": where},
            {"type": "event", "eventName": "email.opened", "where": None},
            {"type": "manual"},
        ],
    }
    answer = api.patch(f"/workflows/{flow['id']}", {"triggerConfig": config})
    assert answer.json["triggerConfig"] == config
    with sessions() as session:
        stored = session.execute(
            select(Trigger.event_name, Trigger.condition).order_by(Trigger.event_name)
        ).all()
    assert [tuple(row) for row in stored] == [("email.open", None), ("go", where)]
    track(api, data={"plan": "free"})
    assert runs(api, flow) == []
    track(api, data={"plan": "pro"})
    assert len(runs(api, flow)) == 1


def test_each_change_of_structure_is_a_revision(api: Any, sessions: sessionmaker[Session]) -> None:
    flow = workflow(api, DELAY, ("EXIT", {"reason": "done"}))
    path = f"/workflows/{flow['id']}"
    api.patch(path, {"enabled": False})
    api.patch(path, {"name": "Flow"})
    api.patch(f"{path}/steps/{flow['steps'][1]['id']}", {"position": {"x": 5, "y": 5}})
    api.delete(f"{path}/steps/{flow['steps'][1]['id']}?splice=true")
    with sessions() as session:
        kept = session.scalars(select(Revision).order_by(Revision.number)).all()
    assert [one.number for one in kept] == [1, 2, 3, 4]
    first, *_, last = (one.graph for one in kept)
    assert [len(one.graph["steps"]) for one in kept] == [1, 2, 3, 2]
    assert first["transitions"] == []
    trigger, leave = last["steps"]
    members = {"workflowId", "revision", "name", "dialect", "headers", "steps", "transitions"}
    assert last.keys() == members
    assert (last["workflowId"], last["revision"], last["name"]) == (flow["id"], 4, "Flow")
    assert leave == {
        "id": flow["steps"][2]["id"],
        "type": "EXIT",
        "name": "Exit",
        "label": None,
        "config": {"reason": "done"},
        "templateId": None,
    }
    (way,) = last["transitions"]
    assert way | {"id": ""} == {
        "id": "",
        "fromStepId": trigger["id"],
        "toStepId": leave["id"],
        "condition": None,
        "priority": 0,
        "waitOutcome": None,
    }


def test_deleting_takes_everything_along(
    api: Any, machine: Machine, sessions: sessionmaker[Session]
) -> None:
    flow = workflow(api, ("SEND_EMAIL", {"templateId": template(api)}))
    track(api)
    machine.settle()
    with sessions() as session:
        told = select(Event.id).where(Event.email_id.is_not(None))
        assert session.scalars(told).all()
        assert session.scalars(select(Email.id)).all()
    assert only_run(api, flow)["status"] == "COMPLETED"
    assert api.delete(f"/workflows/{flow['id']}").status_code == 204
    assert api.get(f"/workflows/{flow['id']}").status_code == 404
    with sessions() as session:
        for table in (Workflow, Step, Execution, Email, Revision, Trigger):
            assert session.scalars(select(table)).all() == []
        assert session.scalars(told).all() == []
        assert session.scalars(select(Event.id)).all()


@pytest.mark.parametrize("enabled", [True, False])
def test_deleting_waits_for_active_runs_unless_forced(api: Any, *, enabled: bool) -> None:
    flow = workflow(api, DELAY)
    track(api)
    api.patch(f"/workflows/{flow['id']}", {"enabled": enabled})
    refused = api.delete(f"/workflows/{flow['id']}")
    assert (refused.status_code, refused.json["error"]["code"]) == (409, "CONFLICT")
    assert api.delete(f"/workflows/{flow['id']}?force=1").status_code == 409
    assert api.delete(f"/workflows/{flow['id']}?force=true").status_code == 204


def test_deleting_many_is_all_or_nothing(api: Any, stranger_api: Any) -> None:
    flows = [new(api, f"Flow {number}")["id"] for number in range(3)]
    foreign = new(stranger_api)["id"]
    busy = workflow(api, DELAY)["id"]
    track(api)
    bulk = "/workflows/bulk-update"
    assert api.post(bulk, {"ids": [*flows, foreign], "delete": True}).status_code == 404
    assert api.post(bulk, {"ids": [*flows, busy], "delete": True}).status_code == 409
    assert api.post(bulk, {"ids": flows}).json == {"updated": 0}
    assert api.get("/workflows").json["total"] == 4
    answer = api.post(bulk, {"ids": [*flows, flows[0], flows[1].upper()], "delete": True})
    assert (answer.status_code, answer.json) == (200, {"deleted": 3})
    assert [one["id"] for one in api.get("/workflows").json["data"]] == [busy]


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"ids": []},
        {"ids": "all"},
        {"ids": ["not an id"], "delete": True},
        {"ids": ["00000000-0000-0000-0000-000000000000"] * 1001, "delete": True},
        {"ids": ["00000000-0000-0000-0000-000000000000"], "delete": "true"},
    ],
)
def test_deleting_many_refuses(api: Any, body: dict[str, Any]) -> None:
    assert api.post("/workflows/bulk-update", body).status_code == 422


def test_a_copy_has_the_same_graph_and_nobody_in_it(api: Any) -> None:
    letter = template(api)
    flow = workflow(
        api,
        ("CONDITION", {"field": "data.plan", "operator": "exists"}),
        ("SEND_EMAIL", {"templateId": letter}),
        name="n" * 100,
        description="Why",
        allowReentry=True,
    )
    leave = step(api, flow, "EXIT", {}, connect=False)
    edge(api, flow, flow["steps"][1]["id"], leave, branch="no", priority=3)
    track(api)
    answer = api.post(f"/workflows/{flow['id']}/duplicate")
    assert answer.status_code == 201
    assert answer.json.keys() == WORKFLOW
    assert answer.json["name"] == "n" * 93 + " (Copy)"
    assert (answer.json["enabled"], answer.json["allowReentry"]) == (False, True)
    assert answer.json["description"] == "Why"
    original = api.get(f"/workflows/{flow['id']}").json
    copy = api.get(f"/workflows/{answer.json['id']}").json
    assert shape(copy) == shape(original)
    assert not {one["id"] for one in copy["steps"]} & {one["id"] for one in original["steps"]}
    assert runs(api, copy) == []


def shape(flow: dict[str, Any]) -> list[Any]:
    places = {one["id"]: place for place, one in enumerate(flow["steps"])}
    return [
        (
            one["type"],
            one["name"],
            one["config"],
            one["templateId"],
            one["position"],
            [
                (places[way["toStepId"]], way["condition"], way["priority"])
                for way in one["outgoingTransitions"]
            ],
        )
        for one in flow["steps"]
    ]


def test_fields_are_found_in_contacts_and_events(api: Any, stranger_api: Any) -> None:
    data = {"plan": "pro", "age": 5, "vip": True, "since": "2026-01-31", "mixed": 1, "tags": ["a"]}
    track(api, "bought", "a@example.org", data=data)
    other = {"mixed": "x", "since": "2026-01-31T10:00:00Z", "when": "2026-01-31 or so"}
    track(api, "left", "b@example.org", data=other)
    track(stranger_api, "bought", "c@example.org", data={"secret": 1})
    answer = api.get("/workflows/fields").json
    types = {one["field"]: (one["type"], one["category"]) for one in answer["typedFields"]}
    contact, custom, event = "Contact Fields", "Custom Data", "Event Data"
    assert types == {
        "contact.createdAt": ("date", contact),
        "contact.data.age": ("number", custom),
        "contact.data.mixed": ("string", custom),
        "contact.data.plan": ("string", custom),
        "contact.data.since": ("date", custom),
        "contact.data.tags": ("string", custom),
        "contact.data.vip": ("boolean", custom),
        "contact.data.when": ("string", custom),
        "contact.email": ("string", contact),
        "contact.subscribed": ("boolean", contact),
        "contact.updatedAt": ("date", contact),
        "event.age": ("string", event),
        "event.mixed": ("string", event),
        "event.plan": ("string", event),
        "event.since": ("string", event),
        "event.tags": ("string", event),
        "event.vip": ("string", event),
        "event.when": ("string", event),
    }
    assert answer["fields"] == [one["field"] for one in answer["typedFields"]] == list(types)
    assert answer["count"] == len(types)
    only = api.get("/workflows/fields?eventName=left").json["fields"]
    assert [name for name in only if name.startswith("event.")] == [
        "event.mixed",
        "event.since",
        "event.when",
    ]
