"""Conditions inside workflows: as trees or as text, about things of the project only."""

from __future__ import annotations

from typing import Any

import pytest

from tests.factories import runs, step, template, track, workflow

PRO = {
    "logic": "AND",
    "groups": [{"filters": [{"field": "contact.data.plan", "operator": "equals", "value": "pro"}]}],
}
TEXT = 'contact.data.plan == "pro"'
DAY = ("DELAY", {"amount": 1, "unit": "days"})
NOBODY = "01890000-0000-7000-8000-000000000000"


def stored(api: Any, flow: Any) -> Any:
    return api.get(f"/workflows/{flow['id']}").json


def add(api: Any, flow: Any, type_: str, config: Any) -> Any:
    body = {"type": type_, "name": "s", "position": {"x": 0, "y": 0}, "config": config}
    return api.post(f"/workflows/{flow['id']}/steps", body)


@pytest.mark.parametrize(
    ("type_", "config", "key"),
    [
        ("CONDITION", {"mode": "expression", "condition": TEXT}, "condition"),
        ("CONDITION", {"condition": TEXT}, "condition"),
        ("WAIT_FOR_EVENT", {"eventName": "paid", "where": TEXT}, "where"),
        ("WAIT_FOR_EVENT", {"condition": TEXT, "timeout": 60}, "condition"),
    ],
)
def test_steps_take_text(api: Any, type_: str, config: Any, key: str) -> None:
    flow = workflow(api)
    added = add(api, flow, type_, config)
    assert added.status_code == 201, added.text
    assert added.json["config"][key] == PRO
    changed = api.patch(
        f"/workflows/{flow['id']}/steps/{added.json['id']}",
        {"config": {**config, key: "not contact.subscribed"}},
    )
    assert "not" in changed.json["config"][key]


def test_a_step_made_of_text_decides(api: Any, machine: Any) -> None:
    flow = workflow(api, ("CONDITION", {"condition": TEXT}), DAY)
    track(api, data={"plan": "pro"})
    machine.settle()
    (run,) = runs(api, flow)
    asked = next(one for one in run["stepExecutions"] if one["step"]["type"] == "CONDITION")
    assert asked["output"]["branch"] == "yes"


def test_headers_and_triggers_take_text(api: Any) -> None:
    flow = workflow(api, DAY)
    answer = api.patch(
        f"/workflows/{flow['id']}",
        {
            "stops": [{"eventName": "gone", "where": "event.really"}, {"condition": TEXT}],
            "goals": [{"name": "Paid", "condition": TEXT}],
            "triggerConfig": {
                "eventName": "go",
                "triggers": [{"type": "event", "eventName": "go", "where": TEXT}],
            },
        },
    )
    assert answer.status_code == 200, answer.text
    shown = stored(api, flow)
    assert shown["stops"][1]["condition"] == shown["goals"][0]["condition"] == PRO
    assert shown["triggerConfig"]["triggers"][0]["where"] == PRO
    created = api.post(
        "/workflows", {"name": "New", "eventName": "go", "stops": [{"condition": TEXT}]}
    )
    assert stored(api, created.json)["stops"] == [{"condition": PRO}]


def test_texts_name_segments_and_templates(api: Any) -> None:
    vip = api.post("/segments", {"name": "VIP", "type": "STATIC"}).json["id"]
    hello = template(api, "Hello")
    flow = workflow(api)
    text = 'contact in segment "VIP" and not opened "Hello"'
    config = add(api, flow, "CONDITION", {"condition": text}).json["config"]
    filters = str(config)
    assert f"segment.{vip}" in filters
    assert hello in filters


@pytest.mark.parametrize(
    ("type_", "config", "status", "told"),
    [
        ("CONDITION", {"condition": "contact.data.plan =="}, 422, "1:21"),
        ("CONDITION", {"condition": 'contact in segment "Nobody"'}, 400, "Nobody"),
        ("CONDITION", {"mode": "expression", "condition": {"logic": "XOR"}}, 400, "logic"),
        ("CONDITION", {"field": f"segment.{NOBODY}", "operator": "memberOfSegment"}, 400, NOBODY),
        ("CONDITION", {"field": "segment.vip", "operator": "memberOfSegment"}, 400, "vip"),
        ("WAIT_FOR_EVENT", {"eventName": "x", "where": "event.x =="}, 422, "1:"),
        ("WAIT_FOR_EVENT", {"eventName": "x", "where": {"groups": 1}}, 400, "needs logic"),
        ("SEGMENT", {"action": "add", "segmentId": NOBODY}, 404, "SEGMENT_NOT_FOUND"),
        ("WEBHOOK", {"url": "https://a.example", "retry": {"attempts": "x"}}, 400, "attempts"),
        ("WEBHOOK", {"url": "https://a.example", "as": "contact"}, 400, "contact"),
        ("EXIT", {"reason": {"$expr": ["+", 1]}}, 400, "not an expression"),
        ("UPDATE_CONTACT", {"updates": {"a": {"$expr": ["call", "secret", "K"]}}}, 400, "secret"),
        ("UPDATE_CONTACT", {"updates": {"a": {"$expr": ["call", "fly"]}}}, 400, "expression"),
        ("TRACK", {"eventName": "x", "data": {"a": {"$expr": {"b": 1}}}}, 400, "expression"),
    ],
)
def test_what_cannot_be_asked_is_refused(
    api: Any, type_: str, config: Any, status: int, told: str
) -> None:
    flow = workflow(api)
    answer = add(api, flow, type_, config)
    assert (answer.status_code, told in answer.text) == (status, True), answer.text
    assert len(stored(api, flow)["steps"]) == 1


def test_nobody_elses_segments_can_be_asked_about(api: Any, stranger_api: Any) -> None:
    theirs = stranger_api.post("/segments", {"name": "VIP", "type": "STATIC"}).json["id"]
    asked = {"field": f"segment.{theirs}", "operator": "memberOfSegment"}
    tree = {"logic": "AND", "groups": [{"filters": [asked]}]}
    flow = workflow(api)
    assert add(api, flow, "SEGMENT", {"action": "add", "segmentId": theirs}).status_code == 404
    assert add(api, flow, "CONDITION", asked).status_code == 400
    assert add(api, flow, "CONDITION", {"condition": tree, "mode": "expression"}).status_code == 400
    stops = api.patch(f"/workflows/{flow['id']}", {"stops": [{"condition": tree}]})
    assert (stops.status_code, theirs in stops.text) == (400, True)


def test_a_segment_with_a_condition_takes_nobody_in(api: Any) -> None:
    made = api.post("/segments", {"name": "Pro", "type": "DYNAMIC", "condition": TEXT_OF_SEGMENT})
    flow = workflow(api)
    answer = add(api, flow, "SEGMENT", {"action": "add", "segmentId": made.json["id"]})
    assert (answer.status_code, "STATIC" in answer.text) == (400, True)


TEXT_OF_SEGMENT = 'data.plan == "pro"'
ODD = [{}, [], 5, True, None, {"a": 1}, ["equals"], "", "nonsense", "memberOfSegment"]


@pytest.mark.parametrize("operator", ODD, ids=repr)
@pytest.mark.parametrize("field", ["data.x", {}, 5, None], ids=repr)
def test_nothing_that_is_stored_breaks_its_text(api: Any, operator: Any, field: Any) -> None:
    comparison = {"field": field, "operator": operator, "value": 1}
    tree = {"logic": "AND", "groups": [{"filters": [comparison]}]}
    flow = workflow(api, DAY)
    for config in (comparison, {"mode": "expression", "condition": tree}):
        assert add(api, flow, "CONDITION", config).status_code in {201, 400}
    assert api.post("/segments", {"name": "S", "condition": tree}).status_code in {201, 400}
    path = f"/workflows/{flow['id']}/flow"
    shown = api.get(path)
    assert shown.status_code == 200, shown.text
    again = api.put(path, {"source": shown.json["flow"]})
    assert again.json["workflows"][0]["status"] == "unchanged", shown.json["flow"]


def test_a_time_zone_is_a_field_of_the_contact(api: Any) -> None:
    flow = workflow(api, DAY)
    for odd in (["call", "secret", "TOK"], ["get", "event", "zone"], "zone", ["get", "contact"]):
        answer = api.patch(f"/workflows/{flow['id']}", {"timezone": {"field": {"$expr": odd}}})
        assert (answer.status_code, "timezone.field" in answer.text) == (400, True), answer.text
    assert step(api, flow, *DAY)
