"""Nothing of another project can be seen, used or changed, and keys are needed everywhere."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Flask

from tests.factories import only_run, step, template, track, workflow

NOBODY = "00000000-0000-0000-0000-000000000000"
DRAFT = {"type": "EXIT", "name": "End", "position": {"x": 0, "y": 0}, "config": {}}
FLOW = 'workflow "Mine" {\n  on event "go"\n\n  exit\n}\n'
ROUTES: list[tuple[str, str, Any]] = [
    ("GET", "/workflows/{flow}", None),
    ("PATCH", "/workflows/{flow}", {"name": "Mine"}),
    ("DELETE", "/workflows/{flow}", None),
    ("DELETE", "/workflows/{flow}?force=true", None),
    ("POST", "/workflows/{flow}/duplicate", None),
    ("POST", "/workflows/{flow}/steps", DRAFT),
    ("PATCH", "/workflows/{flow}/steps/{step}", {"name": "Mine"}),
    ("DELETE", "/workflows/{flow}/steps/{step}", None),
    ("POST", "/workflows/{flow}/transitions", {"fromStepId": "{step}", "toStepId": "{loose}"}),
    ("DELETE", "/workflows/{flow}/transitions/{way}", None),
    ("POST", "/workflows/{flow}/transitions/{way}/insert-step", DRAFT | {"type": "DELAY"}),
    ("POST", "/workflows/{flow}/executions", {"contactId": "{contact}"}),
    ("GET", "/workflows/{flow}/executions", None),
    ("GET", "/workflows/{flow}/executions/{run}", None),
    ("DELETE", "/workflows/{flow}/executions/{run}", None),
    ("POST", "/workflows/{flow}/executions/cancel-all", None),
    ("GET", "/workflows/{flow}/step-execution-counts", None),
    ("GET", "/workflows/{flow}/flow", None),
    ("PUT", "/workflows/{flow}/flow", {"source": FLOW}),
    ("POST", "/workflows/bulk-update", {"ids": ["{flow}"], "delete": True}),
]
INNER = [route for route in ROUTES if route[1].count("{") > 1]


@pytest.fixture
def ids(api: Any) -> dict[str, str]:
    """Return the ids of everything that a workflow in use consists of."""
    flow = workflow(api, ("DELAY", {"amount": 1, "unit": "days"}))
    loose = step(api, flow, "EXIT", {}, connect=False)
    track(api)
    run = only_run(api, flow)
    return {
        "flow": flow["id"],
        "step": flow["steps"][1]["id"],
        "loose": loose,
        "way": flow["steps"][0]["outgoingTransitions"][0]["id"],
        "run": run["id"],
        "contact": run["contactId"],
    }


def filled(value: Any, ids: dict[str, str]) -> Any:
    match value:
        case str():
            for name, found in ids.items():
                value = value.replace(f"{{{name}}}", found)
            return value
        case list():
            return [filled(one, ids) for one in value]
        case dict():
            return {key: filled(one, ids) for key, one in value.items()}
    return value


@pytest.mark.parametrize(("method", "path", "body"), ROUTES)
def test_another_project_sees_nothing(
    api: Any, stranger_api: Any, ids: dict[str, str], method: str, path: str, body: Any
) -> None:
    before = api.get(f"/workflows/{ids['flow']}").json
    answer = stranger_api.call(method, filled(path, ids), filled(body, ids))
    assert answer.status_code == 404, answer.text
    assert answer.json["error"]["code"] == "WORKFLOW_NOT_FOUND"
    assert api.get(f"/workflows/{ids['flow']}").json == before
    assert api.get(f"/workflows/{ids['flow']}/executions?status=RUNNING").json["total"] == 1


@pytest.mark.parametrize(("method", "path", "body"), INNER)
@pytest.mark.parametrize("wrong", [NOBODY, "nonsense", "foreign"])
def test_parts_of_another_workflow_are_not_found(
    stranger_api: Any, ids: dict[str, str], method: str, path: str, body: Any, wrong: str
) -> None:
    own = workflow(stranger_api, ("DELAY", {"amount": 1, "unit": "days"}))
    used = ids if wrong == "foreign" else dict.fromkeys(ids, wrong)
    answer = stranger_api.call(method, filled(path, used | {"flow": own["id"]}), filled(body, used))
    assert answer.status_code == 404, answer.text
    assert answer.json["error"]["code"] == "RESOURCE_NOT_FOUND"


@pytest.mark.parametrize("flow", [NOBODY, "nonsense", "%00"])
@pytest.mark.parametrize(("method", "path", "body"), ROUTES[:-1])
def test_an_unknown_workflow_is_not_found(
    api: Any, ids: dict[str, str], method: str, path: str, body: Any, flow: str
) -> None:
    answer = api.call(method, filled(path, ids | {"flow": flow}), filled(body, ids))
    assert answer.status_code == 404, answer.text


def test_contacts_and_templates_of_strangers_cannot_be_used(
    stranger_api: Any, api: Any, ids: dict[str, str]
) -> None:
    foreign = template(api)
    own = workflow(stranger_api, ("SEND_EMAIL", {}))
    path = f"/workflows/{own['id']}"
    started = stranger_api.post(f"{path}/executions", {"contactId": ids["contact"]})
    assert (started.status_code, started.json["error"]["code"]) == (404, "CONTACT_NOT_FOUND")
    body = {**DRAFT, "type": "SEND_EMAIL", "templateId": foreign}
    answers = [
        stranger_api.post(f"{path}/steps", body),
        stranger_api.post(
            f"{path}/steps", body | {"templateId": None, "config": {"templateId": foreign}}
        ),
        stranger_api.patch(f"{path}/steps/{own['steps'][1]['id']}", {"templateId": foreign}),
        stranger_api.post(
            f"{path}/transitions/{own['steps'][0]['outgoingTransitions'][0]['id']}/insert-step",
            body,
        ),
    ]
    for answer in answers:
        assert (answer.status_code, answer.json["error"]["code"]) == (404, "TEMPLATE_NOT_FOUND")


def test_lists_hold_the_own_project_only(api: Any, stranger_api: Any, ids: dict[str, str]) -> None:
    assert stranger_api.get("/workflows").json["data"] == []
    assert [one["id"] for one in api.get("/workflows").json["data"]] == [ids["flow"]]


@pytest.mark.parametrize(
    ("method", "path"),
    [
        *((method, path.replace("{", "").replace("}", "")) for method, path, _ in ROUTES),
        ("GET", "/workflows"),
        ("POST", "/workflows"),
        ("GET", "/workflows/fields"),
        ("POST", "/flows/check"),
        ("POST", "/flows/deploy"),
    ],
)
def test_only_the_secret_key_opens(
    app: Flask, api: Any, public_api: Any, method: str, path: str
) -> None:
    assert app.test_client().open(path, method=method).status_code == 401
    assert public_api.call(method, path, {}).status_code == 401
    assert api.get("/workflows").status_code == 200
