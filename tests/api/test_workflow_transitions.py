"""Edges between steps: what may be connected, and how branches are spelled."""

from __future__ import annotations

from typing import Any

import pytest

from tests.factories import step, workflow

NOBODY = "00000000-0000-0000-0000-000000000000"
STEPS: dict[str, tuple[str, dict[str, Any]]] = {
    "if": ("CONDITION", {"field": "data.plan", "operator": "exists"}),
    "wait": ("WAIT_FOR_EVENT", {"eventName": "paid", "timeout": 60}),
    "delay": ("DELAY", {"amount": 1, "unit": "days"}),
    "end": ("EXIT", {}),
    "stop": ("EXIT", {}),
    "last": ("EXIT", {}),
}


@pytest.fixture
def drawing(api: Any) -> dict[str, Any]:
    """Return a workflow of loose steps, and their ids by name."""
    flow = workflow(api)
    ids = {name: step(api, flow, *kind, connect=False) for name, kind in STEPS.items()}
    return {"flow": flow, "start": flow["steps"][0]["id"], "nobody": NOBODY, **ids}


def connect(api: Any, drawing: dict[str, Any], start: str, end: str, **fields: Any) -> Any:
    body = {"fromStepId": drawing[start], "toStepId": drawing[end], **fields}
    return api.post(f"/workflows/{drawing['flow']['id']}/transitions", body)


def ways(api: Any, drawing: dict[str, Any]) -> int:
    steps = api.get(f"/workflows/{drawing['flow']['id']}").json["steps"]
    return sum(len(one["outgoingTransitions"]) for one in steps)


def named_id(drawing: dict[str, Any], key: str, value: Any) -> Any:
    return drawing.get(value, value) if key.endswith("StepId") else value


@pytest.mark.parametrize(
    ("start", "fields", "condition", "outcome"),
    [
        ("start", {}, None, None),
        ("start", {"condition": None, "priority": 4, "branch": None}, None, None),
        ("if", {"branch": "yes"}, {"branch": "yes"}, None),
        ("if", {"condition": {"branch": "no"}}, {"branch": "no"}, None),
        ("if", {"branch": "no", "condition": {"note": 1}}, {"note": 1, "branch": "no"}, None),
        ("if", {}, None, None),
        ("wait", {}, None, None),
        ("wait", {"waitOutcome": "EVENT"}, None, "EVENT"),
        ("wait", {"waitOutcome": "TIMEOUT"}, None, "TIMEOUT"),
        ("wait", {"branch": "timeout"}, {"branch": "timeout"}, "TIMEOUT"),
        ("wait", {"condition": {"fallback": True}}, {"fallback": True}, "TIMEOUT"),
        ("wait", {"condition": {"branch": "event"}}, {"branch": "event"}, "EVENT"),
    ],
)
def test_connecting(
    api: Any,
    drawing: dict[str, Any],
    start: str,
    fields: dict[str, Any],
    condition: Any,
    outcome: str | None,
) -> None:
    answer = connect(api, drawing, start, "end", **fields)
    assert answer.status_code == 201, answer.text
    assert answer.json.keys() == {
        "id",
        "fromStepId",
        "toStepId",
        "condition",
        "priority",
        "waitOutcome",
        "createdAt",
        "updatedAt",
    }
    assert (answer.json["condition"], answer.json["waitOutcome"]) == (condition, outcome)
    assert answer.json["priority"] == fields.get("priority", 0)


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({}, 400),
        ({"fromStepId": "start"}, 400),
        ({"toStepId": "end"}, 400),
        ({"fromStepId": None, "toStepId": "end"}, 400),
        ({"fromStepId": 5, "toStepId": "end"}, 422),
        ({"fromStepId": "start", "toStepId": "start"}, 400),
        ({"fromStepId": "nobody", "toStepId": "nobody"}, 400),
        ({"fromStepId": "start", "toStepId": "nobody"}, 404),
        ({"fromStepId": "nobody", "toStepId": "end"}, 404),
        ({"fromStepId": "end", "toStepId": "nobody"}, 404),
        ({"fromStepId": "end", "toStepId": "delay"}, 400),
        ({"fromStepId": "start", "toStepId": "end", "condition": "yes"}, 422),
        ({"fromStepId": "start", "toStepId": "end", "branch": 1}, 422),
        ({"fromStepId": "start", "toStepId": "end", "branch": "yes"}, 400),
        ({"fromStepId": "start", "toStepId": "end", "priority": -1}, 422),
        ({"fromStepId": "start", "toStepId": "end", "priority": "first"}, 422),
        ({"fromStepId": "start", "toStepId": "end", "waitOutcome": "NEVER"}, 422),
        ({"fromStepId": "start", "toStepId": "end", "waitOutcome": "EVENT"}, 400),
        ({"fromStepId": "start", "toStepId": "end", "expectedRevision": 1}, 409),
    ],
)
def test_connecting_refuses(
    api: Any, drawing: dict[str, Any], body: dict[str, Any], status: int
) -> None:
    named = {key: named_id(drawing, key, value) for key, value in body.items()}
    answer = api.post(f"/workflows/{drawing['flow']['id']}/transitions", named)
    assert answer.status_code == status, answer.text
    assert ways(api, drawing) == 0


@pytest.mark.parametrize(
    ("start", "first", "second", "status"),
    [
        ("start", {}, {}, 400),
        ("delay", {}, {"condition": {"branch": "no"}}, 400),
        ("if", {"branch": "yes"}, {"branch": "yes"}, 400),
        ("if", {"branch": "yes"}, {"condition": {"branch": "yes"}}, 400),
        ("if", {"branch": "yes"}, {"branch": "no"}, 201),
        ("if", {"branch": "yes"}, {}, 201),
        ("if", {}, {}, 400),
        ("wait", {}, {}, 400),
        ("wait", {"waitOutcome": "EVENT"}, {"waitOutcome": "TIMEOUT"}, 201),
        ("wait", {"waitOutcome": "EVENT"}, {"waitOutcome": "EVENT"}, 400),
        ("wait", {"waitOutcome": "EVENT"}, {"branch": "yes"}, 400),
        ("wait", {}, {"branch": "timeout"}, 201),
        ("wait", {"condition": {"fallback": True}}, {"branch": "no"}, 400),
    ],
)
def test_a_second_edge(
    api: Any,
    drawing: dict[str, Any],
    start: str,
    first: dict[str, Any],
    second: dict[str, Any],
    status: int,
) -> None:
    assert connect(api, drawing, start, "end", **first).status_code == 201
    answer = connect(api, drawing, start, "stop", **second)
    assert answer.status_code == status, answer.text


def test_a_wait_has_no_third_edge(api: Any, drawing: dict[str, Any]) -> None:
    assert connect(api, drawing, "wait", "end", waitOutcome="EVENT").status_code == 201
    assert connect(api, drawing, "wait", "stop", waitOutcome="TIMEOUT").status_code == 201
    assert connect(api, drawing, "wait", "last").status_code == 400


def test_branches_may_meet_but_not_go_round(api: Any, drawing: dict[str, Any]) -> None:
    assert connect(api, drawing, "start", "if").status_code == 201
    assert connect(api, drawing, "if", "delay", branch="yes").status_code == 201
    assert connect(api, drawing, "if", "wait", branch="no").status_code == 201
    assert connect(api, drawing, "delay", "wait").status_code == 201
    answer = connect(api, drawing, "wait", "if")
    assert answer.status_code == 400
    assert "cycle" in answer.json["error"]["message"]
    assert connect(api, drawing, "wait", "end").status_code == 201


def test_disconnecting_removes_the_edge_only(api: Any, drawing: dict[str, Any]) -> None:
    way = connect(api, drawing, "start", "delay").json
    path = f"/workflows/{drawing['flow']['id']}/transitions/{way['id']}"
    assert api.delete(f"{path}?expectedRevision=1").status_code == 409
    assert api.delete(path).status_code == 204
    assert api.delete(path).status_code == 404
    assert ways(api, drawing) == 0
    assert len(api.get(f"/workflows/{drawing['flow']['id']}").json["steps"]) == 7
