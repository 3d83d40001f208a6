"""Steps of workflows: added, put between others, changed and removed."""

from __future__ import annotations

from typing import Any

import pytest

from tests.factories import Machine, edge, only_run, step, template, track, visited, workflow

DELAY: tuple[str, dict[str, Any]] = ("DELAY", {"amount": 1, "unit": "days"})
EXIT: tuple[str, dict[str, Any]] = ("EXIT", {})
CONDITION: tuple[str, dict[str, Any]] = (
    "CONDITION",
    {"field": "data.plan", "operator": "equals", "value": "pro"},
)
MULTI: tuple[str, dict[str, Any]] = (
    "CONDITION",
    {
        "mode": "multi",
        "field": "data.plan",
        "branches": [{"id": "b-1", "name": "Pro", "operator": "equals", "value": "pro"}],
    },
)
WAIT: tuple[str, dict[str, Any]] = ("WAIT_FOR_EVENT", {"eventName": "paid", "timeout": 60})
STEP = {
    "id",
    "workflowId",
    "type",
    "name",
    "position",
    "config",
    "templateId",
    "createdAt",
    "updatedAt",
}
NOBODY = "00000000-0000-0000-0000-000000000000"


def draft(**fields: Any) -> dict[str, Any]:
    return {"type": "EXIT", "name": "End", "position": {"x": 1, "y": 2}, "config": {}, **fields}


def graph(api: Any, flow: dict[str, Any]) -> list[tuple[str, str, object]]:
    """Return the edges as (type from, type to, branch)."""
    steps = api.get(f"/workflows/{flow['id']}").json["steps"]
    types = {one["id"]: one["type"] for one in steps}
    return [
        (one["type"], types[way["toStepId"]], (way["condition"] or {}).get("branch"))
        for one in steps
        for way in one["outgoingTransitions"]
    ]


def names(api: Any, flow: dict[str, Any]) -> list[str]:
    return [one["type"] for one in api.get(f"/workflows/{flow['id']}").json["steps"]]


def test_adding_answers_the_bare_step(api: Any) -> None:
    flow = workflow(api)
    answer = api.post(f"/workflows/{flow['id']}/steps", draft(name="Bye", position=[1, {"a": 2}]))
    assert answer.status_code == 201
    assert answer.json.keys() == STEP
    assert answer.json["workflowId"] == flow["id"]
    assert (answer.json["type"], answer.json["name"]) == ("EXIT", "Bye")
    assert (answer.json["position"], answer.json["config"]) == ([1, {"a": 2}], {})


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"type": None}, 400),
        ({"name": ""}, 400),
        ({"name": None}, 400),
        ({"position": None}, 400),
        ({"position": 0}, 400),
        ({"config": None}, 400),
        ({"type": "TRIGGER"}, 400),
        ({"type": "NONSENSE"}, 422),
        ({"type": 5}, 422),
        ({"name": "x" * 101}, 422),
        ({"name": {"a": 1}}, 422),
        ({"config": "x"}, 422),
        ({"config": {"a": "x" * 70_000}}, 422),
        ({"position": ["x" * 3_000]}, 422),
        ({"position": [[[[[[[[[1]]]]]]]]]}, 422),
        ({"templateId": "nonsense"}, 422),
        ({"templateId": NOBODY}, 404),
        ({"autoConnect": "no"}, 422),
        ({"expectedRevision": 1.5}, 422),
        ({"expectedRevision": 7}, 409),
        ({"type": "SEND_EMAIL", "config": {"templateId": NOBODY}}, 404),
        ({"type": "SEND_EMAIL", "config": {"templateId": "nonsense"}}, 404),
        ({"type": "SEND_EMAIL", "config": {"templateId": 5}}, 422),
    ],
)
def test_adding_refuses(api: Any, change: dict[str, Any], status: int) -> None:
    flow = workflow(api)
    answer = api.post(f"/workflows/{flow['id']}/steps", draft(**change))
    assert answer.status_code == status, answer.text
    assert names(api, flow) == ["TRIGGER"]
    assert api.get(f"/workflows/{flow['id']}").json["revision"] == 1


@pytest.mark.parametrize("missing", ["type", "name", "position", "config"])
def test_adding_needs_four_things(api: Any, missing: str) -> None:
    flow = workflow(api)
    body = draft()
    del body[missing]
    answer = api.post(f"/workflows/{flow['id']}/steps", body)
    assert answer.status_code == 400
    assert missing in answer.json["error"]["message"]


@pytest.mark.parametrize(
    ("before", "edges"),
    [
        ([], [("TRIGGER", "DELAY", None)]),
        ([DELAY], [("TRIGGER", "DELAY", None), ("DELAY", "DELAY", None)]),
        ([WAIT], [("TRIGGER", "WAIT_FOR_EVENT", None), ("WAIT_FOR_EVENT", "DELAY", None)]),
        ([CONDITION], [("TRIGGER", "CONDITION", None), ("CONDITION", "DELAY", "yes")]),
        ([MULTI], [("TRIGGER", "CONDITION", None), ("CONDITION", "DELAY", "b-1")]),
        ([EXIT], [("TRIGGER", "EXIT", None)]),
    ],
)
def test_a_new_step_hangs_on_the_newest_loose_end(
    api: Any, before: list[Any], edges: list[Any]
) -> None:
    flow = workflow(api, *before)
    step(api, flow, *DELAY)
    assert graph(api, flow) == edges


def test_connecting_can_be_switched_off(api: Any) -> None:
    flow = workflow(api)
    step(api, flow, *DELAY, connect=False)
    assert graph(api, flow) == []


@pytest.mark.parametrize("place", ["top", "config", "both"])
def test_a_template_is_kept_in_both_places(api: Any, place: str) -> None:
    flow, letter = workflow(api), template(api)
    top = {"templateId": letter} if place != "config" else {}
    inside = {"templateId": letter} if place != "top" else {}
    body = draft(type="SEND_EMAIL", config={"recipient": {"type": "CONTACT"}, **inside}, **top)
    made = api.post(f"/workflows/{flow['id']}/steps", body).json
    assert made["templateId"] == letter
    assert made["config"] == {"recipient": {"type": "CONTACT"}, "templateId": letter}


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"templateId": "NEW"}, "NEW"),
        ({"config": {"templateId": "NEW"}}, "NEW"),
        ({"templateId": "NEW", "config": {"templateId": "OLD"}}, "NEW"),
        ({"config": {"other": 1}}, "OLD"),
        ({"config": {}, "templateId": None}, None),
        ({"templateId": None}, None),
        ({"config": {"templateId": None}}, None),
        ({"config": {"templateId": ""}}, None),
        ({"name": "Renamed"}, "OLD"),
    ],
)
def test_changing_the_template(api: Any, change: dict[str, Any], expected: str | None) -> None:
    ids = {"OLD": template(api, "Old"), "NEW": template(api, "New"), None: None, "": ""}
    flow = workflow(api, ("SEND_EMAIL", {"templateId": ids["OLD"]}))
    body = {key: ids[value] if key == "templateId" else value for key, value in change.items()}
    if "templateId" in body.get("config", {}):
        body["config"] = {"templateId": ids[change["config"]["templateId"]]}
    answer = api.patch(f"/workflows/{flow['id']}/steps/{flow['steps'][1]['id']}", body)
    assert answer.status_code == 200, answer.text
    assert answer.json.keys() == STEP
    assert answer.json["templateId"] == ids[expected]
    assert answer.json["config"].get("templateId") == ids[expected]


@pytest.mark.parametrize(
    ("change", "cuts"),
    [
        ({"name": "Later"}, True),
        ({"config": {"amount": 2, "unit": "days"}}, True),
        ({"config": {"amount": 1, "unit": "days"}}, False),
        ({"name": "Delay"}, False),
        ({"position": {"x": 9, "y": 9}}, False),
        ({}, False),
    ],
)
def test_changing(api: Any, change: dict[str, Any], *, cuts: bool) -> None:
    flow = workflow(api, DELAY)
    path = f"/workflows/{flow['id']}/steps/{flow['steps'][1]['id']}"
    answer = api.patch(path, change)
    assert answer.status_code == 200
    assert {key: answer.json[key] for key in change} == change
    assert api.get(f"/workflows/{flow['id']}").json["revision"] == flow["revision"] + cuts


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"name": ""}, 422),
        ({"name": None}, 422),
        ({"position": None}, 422),
        ({"config": None}, 422),
        ({"config": [1]}, 422),
        ({"templateId": 5}, 422),
        ({"templateId": NOBODY}, 404),
        ({"name": "x", "expectedRevision": 1}, 409),
    ],
)
def test_changing_refuses(api: Any, change: dict[str, Any], status: int) -> None:
    flow = workflow(api, DELAY)
    path = f"/workflows/{flow['id']}/steps/{flow['steps'][1]['id']}"
    assert api.patch(path, change).status_code == status
    assert api.get(f"/workflows/{flow['id']}").json["revision"] == flow["revision"]


def test_a_step_of_another_workflow_is_not_found(api: Any) -> None:
    flow, other = workflow(api, DELAY), workflow(api, DELAY)
    path = f"/workflows/{flow['id']}/steps/{other['steps'][1]['id']}"
    assert api.patch(path, {"name": "Mine"}).status_code == 404
    assert api.delete(path).status_code == 404


@pytest.mark.parametrize(
    ("inserted", "edges"),
    [
        (
            DELAY,
            [
                ("TRIGGER", "DELAY", None),
                ("CONDITION", "EXIT", "yes"),
                ("DELAY", "CONDITION", None),
            ],
        ),
        (
            CONDITION,
            [
                ("TRIGGER", "CONDITION", None),
                ("CONDITION", "EXIT", "yes"),
                ("CONDITION", "CONDITION", "yes"),
            ],
        ),
        (
            MULTI,
            [
                ("TRIGGER", "CONDITION", None),
                ("CONDITION", "EXIT", "yes"),
                ("CONDITION", "CONDITION", "b-1"),
            ],
        ),
        (
            WAIT,
            [
                ("TRIGGER", "WAIT_FOR_EVENT", None),
                ("CONDITION", "EXIT", "yes"),
                ("WAIT_FOR_EVENT", "CONDITION", None),
            ],
        ),
    ],
)
def test_putting_a_step_into_an_edge(api: Any, inserted: Any, edges: list[Any]) -> None:
    flow = workflow(api, CONDITION, EXIT)
    way = flow["steps"][0]["outgoingTransitions"][0]
    path = f"/workflows/{flow['id']}/transitions/{way['id']}/insert-step"
    answer = api.post(path, {"type": inserted[0], "name": "Between", "config": inserted[1]})
    assert answer.status_code == 201, answer.text
    assert answer.json.keys() == STEP
    assert answer.json["position"] == {"x": 0, "y": 0}
    assert graph(api, flow) == edges


def test_the_edge_keeps_its_branch_and_priority(api: Any) -> None:
    flow = workflow(api, CONDITION)
    leave = step(api, flow, *EXIT, connect=False)
    way = edge(api, flow, flow["steps"][1]["id"], leave, branch="no", priority=7)
    path = f"/workflows/{flow['id']}/transitions/{way['id']}/insert-step"
    made = api.post(path, {"type": "DELAY", "name": "Wait", "config": {}}).json
    shown = api.get(f"/workflows/{flow['id']}").json["steps"]
    (kept,) = shown[1]["outgoingTransitions"]
    assert kept | {"updatedAt": ""} == way | {"toStepId": made["id"], "updatedAt": ""}
    (onward,) = shown[3]["outgoingTransitions"]
    assert (onward["toStepId"], onward["condition"], onward["priority"]) == (leave, None, 0)


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"type": "TRIGGER"}, 400),
        ({"type": "EXIT"}, 400),
        ({"type": None}, 400),
        ({"name": ""}, 400),
        ({"config": None}, 400),
        ({"config": 5}, 422),
        ({"templateId": NOBODY}, 404),
        ({"expectedRevision": 1}, 409),
    ],
)
def test_putting_a_step_into_an_edge_refuses(api: Any, change: dict[str, Any], status: int) -> None:
    flow = workflow(api, DELAY)
    way = flow["steps"][0]["outgoingTransitions"][0]
    path = f"/workflows/{flow['id']}/transitions/{way['id']}/insert-step"
    body = {"type": "DELAY", "name": "Between", "config": {}, **change}
    assert api.post(path, body).status_code == status
    assert names(api, flow) == ["TRIGGER", "DELAY"]


def test_removing_one_step(api: Any) -> None:
    flow = workflow(api, DELAY, WAIT, EXIT)
    path = f"/workflows/{flow['id']}/steps/{flow['steps'][2]['id']}"
    assert api.delete(path).status_code == 204
    assert names(api, flow) == ["TRIGGER", "DELAY", "EXIT"]
    assert graph(api, flow) == [("TRIGGER", "DELAY", None)]
    assert api.delete(path).status_code == 404


@pytest.mark.parametrize(
    ("steps", "at", "edges"),
    [
        ([DELAY, EXIT], 1, [("TRIGGER", "EXIT", None)]),
        ([DELAY, EXIT], 2, [("TRIGGER", "DELAY", None)]),
        (
            [CONDITION, DELAY, EXIT],
            2,
            [("TRIGGER", "CONDITION", None), ("CONDITION", "EXIT", "yes")],
        ),
        ([WAIT, EXIT], 1, [("TRIGGER", "EXIT", None)]),
    ],
)
def test_splicing_a_step_out(api: Any, steps: list[Any], at: int, edges: list[Any]) -> None:
    flow = workflow(api, *steps)
    path = f"/workflows/{flow['id']}/steps/{flow['steps'][at]['id']}"
    assert api.delete(f"{path}?splice=true").status_code == 204
    assert graph(api, flow) == edges


def test_cascading_takes_only_what_hangs_on_the_step(api: Any) -> None:
    flow = workflow(api, CONDITION, DELAY, WAIT, EXIT)
    condition, delay, wait, leave = (one["id"] for one in flow["steps"][1:])
    aside = step(api, flow, "UPDATE_CONTACT", {"updates": {"a": 1}}, connect=False)
    edge(api, flow, condition, aside, branch="no")
    edge(api, flow, aside, leave)
    path = f"/workflows/{flow['id']}/steps"
    assert api.delete(f"{path}/{delay}?cascade=true").status_code == 204
    left = {one["id"] for one in api.get(f"/workflows/{flow['id']}").json["steps"]}
    assert not {delay, wait} & left
    assert {condition, aside, leave} <= left
    assert ("UPDATE_CONTACT", "EXIT", None) in graph(api, flow)


@pytest.mark.parametrize(
    ("at", "query", "status"),
    [
        (0, "", 400),
        (0, "?splice=true", 400),
        (0, "?cascade=true", 400),
        (1, "?splice=true", 400),
        (1, "?splice=true&cascade=true", 422),
        (1, "?expectedRevision=1", 409),
        (1, "?expectedRevision=latest", 422),
        (1, "?splice=yes", 204),
        (1, "?expectedRevision=3", 204),
    ],
)
def test_removing_refuses(api: Any, at: int, query: str, status: int) -> None:
    flow = workflow(api, CONDITION, EXIT)
    path = f"/workflows/{flow['id']}/steps/{flow['steps'][at]['id']}"
    answer = api.delete(path + query)
    assert answer.status_code == status, answer.text
    assert len(names(api, flow)) == (2 if status == 204 else 3)


def test_a_wait_with_two_ways_on_cannot_be_spliced(api: Any) -> None:
    flow = workflow(api, WAIT)
    for outcome in ("EVENT", "TIMEOUT"):
        end = step(api, flow, *EXIT, connect=False)
        edge(api, flow, flow["steps"][1]["id"], end, waitOutcome=outcome)
    path = f"/workflows/{flow['id']}/steps/{flow['steps'][1]['id']}"
    assert api.delete(f"{path}?splice=true").status_code == 400


def test_a_removed_step_stays_readable_in_the_timeline(api: Any, machine: Machine) -> None:
    flow = workflow(api, DELAY, EXIT)
    track(api)
    machine.settle()
    machine.sleep(days=1)
    assert only_run(api, flow)["status"] == "COMPLETED"
    path = f"/workflows/{flow['id']}/steps/{flow['steps'][1]['id']}"
    assert api.delete(path).status_code == 204
    run = only_run(api, flow)
    assert [type_ for type_, _ in visited(run)] == ["TRIGGER", "DELAY", "EXIT"]
    assert run["stepExecutions"][1]["step"]["name"] == "Delay"


def test_removing_a_step_frees_its_template(api: Any) -> None:
    letter = template(api)
    flow = workflow(api, ("SEND_EMAIL", {"templateId": letter}))
    assert api.delete(f"/templates/{letter}").status_code == 409
    api.delete(f"/workflows/{flow['id']}/steps/{flow['steps'][1]['id']}")
    assert api.delete(f"/templates/{letter}").status_code == 204


def test_true_is_not_one(api: Any) -> None:
    flow = workflow(api, ("UPDATE_CONTACT", {"updates": {"vip": 1}}))
    path = f"/workflows/{flow['id']}/steps/{flow['steps'][1]['id']}"
    api.patch(path, {"config": {"updates": {"vip": True}}})
    shown = api.get(f"/workflows/{flow['id']}").json
    assert shown["steps"][1]["config"]["updates"]["vip"] is True
    assert shown["revision"] == flow["revision"] + 1
