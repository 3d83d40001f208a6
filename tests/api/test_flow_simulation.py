"""`POST /flows/simulate`: a story that is told and never stored."""

from __future__ import annotations

from typing import Any

import pytest

from tests.factories import template, workflow

FLOW = """workflow "Onboarding" {
  on event "signed_up"

  send email "Hello"
  wait 3 days
  if contact.data.plan == "pro" {
    add to segment "VIP"
    exit "pro"
  }
  webhook POST "https://crm.example.com/hooks" {
    headers: { "X-Token": secret("CRM") }
  } as crm
  update contact { status: crm.status }
}
"""
ADA = {"email": "ada@example.com", "data": {"plan": "free"}}
AT = "2026-03-02T12:00:00Z"


def simulate(api: Any, **body: Any) -> Any:
    answer = api.post("/flows/simulate", {"contact": ADA, "at": AT, **body})
    assert answer.status_code == 200, answer.text
    return answer.json


def test_a_text_is_played_and_nothing_stored(api: Any) -> None:
    template(api, "Hello", subject="Hi {{ email }}", type="TRANSACTIONAL")
    told = simulate(api, files={"a.flow": FLOW}, event="signed_up", data={"source": "web"})
    assert [(mail["template"], mail["subject"], mail["to"]) for mail in told["emails"]] == [
        ("Hello", "Hi ada@example.com", "ada@example.com")
    ]
    (call,) = told["webhooks"]
    assert (call["at"], call["url"]) == (
        "2026-03-05T12:00:00.000Z",
        "https://crm.example.com/hooks",
    )
    assert call["headers"]["X-Token"] == "[secret CRM]"
    assert told["contact"]["data"] == {"plan": "free", "source": "web", "status": 200}
    (run,) = told["runs"]
    assert (run["workflow"], run["status"], run["completedAt"]) == (
        "Onboarding",
        "COMPLETED",
        "2026-03-05T12:00:00.000Z",
    )
    assert told["endedAt"] == "2026-04-01T12:00:00.000Z"
    assert (told["stopped"], told["diagnostics"]) == (None, [])
    assert told["notes"] == ["segment 'VIP' is not in the bundle; an empty one stands in"]
    assert [entry["kind"] for entry in told["timeline"]][:3] == ["contact", "event", "entered"]
    assert api.get("/workflows").json["data"] == []
    assert api.get("/contacts").json["data"] == []


def test_the_projects_own_workflows_take_part(api: Any) -> None:
    hello = template(api, "Hello", subject="Hi", type="TRANSACTIONAL")
    workflow(api, ("SEND_EMAIL", {"templateId": hello}), event="signed_up", name="Drawn")
    workflow(api, ("EXIT", {"reason": "x"}), event="signed_up", name="Other")
    told = simulate(api, event="signed_up", days=0)
    assert [run["workflow"] for run in told["runs"]] == ["Drawn", "Other"]
    assert [mail["subject"] for mail in told["emails"]] == ["Hi"]
    alone = simulate(api, workflow="Other")
    assert [run["workflow"] for run in alone["runs"]] == ["Other"]


def test_segments_of_the_project_are_known(api: Any) -> None:
    plan = {"field": "data.plan", "operator": "equals", "value": "free"}
    tree = {"logic": "AND", "groups": [{"filters": [plan]}]}
    inner = api.post("/segments", {"name": "Free", "type": "DYNAMIC", "condition": tree}).json
    member = {"field": f"segment.{inner['id']}", "operator": "memberOfSegment"}
    tree = {"logic": "AND", "groups": [{"filters": [member]}]}
    api.post("/segments", {"name": "Outer", "type": "DYNAMIC", "condition": tree})
    text = 'workflow "W" { on manual if contact in segment "Outer" { exit "in" } exit "out" }'
    told = simulate(api, files={"a.flow": text}, workflow="W")
    assert [run["reason"] for run in told["runs"]] == ["in"]
    assert (told["notes"], told["diagnostics"]) == ([], [])
    mine = 'segment "Outer" { where data.plan == "pro" }\n' + text
    told = simulate(api, files={"a.flow": mine}, workflow="W")
    assert [run["reason"] for run in told["runs"]] == ["out"]


@pytest.mark.parametrize(
    ("body", "status", "told"),
    [
        ({"files": {"a.flow": FLOW}}, 400, "an event or a workflow is needed"),
        ({"files": {"a.flow": FLOW}, "workflow": "X"}, 400, "there is no workflow"),
        ({"files": {"a.flow": FLOW}, "event": "e", "contact": {"plan": 1}}, 400, "plan"),
        ({"files": {"a.flow": "workflow {"}, "event": "e"}, 422, "a.flow:1"),
        ({"event": "e", "at": "tomorrow"}, 422, "ISO 8601"),
        ({"event": "e", "days": 3_661}, 422, "3660"),
        ({"event": "e", "contact": []}, 422, "Expected object"),
    ],
)
def test_what_is_odd_is_refused(api: Any, body: Any, status: int, told: str) -> None:
    answer = api.post("/flows/simulate", {"contact": ADA, **body})
    assert (answer.status_code, told in answer.text) == (status, True), answer.text


def test_what_never_ends_is_broken_off(api: Any) -> None:
    text = 'workflow "W" { on event "e" @again track "e" wait 1 second goto again }'
    told = simulate(api, files={"a.flow": text}, workflow="W", days=3_660)
    assert "steps were taken" in told["stopped"]


LARGE = "{% for a in (1..300) %}{{ a }} 0123456789012345678901234567890123456789 {% endfor %}"


def test_a_story_has_no_more_than_so_many_characters(api: Any) -> None:
    text = (
        f'template "t" {{ type: transactional subject: "s" from: "a@example.com" body: "{LARGE}" }}'
        'workflow "W" { on event "e" @a send email "t" wait 1 second goto @a }'
    )
    answer = api.post(
        "/flows/simulate",
        {"contact": ADA, "files": {"a.flow": text}, "workflow": "W", "days": 3_660},
    )
    assert answer.status_code == 200
    assert len(answer.data) < 15_000_000
    told = answer.json
    assert told["stopped"]
    assert told["emails"][0]["body"].startswith("1 0123")
    assert told["emails"][-1]["body"] is None
    assert "are left out" in told["notes"][-1]


def test_calls_count_as_characters(api: Any) -> None:
    text = (
        'workflow "W" { on event "e" @a webhook POST "https://a.example/x"'
        " { body: { a: contact.data, b: contact.data } } wait 1 second goto @a }"
    )
    contact = {**ADA, "data": {"long": "x" * 50_000}}
    told = simulate(api, files={"a.flow": text}, workflow="W", days=3_660, contact=contact)
    assert "characters were sent" in told["stopped"]
    assert 20 < len(told["webhooks"]) < 60
