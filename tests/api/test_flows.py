"""`.flow` texts: checked, deployed, replaced, and read back."""

from __future__ import annotations

from typing import Any

import pytest

from tests.factories import Machine, edge, only_run, runs, step, template, track, workflow

TEMPLATE = """
template "welcome" {
  type: transactional
  subject: "Hello {{ firstName ?? 'friend' }}"
  from: "Ada <ada@acme.test>"
  body: "<p>Welcome</p>"
}
"""
WORKFLOW = """
# the first week
workflow "Onboarding" {
  description "First week"
  on event "signed_up" where event.plan == "pro"
  reentry after 30 days

  send email "welcome"   # at once
  wait 1 day
  if contact.data.vip {
    update contact { seen: true, score: 1.5 }
  } else {
    wait for event "paid" up to 7 days {
      exit "paid"
    }
  }
  exit "done"
}
"""
PLAIN = """workflow "Plain" {
  on event "go"

  wait 1 day
  exit "done"
}
"""


def deploy(api: Any, *texts: str, **fields: Any) -> Any:
    files = {f"{at}.flow": text for at, text in enumerate(texts)}
    return api.post("/flows/deploy", {"files": files, **fields})


def deployed(api: Any, *texts: str) -> Any:
    answer = deploy(api, *texts)
    assert answer.status_code == 200, answer.text
    return answer.json


def flow_of(api: Any, name: str) -> dict[str, Any]:
    (found,) = [one for one in api.get("/workflows").json["data"] if one["name"] == name]
    return dict(api.get(f"/workflows/{found['id']}").json)


def put(api: Any, flow: dict[str, Any], text: str, **fields: Any) -> Any:
    return api.put(f"/workflows/{flow['id']}/flow", {"source": text, **fields})


def statuses(answer: Any) -> list[tuple[str, str]]:
    return [(one["name"], one["status"]) for one in answer["templates"] + answer["workflows"]]


def messages(answer: Any) -> list[str]:
    assert answer.status_code == 422, answer.text
    assert answer.json["error"]["code"] == "VALIDATION_ERROR"
    return [one["message"] for one in answer.json["error"]["details"]["diagnostics"]]


def test_checking_lists_all_mistakes_and_stores_nothing(api: Any) -> None:
    text = (
        'workflow "A" {\n  on event "go"\n  sned email "x"\n  wait 3 parsecs\n  send email "x"\n}\n'
    )
    answer = api.post("/flows/check", {"files": {"a.flow": text}})
    assert answer.status_code == 200
    assert answer.json["valid"] is False
    places = [one["range"]["start"]["line"] for one in answer.json["diagnostics"]]
    assert {3, 4, 5} <= set(places)
    for one in answer.json["diagnostics"]:
        assert one.keys() == {
            "code",
            "severity",
            "message",
            "file",
            "range",
            "related",
            "notes",
            "fixes",
        }
    assert api.get("/workflows").json["total"] == 0


def test_checking_knows_the_templates_of_the_project(api: Any, stranger_api: Any) -> None:
    template(api, "welcome")
    files = {"files": {"a.flow": WORKFLOW}}
    assert api.post("/flows/check", files).json["valid"] is True
    assert stranger_api.post("/flows/check", files).json["valid"] is False


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"files": []},
        {"files": {"a.flow": 5}},
        {"files": {"": "x"}},
        {"files": {"x" * 256: ""}},
        {"files": {"a.flow": PLAIN}, "expectedRevision": 1},
        {"files": {"a.flow": PLAIN}, "expectedRevision": {"Plain": "1"}},
        {"files": {"a.flow": PLAIN}, "expectedRevision": {"Other": 1}},
    ],
)
def test_wrong_bodies(api: Any, body: Any) -> None:
    assert api.post("/flows/deploy", body).status_code == 422
    assert api.get("/workflows").json["total"] == 0


def test_deploying_creates_everything(api: Any) -> None:
    answer = deployed(api, TEMPLATE, WORKFLOW)
    assert statuses(answer) == [("welcome", "created"), ("Onboarding", "created")]
    assert answer["workflows"][0]["revision"] == 1
    flow = flow_of(api, "Onboarding")
    assert flow["id"] == answer["workflows"][0]["id"]
    assert (flow["enabled"], flow["allowReentry"]) == (True, True)
    assert flow["description"] == "First week"
    assert flow["triggerConfig"]["eventName"] == "signed_up"
    assert [one["type"] for one in flow["steps"]] == [
        "TRIGGER",
        "SEND_EMAIL",
        "DELAY",
        "CONDITION",
        "UPDATE_CONTACT",
        "WAIT_FOR_EVENT",
        "EXIT",
        "EXIT",
    ]
    mail = flow["steps"][1]
    assert mail["template"] == {"id": answer["templates"][0]["id"], "name": "welcome"}
    assert mail["config"]["templateId"] == mail["templateId"]


def test_what_was_deployed_runs(api: Any, machine: Machine) -> None:
    deployed(api, TEMPLATE, WORKFLOW)
    flow = flow_of(api, "Onboarding")
    track(api, "signed_up", data={"plan": "free"}, email="free@example.org")
    track(api, "signed_up", data={"plan": "pro"})
    machine.settle()
    assert len(machine.mail.messages) == 1
    machine.sleep(days=1)
    track(api, "paid")
    machine.settle()
    run = only_run(api, flow)
    assert (run["status"], run["exitReason"]) == ("COMPLETED", "paid")
    contact = run["contactId"]
    refused = api.post(f"/workflows/{flow['id']}/executions", {"contactId": contact})
    assert refused.status_code == 409
    machine.sleep(days=31)
    again = api.post(f"/workflows/{flow['id']}/executions", {"contactId": contact})
    assert again.status_code == 201


def test_deploying_the_same_again_changes_nothing(api: Any) -> None:
    deployed(api, TEMPLATE, WORKFLOW, PLAIN)
    before = [flow_of(api, name) for name in ("Onboarding", "Plain")]
    again = deployed(api, TEMPLATE, WORKFLOW, PLAIN)
    assert {status for _, status in statuses(again)} == {"unchanged"}
    assert [flow_of(api, name) for name in ("Onboarding", "Plain")] == before


def test_only_what_changed_changes(api: Any) -> None:
    deployed(api, TEMPLATE, WORKFLOW, PLAIN)
    answer = deployed(api, TEMPLATE, WORKFLOW.replace("1 day", "2 days"), PLAIN)
    assert statuses(answer) == [
        ("welcome", "unchanged"),
        ("Onboarding", "changed"),
        ("Plain", "unchanged"),
    ]
    answer = deployed(api, TEMPLATE.replace("Welcome", "Hi"), PLAIN)
    assert statuses(answer) == [("welcome", "changed"), ("Plain", "unchanged")]
    assert api.get("/templates").json["data"][0]["body"] == "<p>Hi</p>"


@pytest.mark.parametrize(
    ("old", "new"),
    [("x == 1", "x == true"), ("x: 1", "x: true"), ("{ x: 0 }", "{ x: false }")],
)
def test_true_is_not_one(api: Any, old: str, new: str) -> None:
    text = """workflow "A" {
  on event "go" where event.x == 1
  update contact { x: 1 }
  update contact { x: 0 }
}
"""
    deployed(api, text)
    assert old in text
    answer = deployed(api, text.replace(old, new))
    assert statuses(answer) == [("A", "changed")]
    assert statuses(deployed(api, text)) == [("A", "changed")]


def test_large_and_fractional_numbers_stay_the_same(api: Any) -> None:
    text = """workflow "A" {
  on event "go"
  update contact { a: 1.0, b: 100000000000000000000.0, c: 0.1, d: 9007199254740991 }
}
"""
    deployed(api, text)
    assert statuses(deployed(api, text)) == [("A", "unchanged")]


@pytest.mark.parametrize(
    ("texts", "message"),
    [
        ([PLAIN, 'workflow "B" {\n  on event "go"\n  send email "nowhere"\n}\n'], "nowhere"),
        ([PLAIN, 'workflow "B" {\n  on event "go"\n  wait 1 dya\n}\n'], "dya"),
        ([PLAIN, 'workflow "B" {\n  on event "go"\n  send email id "x"\n}\n'], "'x'"),
        ([PLAIN, TEMPLATE.replace("Hello", "Hello\\n")], "line breaks"),
        ([PLAIN, TEMPLATE.replace("{{ firstName ?? 'friend' }}", "{% if %}")], "if is not closed"),
        ([PLAIN, TEMPLATE.replace("ada@acme.test", "{{ sender }}")], "from"),
        ([PLAIN, TEMPLATE.replace("<p>Welcome</p>", " ")], "body"),
        ([PLAIN, f'workflow "B" {{\n  description "{"x" * 501}"\n  on event "go"\n}}\n'], "500"),
        ([PLAIN, f'workflow "B" {{\n  on event "{"x" * 256}"\n}}\n'], "255"),
        ([PLAIN, PLAIN], "Plain"),
    ],
)
def test_one_mistake_stops_everything(api: Any, texts: list[str], message: str) -> None:
    assert any(message in one for one in messages(deploy(api, *texts)))
    assert api.get("/workflows").json["total"] == 0
    assert api.get("/templates").json["total"] == 0


def test_mistakes_against_the_project_come_all_at_once_with_their_places(api: Any) -> None:
    template(api, "twice")
    template(api, "twice")
    workflow(api, name="Same")
    workflow(api, name="Same")
    text = """workflow "Same" {
  on event "go"
  send email "twice"
  send email "nowhere"
}
template "twice" { type: marketing subject: "S" from: "a@acme.test" body: "B" }
"""
    answer = deploy(api, text)
    found = messages(answer)
    places = [
        (one["code"], one["range"]["start"]["line"])
        for one in answer.json["error"]["details"]["diagnostics"]
    ]
    assert ("FLOW-E201", 1) in places
    assert ("FLOW-E204", 4) in places
    assert ("FLOW-E202", 6) in places
    assert len(found) == 3


def test_an_ambiguous_template_needs_its_id(api: Any) -> None:
    first, second = template(api, "twice"), template(api, "twice")
    text = 'workflow "A" {\n  on event "go"\n  send email "twice"\n}\n'
    (message,) = messages(deploy(api, text))
    assert "several templates" in message
    deployed(api, text.replace('"twice"', f'id "{second}"'))
    assert flow_of(api, "A")["steps"][1]["templateId"] == second != first


def test_templates_of_strangers_are_unknown(api: Any, stranger_api: Any) -> None:
    foreign = template(stranger_api, "welcome")
    assert messages(deploy(api, WORKFLOW))
    text = f'workflow "A" {{\n  on event "go"\n  send email id "{foreign}"\n}}\n'
    assert messages(deploy(api, text))
    deployed(stranger_api, PLAIN)
    assert statuses(deployed(api, PLAIN)) == [("Plain", "created")]


def test_files_are_read_from_the_bundle_only(api: Any) -> None:
    text = TEMPLATE.replace('"<p>Welcome</p>"', 'file("mail/body.html")')
    files = {"flows/a.flow": text, "flows/mail/body.html": "<p>From a file</p>"}
    assert api.post("/flows/deploy", {"files": files}).status_code == 200
    assert api.get("/templates").json["data"][0]["body"] == "<p>From a file</p>"
    for path in ("/etc/passwd", "../secret.html", "missing.html"):
        bad = TEMPLATE.replace('"<p>Welcome</p>"', f'file("{path}")')
        assert messages(deploy(api, bad))


def test_switching_on_and_off(api: Any) -> None:
    off = PLAIN.replace("{\n", "{\n  disabled\n", 1)
    deployed(api, off)
    assert flow_of(api, "Plain")["enabled"] is False
    deployed(api, PLAIN)
    assert flow_of(api, "Plain")["enabled"] is False
    api.patch(f"/workflows/{flow_of(api, 'Plain')['id']}", {"enabled": True})
    assert statuses(deployed(api, PLAIN)) == [("Plain", "unchanged")]
    assert flow_of(api, "Plain")["enabled"] is True
    assert statuses(deployed(api, off)) == [("Plain", "changed")]
    assert flow_of(api, "Plain")["enabled"] is False
    assert statuses(deployed(api, off)) == [("Plain", "unchanged")]


def test_stale_deployments_are_refused(api: Any) -> None:
    deployed(api, PLAIN)
    changed = PLAIN.replace("1 day", "2 days")
    assert deploy(api, changed, expectedRevision={"Plain": 1}).status_code == 200
    answer = deploy(api, PLAIN, expectedRevision={"Plain": 1})
    assert (answer.status_code, answer.json["error"]["details"]) == (409, {"revision": 2})
    new = PLAIN.replace("Plain", "New")
    assert deploy(api, new, expectedRevision={"New": 3}).status_code == 409
    assert deploy(api, new, expectedRevision={"New": 0}).status_code == 200
    flow = flow_of(api, "Plain")
    assert put(api, flow, PLAIN, expectedRevision=1).status_code == 409
    assert put(api, flow, PLAIN, expectedRevision=2).status_code == 200


STEPS = """workflow "Steps" {{
  on event "go"
{}
}}
"""
BASE = ["wait 1 day", "track_a", "wait 3 days", "exit"]
STATEMENT = {
    "track_a": "update contact { a: 1 }",
    "track_b": "update contact { b: 1 }",
    "one": "wait 1 day",
    "two": "wait 2 days",
    "three": "wait 3 days",
    "end": 'exit "end"',
    "label one": "@first wait 1 day",
    "label two": "@first wait 2 days",
    "other two": "@second wait 2 days",
    "if": "if contact.data.x { wait 1 day }",
}


def steps_text(names: str) -> str:
    return STEPS.format("\n".join(f"  {STATEMENT[name]}" for name in names.split(", ")))


@pytest.mark.parametrize(
    ("before", "after", "same"),
    [
        # what stays, as (place before, place after); 0 is the trigger
        ("one, end", "one, end", {(1, 1), (2, 2)}),
        ("one, end", "two, end", {(1, 1), (2, 2)}),
        ("one, end", "track_a, one, end", {(1, 2), (2, 3)}),
        ("one, track_a, three, end", "track_a, three, one, end", {(1, 3), (2, 1), (3, 2), (4, 4)}),
        ("one, track_a, three, end", "one, end", {(1, 1), (4, 2)}),
        ("one, track_a, three, end", "one, track_b, three, end", {(1, 1), (2, 2), (3, 3), (4, 4)}),
        ("one, one, end", "one, end", {(1, 1), (3, 2)}),
        ("label one, end", "label two, end", {(1, 1), (2, 2)}),
        ("label one, end", "one, label two, end", {(1, 2), (2, 3)}),
        ("one, end", "label one, end", {(1, 1), (2, 2)}),
        ("label one, end", "other two, end", {(2, 2)}),
        ("one, end", "if, end", {(1, 2), (2, 3)}),
        ("one, end", "track_a, end", {(2, 2)}),
    ],
)
def test_steps_keep_their_identity(
    api: Any, before: str, after: str, same: set[tuple[int, int]]
) -> None:
    deployed(api, steps_text(before))
    old = reading_order(flow_of(api, "Steps"))
    deployed(api, steps_text(after))
    new = reading_order(flow_of(api, "Steps"))
    kept = {(old.index(one), new.index(one)) for one in old if one in new}
    assert kept == same | {(0, 0)}


def reading_order(flow: dict[str, Any]) -> list[str]:
    steps = {one["id"]: one for one in flow["steps"]}
    order, stack = [], [flow["steps"][0]["id"]]
    while stack:
        here = stack.pop()
        if here not in order:
            order.append(here)
            ways = steps[here]["outgoingTransitions"]
            stack.extend(way["toStepId"] for way in reversed(ways))
    return order


def test_a_parked_run_keeps_its_place(api: Any, machine: Machine) -> None:
    deployed(api, steps_text("one, end"))
    flow = flow_of(api, "Steps")
    track(api)
    machine.settle()
    parked = only_run(api, flow)["currentStepId"]
    answer = deployed(api, steps_text("track_a, one, track_b, end"))
    assert answer["workflows"][0]["revision"] == 2
    assert only_run(api, flow)["currentStepId"] == parked
    machine.sleep(days=1)
    run = only_run(api, flow)
    assert run["status"] == "COMPLETED"
    assert [one["step"]["type"] for one in run["stepExecutions"]] == [
        "TRIGGER",
        "DELAY",
        "UPDATE_CONTACT",
        "EXIT",
    ]
    assert api.get(f"/contacts/{run['contactId']}").json["data"] == {"b": 1}


def test_the_timeline_shows_steps_that_a_text_removed(api: Any, machine: Machine) -> None:
    deployed(api, steps_text("track_a, one, end"))
    flow = flow_of(api, "Steps")
    track(api)
    machine.settle()
    deployed(api, steps_text("end"))
    machine.sleep(days=1)
    run = only_run(api, flow)
    assert run["status"] == "COMPLETED"
    shown = [one["step"]["name"] for one in run["stepExecutions"]]
    assert shown[:3] == ["Trigger: go", "Update a", "Wait 1 day"]
    assert len(flow_of(api, "Steps")["steps"]) == 2


def test_putting_a_text_replaces_the_graph(api: Any) -> None:
    flow = workflow(api, ("DELAY", {"amount": 1, "unit": "days"}), enabled=False, name="Old")
    answer = put(api, flow, TEMPLATE + WORKFLOW)
    assert answer.status_code == 200, answer.text
    assert statuses(answer.json) == [("welcome", "created"), ("Onboarding", "changed")]
    assert answer.json["workflows"][0]["id"] == flow["id"]
    now = api.get(f"/workflows/{flow['id']}").json
    assert (now["name"], now["enabled"], now["revision"]) == ("Onboarding", False, 3)
    assert now["steps"][0]["id"] == flow["steps"][0]["id"]
    assert statuses(put(api, flow, TEMPLATE + WORKFLOW).json)[1] == ("Onboarding", "unchanged")


@pytest.mark.parametrize("member", ["source", "text", "flow"])
def test_the_text_may_come_under_three_names(api: Any, member: str) -> None:
    flow = workflow(api)
    answer = api.put(f"/workflows/{flow['id']}/flow", {member: PLAIN})
    assert answer.status_code == 200


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"source": 5},
        {"source": ""},
        {"source": TEMPLATE},
        {"source": PLAIN + PLAIN.replace("Plain", "Other")},
        {"source": "workflow"},
        {"source": PLAIN, "files": {"other.flow": PLAIN.replace("Plain", "Other")}},
        {"source": PLAIN, "files": {"workflow.flow": "x"}},
        {"source": PLAIN, "files": "x"},
        {"source": PLAIN, "expectedRevision": "1"},
    ],
)
def test_putting_refuses(api: Any, body: dict[str, Any]) -> None:
    flow = workflow(api)
    assert api.put(f"/workflows/{flow['id']}/flow", body).status_code == 422
    assert api.get(f"/workflows/{flow['id']}").json == flow


def test_a_put_text_may_refer_to_files(api: Any) -> None:
    flow = workflow(api)
    text = TEMPLATE.replace('"<p>Welcome</p>"', 'file("body.html")') + WORKFLOW
    assert put(api, flow, text, files={"body.html": "<p>File</p>"}).status_code == 200
    assert api.get("/templates").json["data"][0]["body"] == "<p>File</p>"
    shown = api.get(f"/workflows/{flow['id']}/flow").json["flow"]
    assert shown == WORKFLOW.lstrip("\n")
    assert statuses(put(api, flow, shown).json) == [("Onboarding", "unchanged")]
    assert api.get(f"/workflows/{flow['id']}/flow").json == {"flow": shown, "revision": 2}


def test_reading_back_what_was_written(api: Any) -> None:
    template(api, "welcome")
    flow = workflow(api)
    put(api, flow, WORKFLOW)
    answer = api.get(f"/workflows/{flow['id']}/flow")
    assert (answer.status_code, answer.json) == (200, {"flow": WORKFLOW, "revision": 2})


def test_a_text_is_not_read_back_with_a_template_that_changed_since(api: Any) -> None:
    flow = workflow(api)
    put(api, flow, TEMPLATE + WORKFLOW)
    path = f"/workflows/{flow['id']}/flow"
    assert api.get(path).json["flow"] == TEMPLATE + WORKFLOW
    letter = api.get("/templates").json["data"][0]["id"]
    api.patch(f"/templates/{letter}", {"subject": "New"})
    assert api.get(path).json["flow"] == WORKFLOW.lstrip("\n")


def test_a_text_follows_the_new_name_of_a_template(api: Any) -> None:
    letter = template(api, "welcome")
    flow = workflow(api)
    put(api, flow, WORKFLOW)
    path = f"/workflows/{flow['id']}/flow"
    api.patch(f"/templates/{letter}", {"name": "hello"})
    text = api.get(path).json["flow"]
    assert 'send email "hello"' in text
    assert put(api, flow, text).status_code == 200
    api.patch(f"/templates/{letter}", {"name": "old"})
    template(api, "hello")
    assert 'send email "old"' in api.get(path).json["flow"]


def test_each_workflow_of_a_file_has_its_own_text(api: Any) -> None:
    both = "# about both\n\n# about A\n" + PLAIN.replace("Plain", "A") + "\n" + PLAIN
    answer = deployed(api, both)
    first, second = (one["id"] for one in answer["workflows"])
    shown = api.get(f"/workflows/{first}/flow").json["flow"]
    assert shown == "# about A\n" + PLAIN.replace("Plain", "A")
    assert api.get(f"/workflows/{second}/flow").json["flow"] == PLAIN
    again = deployed(api, both.replace('exit "done"', 'exit "finished"', 1))
    assert statuses(again) == [("A", "changed"), ("Plain", "unchanged")]


def test_a_graph_built_step_by_step_is_put_into_words(api: Any) -> None:
    letter = template(api, "Letter")
    flow = workflow(
        api,
        ("UPDATE_CONTACT", {"data": {"a": 1}, "subscriptionAction": "none"}),
        ("SEND_EMAIL", {"templateId": letter, "recipient": {"type": "CONTACT"}}),
        ("WEBHOOK", {"url": "https://hooks.example.com/x"}),
        ("DELAY", {"amount": 2, "unit": "hours"}),
        ("CONDITION", {"field": "data.plan", "operator": "equals", "value": "pro"}),
        ("EXIT", {"reason": "pro"}),
        name="Built",
        allowReentry=True,
    )
    wait = step(api, flow, "WAIT_FOR_EVENT", {"eventName": "paid", "timeout": 3600}, connect=False)
    edge(api, flow, flow["steps"][5]["id"], wait, branch="no")
    end = step(api, flow, "EXIT", {"reason": ""}, connect=False)
    edge(api, flow, wait, end)
    path = f"/workflows/{flow['id']}/flow"
    text = api.get(path).json["flow"]
    assert "@" not in text.replace("@ ", "")
    for words in (
        'workflow "Built" {',
        'on event "go"',
        "reentry always",
        "update contact { a: 1 }",
        'send email "Letter"',
        'webhook POST "https://hooks.example.com/x"',
        "wait 2 hours",
        'if contact.data.plan == "pro" {',
        'exit "pro"',
        'wait for event "paid" up to 1 hour',
    ):
        assert words in text
    before = api.get(f"/workflows/{flow['id']}").json
    assert put(api, flow, text).status_code == 200
    after = api.get(f"/workflows/{flow['id']}").json
    assert [one["id"] for one in after["steps"]] == [one["id"] for one in before["steps"]]
    assert api.get(path).json["flow"] == text
    assert statuses(put(api, flow, text).json) == [("Built", "unchanged")]


def test_an_edit_by_hand_takes_the_written_text_out_of_use(api: Any) -> None:
    deployed(api, PLAIN)
    flow = flow_of(api, "Plain")
    path = f"/workflows/{flow['id']}"
    api.patch(path, {"description": "Edited"})
    text = api.get(f"{path}/flow").json["flow"]
    assert 'description "Edited"' in text
    assert "wait 1 day" in text
    api.patch(path, {"eventName": "other"})
    assert 'on event "other"' in api.get(f"{path}/flow").json["flow"]


@pytest.mark.parametrize(
    ("type_", "config"),
    [
        ("SEND_EMAIL", {}),
        ("DELAY", {}),
        ("CONDITION", {"mode": "multi", "field": "data.a", "branches": []}),
        ("CONDITION", {"field": {"field": "a"}, "operator": "equals", "value": 1}),
        ("WEBHOOK", {"url": 5}),
        ("UPDATE_CONTACT", {"updates": {"a": 1}, "subscriptionAction": "subscribe"}),
        ("EXIT", {"reason": "x", "more": {"deep": [1]}}),
    ],
)
def test_what_has_no_words_is_written_as_it_is_stored(
    api: Any, type_: str, config: dict[str, Any]
) -> None:
    flow = workflow(api, (type_, config))
    answer = api.get(f"/workflows/{flow['id']}/flow")
    assert answer.status_code == 200
    assert f"step {type_} {{" in answer.json["flow"]


def test_loose_steps_are_written_behind_the_end(api: Any) -> None:
    loose = workflow(api)
    step(api, loose, "EXIT", {}, connect=False)
    answer = api.get(f"/workflows/{loose['id']}/flow")
    assert "goto end\n  @exit exit\n" in answer.json["flow"]


def test_a_workflow_started_by_hand_only(api: Any) -> None:
    text = 'workflow "Manual" {\n  on manual\n\n  exit\n}\n'
    deployed(api, text)
    flow = flow_of(api, "Manual")
    assert (flow["triggerType"], flow["triggerConfig"]) == ("MANUAL", None)
    track(api, "manual")
    assert runs(api, flow) == []
    api.patch(f"/workflows/{flow['id']}", {"description": "x"})
    assert "on manual" in api.get(f"/workflows/{flow['id']}/flow").json["flow"]
