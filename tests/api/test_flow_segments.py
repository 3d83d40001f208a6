"""`.flow` texts with segments, schedules and headers: deployed by name, stored by id, read back."""

from __future__ import annotations

from typing import Any

import pytest

from tests.api.test_flows import deploy, deployed, flow_of, messages
from tests.factories import Machine, runs, template, track

SEGMENTS = """
segment "Active pros" {
  where data.plan == "pro" and triggered "login" within 30 days
  track membership
}

segment "Invited" { static }

segment "Both" { where contact in segment "Active pros" and contact in segment "Invited" }
"""
FLOW = """workflow "Club" {
  on segment "Active pros" entry
  on schedule "0 9 * * MON" in "Europe/Brussels" for segment "Invited"
  on date contact.data.birthday minus 3 days every year at 09:00
  stop when event "left"
  stop when contact in segment "Invited"
  goal "paid" when event "paid" where event.amount > 0 then exit
  timezone contact.data.zone default "Europe/Brussels"
  quiet hours 21:00 to 08:00

  wait 1 day
  if contact in segment "Both" {
    add to segment "Invited"
  } else {
    remove from segment "Invited"
  }
  exit "done"
}
"""


def statuses(answer: Any) -> list[tuple[str, str]]:
    return [(one["name"], one["status"]) for one in answer["segments"] + answer["workflows"]]


def segments(api: Any) -> dict[str, Any]:
    return {one["name"]: one for one in api.get("/segments").json}


def test_segments_are_created_and_kept(api: Any) -> None:
    answer = deployed(api, SEGMENTS)
    names = ["Active pros", "Invited", "Both"]
    assert statuses(answer) == [(name, "created") for name in names]
    found = segments(api)
    assert [found[name]["type"] for name in names] == ["DYNAMIC", "STATIC", "DYNAMIC"]
    assert [found[name]["trackMembership"] for name in names] == [True, False, False]
    ids = [found[name]["id"] for name in names[:2]]
    assert found["Both"]["condition"]["groups"][0]["filters"] == [
        {"field": f"segment.{one}", "operator": "memberOfSegment"} for one in ids
    ]
    assert statuses(deployed(api, SEGMENTS)) == [(name, "unchanged") for name in names]
    changed = deployed(api, SEGMENTS.replace("30 days", "3 days"))
    assert dict(statuses(changed))["Active pros"] == "changed"
    assert segments(api)["Active pros"]["id"] == ids[0]


def test_a_workflow_refers_to_segments_by_id(api: Any) -> None:
    assert statuses(deployed(api, SEGMENTS, FLOW))[-1] == ("Club", "created")
    flow, found = flow_of(api, "Club"), segments(api)
    assert flow["triggerConfig"]["triggers"] == [
        {"type": "segment", "segment": {"id": found["Active pros"]["id"]}, "when": "entry"},
        {
            "type": "schedule",
            "cron": "0 9 * * MON",
            "timezone": "Europe/Brussels",
            "segment": {"id": found["Invited"]["id"]},
        },
        {
            "type": "date",
            "field": {"$expr": ["get", "contact", "data", "birthday"]},
            "offset": {"amount": -3, "unit": "days"},
            "everyYear": True,
            "at": "09:00",
        },
    ]
    configs = [one["config"] for one in flow["steps"] if one["type"] == "SEGMENT"]
    assert configs == [
        {"action": action, "segmentId": found["Invited"]["id"]} for action in ("add", "remove")
    ]
    assert statuses(deployed(api, SEGMENTS, FLOW))[-1] == ("Club", "unchanged")
    assert statuses(deployed(api, FLOW)) == [("Club", "unchanged")]


def test_it_is_read_back_as_it_was_meant(api: Any) -> None:
    deployed(api, SEGMENTS, FLOW)
    flow, found = flow_of(api, "Club"), segments(api)
    path = f"/workflows/{flow['id']}/flow"
    assert api.get(path).json["flow"] == FLOW
    api.patch(f"/segments/{found['Invited']['id']}", {"name": "Guests"})
    said = api.get(path).json["flow"]
    assert 'for segment "Guests"' in said
    assert 'stop when contact in segment "Guests"' in said
    assert 'remove from segment "Guests"' in said
    assert "quiet hours 21:00 to 08:00" in said
    assert 'goal "paid" when event "paid" where event.amount > 0 then exit' in said
    assert 'timezone contact.data.zone default "Europe/Brussels"' in said
    assert "on date contact.data.birthday minus 3 days every year at 09:00" in said
    answer = api.put(path, {"source": said})
    assert answer.status_code == 200, answer.text
    again = flow_of(api, "Club")
    assert again["triggerConfig"] == flow["triggerConfig"]


def test_a_second_segment_of_a_name_is_told_apart_by_id(api: Any) -> None:
    deployed(api, SEGMENTS, FLOW)
    flow, found = flow_of(api, "Club"), segments(api)
    api.post("/segments", {"name": "Invited", "type": "STATIC"})
    said = api.get(f"/workflows/{flow['id']}/flow").json["flow"]
    assert f'for segment id "{found["Invited"]["id"]}"' in said
    answer = deploy(api, FLOW)
    assert any("several segments of the project" in one for one in messages(answer))


FAULTS = [
    ('workflow "W" {\n  on segment "Nobody" entry\n  exit\n}\n', "no segment called 'Nobody'"),
    ('segment "A" { where contact in segment "Nobody" }', "no segment called 'Nobody'"),
    (
        """
        segment "A" { where contact in segment "B" }
        segment "B" { where contact in segment "A" }
        """,
        "on itself",
    ),
    ('segment "A" { where opened "nothing" }', "no template called 'nothing'"),
    (
        """
        segment "A" { where data.plan == "pro" }
        workflow "W" { on manual add to segment "A" }
        """,
        "only a static segment",
    ),
    (
        'workflow "W" { on manual add to segment id "01890000-0000-7000-8000-000000000000" }',
        "no segment with the id",
    ),
    ('segment "Taken" { where data.plan == "pro" }', "is STATIC, which cannot change"),
]


@pytest.mark.parametrize(("text", "message"), FAULTS)
def test_what_leads_nowhere_is_refused(api: Any, text: str, message: str) -> None:
    api.post("/segments", {"name": "Taken", "type": "STATIC"})
    answer = deploy(api, text)
    assert any(message in one for one in messages(answer)), answer.text
    assert list(segments(api)) == ["Taken"]
    assert api.get("/workflows").json["total"] == 0


def test_templates_in_conditions_become_ids(api: Any) -> None:
    welcome = template(api, "welcome")
    text = (
        'segment "Readers" { where opened "welcome" within 30 days }\n'
        'workflow "W" {\n  on manual\n  if opened "welcome" {\n    exit\n  }\n}\n'
    )
    deployed(api, text)
    (filter_,) = segments(api)["Readers"]["condition"]["groups"][0]["filters"]
    assert filter_["template"] == {"id": welcome}
    flow = flow_of(api, "W")
    assert welcome in str(flow["steps"])
    assert 'if opened "welcome"' in api.get(f"/workflows/{flow['id']}/flow").json["flow"]


def test_entering_a_segment_starts_what_was_deployed(api: Any, machine: Machine) -> None:
    text = 'workflow "Hello" {\n  on segment "Active pros" entry\n  wait 1 day\n}\n'
    deployed(api, SEGMENTS, text)
    track(api, "login", "ada@example.com", data={"plan": "pro"})
    track(api, "login", "bob@example.com", data={"plan": "free"})
    machine.sleep(minutes=5)
    assert [one["contact"]["email"] for one in runs(api, flow_of(api, "Hello"))] == [
        "ada@example.com"
    ]


def test_conditions_may_be_written_as_text(api: Any) -> None:
    vips = api.post("/segments", {"name": "VIPs", "type": "STATIC"}).json["id"]
    text = 'data.plan == "pro" and contact not in segment "VIPs"'
    made = api.post("/segments", {"name": "S", "condition": text})
    assert made.status_code == 201, made.text
    assert made.json["condition"]["groups"][0]["filters"] == [
        {"field": "data.plan", "operator": "equals", "value": "pro"},
        {"field": f"segment.{vips}", "operator": "notMemberOfSegment"},
    ]
    wrong = api.post("/segments", {"name": "S", "condition": 'data.plan = "pro"'})
    assert wrong.status_code == 422
    (found,) = wrong.json["error"]["details"]["diagnostics"]
    assert found["range"]["start"] == {"line": 1, "column": 11}
