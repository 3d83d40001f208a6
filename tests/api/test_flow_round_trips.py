"""Law: whatever is stored can be read as text, and the text sent back changes nothing."""

from __future__ import annotations

import random
from typing import Any

import pytest

from tests.factories import edge, step, template, workflow

SEGMENTED = {"field": "segment.{segment}", "operator": "memberOfSegment"}
PLAN = {"field": "data.plan", "operator": "equals", "value": "pro"}
TREE = {"logic": "AND", "groups": [{"filters": [PLAN]}]}
EITHER = {
    "logic": "OR",
    "groups": [{"filters": [PLAN, SEGMENTED]}, {"filters": [], "conditions": {"not": TREE}}],
}
HISTORY = {
    "logic": "AND",
    "groups": [
        {
            "filters": [
                {
                    "field": "email.opened",
                    "operator": "triggeredWithin",
                    "value": 3,
                    "unit": "days",
                    "template": {"id": "{template}"},
                },
                {"field": "event.login", "operator": "notTriggered", "where": TREE},
                {
                    "field": {"$count": {"event": "login", "where": TREE}},
                    "operator": "greaterThanOrEqual",
                    "value": 2,
                },
                {"field": "data.first name", "operator": "exists"},
            ]
        }
    ],
}
SWITCH = {
    "mode": "multi",
    "field": "contact.data.plan",
    "branches": [
        {"id": "pro", "name": "pro", "operator": "equals", "value": "pro"},
        {"id": "a, b", "name": "a, b", "operator": "in", "value": ["a", "b"]},
    ],
}
CONFIGS: list[tuple[str, Any]] = [
    ("SEND_EMAIL", {"templateId": "{template}"}),
    ("SEND_EMAIL", {"templateId": "{template}", "recipient": {"type": "CONTACT"}}),
    (
        "SEND_EMAIL",
        {"templateId": "{twin}", "recipient": {"type": "CUSTOM", "customEmail": "a@b.example"}},
    ),
    ("SEND_EMAIL", {}),
    ("DELAY", {"amount": 2, "unit": "hours"}),
    ("DELAY", {"amount": 1.5, "unit": "weeks"}),
    ("DELAY", {"amount": 0, "unit": "days"}),
    ("DELAY", {"until": {"timeOfDay": "09:00", "days": ["monday", "friday"]}}),
    ("DELAY", {"until": {"time": "2026-03-01", "offset": {"amount": -3, "unit": "days"}}}),
    ("WAIT_FOR_EVENT", {"eventName": "paid"}),
    ("WAIT_FOR_EVENT", {"eventName": "paid", "timeout": 3600}),
    ("WAIT_FOR_EVENT", {"eventName": "paid", "timeout": 0, "where": EITHER}),
    ("WAIT_FOR_EVENT", {"condition": EITHER, "timeout": 86400}),
    ("WAIT_FOR_EVENT", {}),
    ("CONDITION", PLAN),
    ("CONDITION", {"field": "contact.data.plan", "operator": "exists", "value": None}),
    ("CONDITION", SEGMENTED),
    ("CONDITION", {"field": "event.login", "operator": "triggered"}),
    ("CONDITION", {"mode": "expression", "condition": HISTORY}),
    (
        "CONDITION",
        {
            "mode": "multi",
            "field": "data.plan",
            "branches": [
                {"id": "b1", "name": "Big", "operator": "greaterThan", "value": 9},
                {"id": "b2", "name": "Pro", "operator": "equals", "value": "pro"},
            ],
        },
    ),
    ("CONDITION", SWITCH),
    ("CONDITION", {"mode": "multi", "field": "x", "branches": []}),
    ("CONDITION", {}),
    ("CONDITION", {"field": "nobody.knows", "operator": "equals", "value": 1}),
    ("SPLIT", {"branches": [{"id": "a", "name": "50%", "weight": 50}]}),
    (
        "SPLIT",
        {"branches": [{"id": "x", "name": "new", "weight": 50}, {"id": "y", "weight": 50}]},
    ),
    ("TRACK", {"eventName": "x", "data": {"a b": {"$expr": ["get", "event", "x"]}}}),
    ("SEGMENT", {"action": "add", "segmentId": "{segment}"}),
    ("SEGMENT", {"action": "remove", "segmentId": "{same}"}),
    ("WEBHOOK", {"url": "https://hooks.example.com/x"}),
    ("WEBHOOK", {"url": "not an address", "method": "GET"}),
    ("WEBHOOK", {"url": "https://a.example", "method": "PUT", "body": {}, "as": "crm"}),
    ("UPDATE_CONTACT", {"data": {"a": 1, "first name": None}, "subscriptionAction": "none"}),
    ("UPDATE_CONTACT", {"subscriptionAction": "subscribe"}),
    ("UPDATE_CONTACT", {}),
    ("UPDATE_CONTACT", {"updates": {"email": "x"}}),
    ("EXIT", {"reason": ""}),
    ("EXIT", {"reason": ["*", ["get"], {"a b": None}]}),
    ("CONDITION", {"field": {"$expr": ["get", "x"]}, "operator": [], "value": {"$count": 1}}),
    ("UPDATE_CONTACT", {"updates": {"a": {"$expression": ["+", 1]}}, "data": 5}),
    ("EXIT", {"reason": "done", "more": {"deep": [1, True]}}),
]
TRIGGERS: list[Any] = [
    {"triggerConfig": None},
    {"triggerType": "SCHEDULE"},
    {"triggerType": "MANUAL"},
    {"triggerConfig": {"eventName": "go", "note": "kept"}},
    {"triggerConfig": {"eventName": "x" * 250}},
    {"triggerConfig": {"triggers": [{"type": "event", "eventName": "go", "where": EITHER}]}},
    {"triggerConfig": {"triggers": [{"type": "segment", "segment": {"id": "{segment}"}}]}},
    {
        "triggerConfig": {
            "eventName": "go",
            "triggers": [
                {"type": "event", "eventName": "go"},
                {"type": "segment", "segment": {"id": "{same}"}, "when": "exit"},
                {"type": "manual"},
                {
                    "type": "schedule",
                    "cron": "0 9 * * MON",
                    "timezone": "Europe/Brussels",
                    "segment": {"id": "{segment}"},
                },
                {"type": "date", "field": "data.birthday"},
                {
                    "type": "date",
                    "field": {"$expr": ["get", "contact", "createdAt"]},
                    "offset": {"amount": -3, "unit": "days"},
                    "everyYear": True,
                    "at": "09:00",
                },
            ],
        }
    },
    {
        "stops": [{"eventName": "deleted"}, {"condition": EITHER}],
        "goals": [
            {"name": "Paid", "eventName": "paid", "where": TREE, "exit": True},
            {"name": "VIP", "condition": {"logic": "AND", "groups": [{"filters": [SEGMENTED]}]}},
        ],
        "timezone": {"field": {"$expr": ["get", "contact", "data", "zone"]}},
        "quietHours": {"from": "21:00", "to": "08:00"},
    },
    {"timezone": {"default": "Europe/Brussels"}, "allowReentry": True, "description": "x\ny"},
]


@pytest.fixture
def ids(api: Any) -> dict[str, str]:
    """Return things that graphs refer to; some have a name of their own, others share it."""
    template(api, "Twin")
    condition = {"logic": "AND", "groups": [{"filters": [PLAN]}]}
    made = [
        api.post("/segments", {"name": name, **fields}).json["id"]
        for name, fields in (
            ("VIP", {"type": "STATIC"}),
            ("Same", {"type": "STATIC"}),
            ("Same", {"type": "DYNAMIC", "condition": condition}),
        )
    ]
    return {
        "template": template(api, "Hello"),
        "twin": template(api, "Twin"),
        "segment": made[0],
        "same": made[1],
    }


def filled(value: Any, ids: dict[str, str]) -> Any:
    """Return JSON with ids in place of what stands in braces."""
    match value:
        case str():
            for name, one in ids.items():
                value = value.replace(f"{{{name}}}", one)
            return value
        case list():
            return [filled(item, ids) for item in value]
        case dict():
            return {key: filled(item, ids) for key, item in value.items()}
    return value


def assert_round_trip(api: Any, flow: dict[str, Any]) -> str:
    """Read the workflow as text, send it back and find everything as it was; return the text."""
    path = f"/workflows/{flow['id']}"
    before = api.get(path).json
    shown = api.get(f"{path}/flow")
    assert shown.status_code == 200, shown.text
    text = shown.json["flow"]
    answer = api.put(f"{path}/flow", {"source": text, "expectedRevision": before["revision"]})
    assert answer.status_code == 200, (text, answer.text)
    assert answer.json["workflows"][0]["status"] == "unchanged", text
    assert api.get(path).json == before, text
    assert api.get(f"{path}/flow").json["flow"] == text
    return str(text)


@pytest.mark.parametrize(("type_", "config"), CONFIGS)
def test_every_step(api: Any, ids: dict[str, str], type_: str, config: Any) -> None:
    flow = workflow(api, (type_, filled(config, ids)), ("DELAY", {"amount": 1, "unit": "days"}))
    assert_round_trip(api, flow)


@pytest.mark.parametrize("fields", TRIGGERS)
def test_every_header(api: Any, ids: dict[str, str], fields: Any) -> None:
    flow = workflow(api, ("DELAY", {"amount": 1, "unit": "days"}))
    answer = api.patch(f"/workflows/{flow['id']}", filled(fields, ids))
    assert answer.status_code == 200, answer.text
    assert_round_trip(api, flow)


def test_a_renamed_trigger_step_stays_renamed(api: Any) -> None:
    flow = workflow(api, ("DELAY", {"amount": 1, "unit": "days"}))
    trigger = flow["steps"][0]["id"]
    api.patch(f"/workflows/{flow['id']}/steps/{trigger}", {"name": "Sign-up"})
    assert_round_trip(api, flow)


@pytest.mark.parametrize("seed", range(8))
def test_any_graph(api: Any, ids: dict[str, str], seed: int) -> None:
    flow = drawn(api, ids, random.Random(seed))  # noqa: S311 - no secret hangs on it
    assert_round_trip(api, flow)


def drawn(api: Any, ids: dict[str, str], dice: random.Random) -> dict[str, Any]:
    """Draw a workflow by hand: steps of all kinds, and whatever edges the API takes."""
    flow = workflow(api, name="Drawn")
    steps = [flow["steps"][0]["id"]]
    for _ in range(dice.randint(3, 9)):
        type_, config = dice.choice(CONFIGS)
        is_connected = dice.random() < 0.5
        steps.append(step(api, flow, type_, filled(config, ids), connect=is_connected))
    for _ in range(14):
        body = {
            "fromStepId": dice.choice(steps),
            "toStepId": dice.choice(steps),
            "priority": dice.randint(0, 2),
            "branch": dice.choice(
                [None, None, "yes", "no", "default", "a", "b1", "pro", "timeout"]
            ),
            "condition": dice.choice([None, None, None, {}, {"q": 1}, {"fallback": True}]),
            "waitOutcome": dice.choice([None, None, "EVENT", "TIMEOUT"]),
        }
        api.post(f"/workflows/{flow['id']}/transitions", body)  # some are refused
    return flow


def test_branches_are_read_in_their_own_order(api: Any) -> None:
    flow = workflow(api, ("CONDITION", SWITCH))
    start = flow["steps"][1]["id"]
    ends = {
        branch: step(api, flow, "EXIT", {"reason": branch}, connect=False)
        for branch in ("default", "a, b", "pro")
    }
    for branch, end in ends.items():
        edge(api, flow, start, end, branch=branch)
    text = assert_round_trip(api, flow)
    assert text.index('case "pro"') < text.index('case "a", "b"') < text.index('"default"')
    assert "edge" not in text


def test_a_plain_way_out_of_a_wait_stands_for_both(api: Any) -> None:
    flow = workflow(
        api, ("WAIT_FOR_EVENT", {"eventName": "paid", "timeout": 60}), ("EXIT", {"reason": "x"})
    )
    text = assert_round_trip(api, flow)
    assert 'wait for event "paid" up to 1 minute\n  exit "x"' in text.replace(
        '@ "Exit" ', ""
    ).replace('@ "Wait_For_Event" ', "")


LOOP = """workflow "Loop" {
  on event "go"

  @again wait 1 day
  if contact.data.done {
    exit
  }
  goto @again
}
"""


def test_a_loop_that_a_text_made(api: Any) -> None:
    answer = api.post("/flows/deploy", {"files": {"a.flow": LOOP}})
    flow = answer.json["workflows"][0]
    assert assert_round_trip(api, flow) == LOOP
    api.patch(f"/workflows/{flow['id']}", {"description": "by hand"})
    assert "goto @again" in assert_round_trip(api, flow)
