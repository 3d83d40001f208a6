"""`GET /flows/bundle`: the project as files, which deploy back without changing anything."""

from __future__ import annotations

import random
from typing import Any

import pytest

from tests.api.test_flow_round_trips import CONFIGS, TREE, drawn, filled
from tests.factories import step, template, workflow

NAMES = [
    "Welcome",
    "welcome",
    "Größe & Co",
    "歓迎",
    "CON",
    "Com1",
    "a/b/../c",
    '"q" \\ \n',
    "x" * 100,
]
PLAIN = {"type": "STATIC"}


@pytest.fixture
def ids(api: Any) -> dict[str, str]:
    """Return things that graphs refer to; some have a name of their own, others share it."""
    template(api, "Twin")
    segments = [api.post("/segments", {"name": name, **PLAIN}).json["id"] for name in ("V", "S")]
    api.post("/segments", {"name": "S", "type": "DYNAMIC", "condition": TREE})
    return {
        "template": template(api, "Hello"),
        "twin": template(api, "Twin"),
        "segment": segments[0],
        "same": segments[1],
    }


def pull(api: Any, query: str = "") -> Any:
    answer = api.get(f"/flows/bundle{query}")
    assert answer.status_code == 200, answer.text
    return answer.json


def assert_no_op(api: Any) -> dict[str, str]:
    """Pull, deploy: nothing changes; pull again: the same bytes."""
    pulled = pull(api)
    answer = api.post("/flows/deploy", {"files": pulled["files"]})
    assert answer.status_code == 200, answer.text
    outcomes = [one for kind in ("templates", "segments", "workflows") for one in answer.json[kind]]
    assert {one["status"] for one in outcomes} <= {"unchanged"}, outcomes
    assert pull(api) == pulled
    left = {one["id"] for one in pulled["leftOut"]}
    for kind in ("templates", "segments", "workflows"):
        answer_json = api.get(f"/{kind}?pageSize=100").json
        listed = answer_json if kind == "segments" else answer_json["data"]
        told = {one["id"] for one in answer.json[kind]}
        assert told | left >= {one["id"] for one in listed}, kind
    return dict(pulled["files"])


def test_an_empty_project_has_no_files(api: Any) -> None:
    assert pull(api) == {"files": {}, "leftOut": []}


def test_everything_gets_a_file_of_its_own(api: Any, ids: dict[str, str]) -> None:
    flow = workflow(api, ("SEND_EMAIL", {"templateId": ids["template"]}), name="On-boarding!")
    step(api, flow, "SEND_EMAIL", {"templateId": ids["twin"]})
    files = assert_no_op(api)
    assert sorted(files) == [
        "segments/v.flow",
        "templates/hello.flow",
        "templates/hello.html",
        "workflows/on-boarding.flow",
    ]
    assert files["templates/hello.html"] == "<p>Dear {{ email }}</p>"
    assert 'body: file("hello.html")' in files["templates/hello.flow"]
    assert 'send email "Hello"' in files["workflows/on-boarding.flow"]
    assert f'send email id "{ids["twin"]}"' in files["workflows/on-boarding.flow"]
    assert [(one["kind"], one["name"], one["reason"]) for one in pull(api)["leftOut"]] == [
        ("segment", "S", "another segment has the same name"),
        ("segment", "S", "another segment has the same name"),
        ("template", "Twin", "another template has the same name"),
        ("template", "Twin", "another template has the same name"),
    ]


@pytest.mark.parametrize("seed", range(6))
def test_any_project_deploys_back(api: Any, ids: dict[str, str], seed: int) -> None:
    dice = random.Random(seed)  # noqa: S311 - no secret hangs on it
    for number in range(3):
        flow = drawn(api, ids, dice)
        api.patch(f"/workflows/{flow['id']}", {"name": f"Drawn {number}"})
    assert len([path for path in assert_no_op(api) if path.startswith("workflows/")]) == 3


@pytest.mark.parametrize(("type_", "config"), CONFIGS)
def test_every_step_deploys_back(api: Any, ids: dict[str, str], type_: str, config: Any) -> None:
    workflow(api, (type_, filled(config, ids)), ("DELAY", {"amount": 1, "unit": "days"}))
    assert "workflows/flow.flow" in assert_no_op(api)


def test_names_become_names_of_files(api: Any) -> None:
    for name in NAMES:
        workflow(api, name=name)
        template(api, name, subject="Hi")
        assert api.post("/segments", {"name": name, **PLAIN}).status_code == 201
    files = assert_no_op(api)
    assert len(files) == len(NAMES) * 4
    assert len({path.lower() for path in files}) == len(files)
    assert all(path.isascii() and ".." not in path and len(path) < 90 for path in files)
    assert {"workflows/con-file.flow", "workflows/com1-file.flow"} <= files.keys()


@pytest.mark.parametrize(
    "fields",
    [
        {"description": None},
        {"description": ""},
        {"description": 'many\nlines "quoted" \\ {{ x }}'},
        {"fromName": "", "replyTo": "a@example.com"},
        {"fromName": "Ada ☃", "type": "HEADLESS"},
        {"body": '"""\r\n\ttabs\r\n'},
        {"body": "\ufeff<p>\u2028 \x07 {{ a ?? 'b' }}</p>"},
        {"subject": "{{ x }} # no comment", "type": "TRANSACTIONAL"},
    ],
)
def test_every_template_deploys_back(api: Any, fields: Any) -> None:
    made = template(api, "Any", **fields)
    files = assert_no_op(api)
    assert files["templates/any.html"] == api.get(f"/templates/{made}").json["body"]


def test_a_text_is_kept_as_it_was_written(api: Any) -> None:
    text = '# why\nworkflow   "W" { on event "e"\n\n  # a note\n  wait 1 day }\n'
    api.post("/flows/deploy", {"files": {"deep/a.flow": text, "b.flow": "# nothing\n"}})
    assert assert_no_op(api) == {"workflows/w.flow": text}


def test_some_workflows_come_with_what_they_refer_to(api: Any, ids: dict[str, str]) -> None:
    inner = api.post("/segments", {"name": "Inner", **PLAIN}).json["id"]
    member = {"field": f"segment.{inner}", "operator": "memberOfSegment"}
    tree = {"logic": "AND", "groups": [{"filters": [member]}]}
    outer = api.post("/segments", {"name": "Outer", "type": "DYNAMIC", "condition": tree})
    one = workflow(api, ("SEGMENT", {"action": "add", "segmentId": inner}), name="One")
    two = workflow(api, ("SEND_EMAIL", {"templateId": ids["template"]}), name="Two")
    trigger = {"type": "segment", "segment": {"id": outer.json["id"]}}
    three = workflow(api, name="Three")
    api.patch(f"/workflows/{three['id']}", {"triggerConfig": {"triggers": [trigger]}})
    chosen = pull(api, f"?workflows={one['id']},{two['id'].upper()}")
    assert sorted(chosen["files"]) == [
        "segments/inner.flow",
        "templates/hello.flow",
        "templates/hello.html",
        "workflows/one.flow",
        "workflows/two.flow",
    ]
    assert sorted(pull(api, f"?workflows={three['id']}")["files"]) == [
        "segments/inner.flow",
        "segments/outer.flow",
        "workflows/three.flow",
    ]
    unknown = api.get("/flows/bundle?workflows=nonsense")
    assert (unknown.status_code, unknown.json["error"]["code"]) == (404, "WORKFLOW_NOT_FOUND")


def test_other_projects_are_not_in_it(api: Any, stranger_api: Any) -> None:
    flow = workflow(stranger_api, name="Theirs")
    template(stranger_api, "Theirs")
    assert pull(api)["files"] == {}
    assert api.get(f"/flows/bundle?workflows={flow['id']}").status_code == 404


def test_what_the_language_cannot_hold_is_left_out(api: Any) -> None:
    large = ("WEBHOOK", {"url": "https://a.example", "body": "x" * 60_000})
    workflow(api, *[large] * 5, name="Huge")
    workflow(api, name="Twice")
    workflow(api, name="Twice")
    workflow(api, name="Fine")
    left = pull(api)["leftOut"]
    assert [(one["kind"], one["name"]) for one in left] == [
        ("workflow", "Huge"),
        ("workflow", "Twice"),
        ("workflow", "Twice"),
    ]
    assert "256 KB" in left[0]["reason"]
    assert sorted(assert_no_op(api)) == ["workflows/fine.flow"]


def test_what_was_switched_off_stays_off_elsewhere(api: Any, stranger_api: Any) -> None:
    text = '# why\nworkflow "W" {\n  on event "e"\n\n  wait 1 day\n}\n'
    flow = api.post("/flows/deploy", {"files": {"a.flow": text}}).json["workflows"][0]
    api.patch(f"/workflows/{flow['id']}", {"enabled": False})
    files = pull(api)["files"]
    assert "  disabled\n" in files["workflows/w.flow"]
    made = stranger_api.post("/flows/deploy", {"files": files}).json["workflows"][0]
    assert stranger_api.get(f"/workflows/{made['id']}").json["enabled"] is False
    api.patch(f"/workflows/{flow['id']}", {"enabled": True})
    assert pull(api)["files"] == {"workflows/w.flow": text}
