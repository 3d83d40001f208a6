"""Plans: what a deployment would do, said beforehand and then done just so."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, event, select, update

from plunk.db import transaction
from plunk.models import Segment, Template, Workflow
from tests.conftest import Api
from tests.factories import Machine, track
from tests.simulation.random_flows import bundle

EXAMPLES = int(os.environ.get("PLAN_EXAMPLES", "8"))

BASE = """
template "hello" {
  type: transactional
  subject: "Hello"
  from: "a@acme.test"
  body: "<p>Hi</p>"
}
segment "Pros" { where data.plan == "pro" }
workflow "Week" {
  on event "go"
  reentry always

  @pause wait 2 days
  send email "hello"
  @gate if contact.data.vip { update contact { seen: true } } else { wait 1 hour }
  exit "done"
}
"""


def ask(api: Any, text: str, **fields: Any) -> Any:
    return api.post("/flows/plan", {"files": {"a.flow": text}, **fields})


def planned(api: Any, text: str, **fields: Any) -> Any:
    answer = ask(api, text, **fields)
    assert answer.status_code == 200, answer.text
    return answer.json


def deploy(api: Any, text: str, **fields: Any) -> Any:
    return api.post("/flows/deploy", {"files": {"a.flow": text}, **fields})


def deployed(api: Any, text: str, **fields: Any) -> Any:
    answer = deploy(api, text, **fields)
    assert answer.status_code == 200, answer.text
    return answer.json


def outcomes(answer: Any) -> list[tuple[str, str]]:
    kinds = ("templates", "segments", "workflows")
    return [(one["name"], one["status"]) for kind in kinds for one in answer[kind]]


def steps(plan: Any) -> list[tuple[str, str, int]]:
    (workflow,) = plan["workflows"]
    return [(one["change"], one["name"], one["people"]) for one in workflow["steps"]]


def everything(api: Any) -> Any:
    """Return all that a deployment could change, as far as the API shows it."""
    flows = [
        (api.get(f"/workflows/{one['id']}").json, api.get(f"/workflows/{one['id']}/flow").json)
        for one in api.get("/workflows").json["data"]
    ]
    return flows, api.get("/templates").json, api.get("/segments").json


def test_a_plan_says_what_is_new_and_stores_nothing(api: Any) -> None:
    plan = planned(api, BASE)
    assert plan["digest"].startswith("sha256:")
    assert outcomes(plan) == [("hello", "created"), ("Pros", "created"), ("Week", "created")]
    (workflow,) = plan["workflows"]
    assert (workflow["id"], workflow["revision"]) == (None, None)
    assert {one["change"] for one in workflow["steps"]} == {"added"}
    assert [one["type"] for one in workflow["steps"]] == [
        "DELAY",
        "SEND_EMAIL",
        "CONDITION",
        "UPDATE_CONTACT",
        "DELAY",
        "EXIT",
    ]
    mail = workflow["steps"][1]
    assert (mail["old"], mail["new"]) == (None, {"template": {"name": "hello"}})
    headers = {one["name"]: one["new"] for one in workflow["headers"]}
    assert headers["reentry"] == "always"
    assert everything(api)[0] == []
    assert (api.get("/templates").json["total"], api.get("/segments").json) == (0, [])


def test_nothing_to_change(api: Any) -> None:
    deployed(api, BASE)
    plan = planned(api, BASE)
    assert {status for _, status in outcomes(plan)} == {"unchanged"}
    (workflow,) = plan["workflows"]
    assert (workflow["revision"], workflow["steps"], workflow["headers"]) == (1, [], [])


def test_what_changes_is_told_with_the_people_who_stand_there(api: Any, machine: Machine) -> None:
    deployed(api, BASE)
    for name in ("kim", "ada"):
        track(api, email=f"{name}@example.org")
    machine.settle()
    text = (
        BASE.replace("2 days", "3 hours")
        .replace('  send email "hello"\n', "")
        .replace("contact.data.vip", 'contact.data.plan == "pro"')
        .replace('  exit "done"\n', '  track "left"\n  exit "done"\n')
        .replace("reentry always", "reentry after 1 day")
        .replace('subject: "Hello"', 'subject: "Hi"')
        .replace('"pro" }', '"team" }')
    )
    plan = planned(api, text)
    assert plan["templates"][0]["changes"] == ["subject"]
    assert plan["templates"][0]["differences"] == [{"name": "subject", "old": "Hello", "new": "Hi"}]
    assert plan["segments"][0]["changes"] == ["condition"]
    assert plan["segments"][0]["differences"] == [
        {"name": "condition", "old": 'data.plan == "pro"', "new": 'data.plan == "team"'}
    ]
    (workflow,) = plan["workflows"]
    assert workflow["headers"] == [
        {"name": "reentry", "old": "always", "new": {"after": 86_400}},
    ]
    assert workflow["headerText"] == {
        "removed": ["reentry always"],
        "added": ["reentry after 1 day"],
    }
    changes = {(one["change"], one["type"]): one for one in workflow["steps"]}
    assert changes.keys() == {
        ("changed", "DELAY"),
        ("rerouted", "DELAY"),
        ("changed", "CONDITION"),
        ("rerouted", "UPDATE_CONTACT"),
        ("added", "TRACK"),
        ("removed", "SEND_EMAIL"),
    } | {("rerouted", "DELAY")}
    wait = changes["changed", "DELAY"]
    assert (wait["label"], wait["people"]) == ("pause", 2)
    assert (wait["old"]["unit"], wait["new"]["unit"]) == ("days", "hours")
    assert changes["removed", "SEND_EMAIL"]["people"] == 0
    assert changes["removed", "SEND_EMAIL"]["old"] == {"template": {"name": "hello"}}


def test_conditions_are_told_as_texts(api: Any) -> None:
    flow = 'workflow "W" {\n  on event "go" where event.n > 1\n  wait for event "x" up to 1 day\n}'
    deployed(api, flow)
    new = flow.replace("event.n > 1", 'event.plan == "pro"').replace(
        'event "x"', 'event "x" where event.ok'
    )
    (workflow,) = planned(api, new)["workflows"]
    (header,) = workflow["headers"]
    assert (header["old"][0]["where"], header["new"][0]["where"]) == (
        "event.n > 1",
        'event.plan == "pro"',
    )
    assert workflow["headerText"] == {
        "removed": ['on event "go" where event.n > 1'],
        "added": ['on event "go" where event.plan == "pro"'],
    }
    (wait,) = workflow["steps"]
    assert (wait["old"]["where"], wait["new"]["where"]) == (None, "event.ok")


SAYING = """
workflow "W" {
  on event "go"
  update contact { score: 1 }
  wait until contact.data.due
  webhook POST "https://a.test" {
    headers: { Authorization: "Bearer abc", "X-Old": "one", "X-Plan": contact.data.plan }
  }
  split { 50% "a" {} 50% "b" {} }
  switch contact.data.plan { case "pro" { exit } }
}
"""


def test_changed_steps_are_told_in_the_words_of_the_language(api: Any) -> None:
    deployed(api, SAYING)
    text = SAYING.replace("score: 1", "score: contact.data.score + 1")
    text = text.replace("contact.data.due", "contact.data.due - 2 days")
    text = text.replace('50% "a"', '30% "a"').replace('50% "b"', '70% "b"')
    text = text.replace('case "pro"', 'case "pro", "team"')
    (workflow,) = planned(api, text)["workflows"]
    told = {one["type"]: one["text"] for one in workflow["steps"] if one["change"] == "changed"}
    assert told == {
        "UPDATE_CONTACT": {
            "old": ["update contact { score: 1 }"],
            "new": ["update contact { score: contact.data.score + 1 }"],
        },
        "DELAY": {
            "old": ["wait until contact.data.due"],
            "new": ["wait until contact.data.due - 2 days"],
        },
        "SPLIT": {
            "old": ["split", '  50% "a"', '  50% "b"'],
            "new": ["split", '  30% "a"', '  70% "b"'],
        },
        "CONDITION": {
            "old": ["switch contact.data.plan", '  case "pro"'],
            "new": ["switch contact.data.plan", '  case "pro", "team"'],
        },
    }


def test_plain_headers_of_web_hooks_are_hidden(api: Any) -> None:
    new = planned(api, SAYING)
    deployed(api, SAYING)
    changed = planned(api, SAYING.replace("Bearer abc", "Bearer xyz"))
    gone = planned(api, 'workflow "W" {\n  on event "go"\n}\n')
    for plan in (new, changed, gone):
        assert "Bearer" not in str(plan)
        assert "hidden" in str(plan)
    (hook,) = changed["workflows"][0]["steps"]
    assert hook["old"]["headers"]["Authorization"] == "[hidden]"
    assert hook["new"]["headers"]["Authorization"] == "[hidden, changed]"
    assert hook["new"]["headers"]["X-Old"] == "[hidden]"
    assert '"X-Plan": contact.data.plan' in "".join(hook["text"]["new"])


def test_who_stands_on_a_removed_step_goes_on_at_the_next_one(api: Any) -> None:
    deployed(api, BASE)
    (workflow,) = planned(api, BASE.replace("  @pause wait 2 days\n", ""))["workflows"]
    removed = [one for one in workflow["steps"] if one["change"] == "removed"]
    assert [one["goesOn"] for one in removed] == ["Send hello"]
    (workflow,) = planned(api, 'workflow "Week" {\n  on event "go"\n}\n')["workflows"]
    removed = [one for one in workflow["steps"] if one["change"] == "removed"]
    assert {one["goesOn"] for one in removed} == {None}


EDITS = {
    "nothing": lambda text: text,
    "a shorter delay": lambda text: text.replace("2 days", "1 hour"),
    "a removed step": lambda text: text.replace("  @pause wait 2 days\n", ""),
    "a new step": lambda text: text.replace("  exit", '  track "x"\n  exit'),
    "a renamed template": lambda text: text.replace('"hello"', '"hallo"'),
    "switched off": lambda text: text.replace("  reentry", "  disabled\n  reentry"),
    "a second workflow": lambda text: text + PLAIN,
    "a segment on a new segment": lambda text: text + CHAIN,
    "everything else": lambda text: text.replace("plan", "level").replace("Hello", "Hey"),
}
PLAIN = 'workflow "Plain" {\n  on event "go"\n  send email "hello"\n}\n'
CIRCLE = (
    'segment "A" { where contact in segment "B" }\nsegment "B" { where contact in segment "A" }\n'
)
CHAIN = (
    'segment "Deep" { where contact in segment "Lazy" }\n'
    'segment "Lazy" { where contact in segment "Pros" }\n'
)


@pytest.mark.parametrize("edit", EDITS, ids=str)
@pytest.mark.parametrize("before", ["", BASE], ids=["new", "there"])
def test_a_deployment_does_just_what_its_plan_says(api: Any, edit: str, before: str) -> None:
    if before:
        deployed(api, before)
    text = EDITS[edit](BASE)
    stored = everything(api)
    plan = planned(api, text)
    assert everything(api) == stored
    answer = deployed(api, text, planDigest=plan["digest"])
    assert outcomes(answer) == outcomes(plan)
    again = planned(api, text)
    assert {status for _, status in outcomes(again)} == {"unchanged"}
    assert all(one["steps"] == one["headers"] == [] for one in again["workflows"])


@settings(
    max_examples=EXAMPLES,
    deadline=None,
    phases=[Phase.explicit, Phase.generate],  # shrinking takes minutes with a database
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(bundle(), bundle(), st.sampled_from(["follow", "pin", "drain"]))
def test_any_deployment_does_just_what_its_plan_says(
    api: Any, first: str, second: str, policy: str
) -> None:
    deployed(api, first)
    plan = planned(api, second, inFlight=policy)
    answer = deployed(api, second, inFlight=policy, planDigest=plan["digest"])
    assert outcomes(answer) == outcomes(plan)
    for one, done in zip(plan["workflows"], answer["workflows"], strict=True):
        assert bool(one["headers"] or one["steps"]) == (one["status"] != "unchanged")
        assert_told(api, one, done)
    again = planned(api, second, inFlight=policy)
    assert {status for _, status in outcomes(again)} == {"unchanged"}


def assert_told(api: Any, plan: Any, done: Any) -> None:
    """Make sure that the steps which are there now are those that the plan told of."""
    flow = api.get(f"/workflows/{done['id']}").json
    names = Counter(step["name"] for step in flow["steps"])
    told = Counter(one["name"] for one in plan["steps"] if one["change"] == "added")
    assert told <= names
    if plan["status"] == "created":
        assert told.total() == names.total() - 1  # but for the trigger


def stale(answer: Any) -> bool:
    assert answer.status_code in {200, 409}, answer.text
    if answer.status_code == 200:
        return False
    assert answer.json["error"]["code"] == "CONFLICT"
    assert "make a new plan" in answer.json["error"]["message"]
    return True


MEANWHILE = {
    "a step was added": lambda api, ids: api.post(
        f"/workflows/{ids['Week']}/steps",
        {"type": "EXIT", "name": "E", "position": {"x": 0, "y": 0}, "config": {}},
    ),
    "it was renamed": lambda api, ids: api.patch(f"/workflows/{ids['Week']}", {"name": "Weak"}),
    "it was switched off": lambda api, ids: api.patch(
        f"/workflows/{ids['Week']}", {"enabled": False}
    ),
    "its template was edited": lambda api, ids: api.patch(
        f"/templates/{ids['hello']}", {"subject": "Moin"}
    ),
    "its segment was edited": lambda api, ids: api.patch(
        f"/segments/{ids['Pros']}", {"description": "All of them"}
    ),
}


@pytest.mark.parametrize("edit", MEANWHILE, ids=str)
def test_a_stale_plan_is_refused_and_changes_nothing(api: Any, edit: str) -> None:
    first = deployed(api, BASE)
    ids = {one["name"]: one["id"] for kind in first if kind != "diagnostics" for one in first[kind]}
    text = BASE.replace("2 days", "1 hour")
    digest = planned(api, text)["digest"]
    assert MEANWHILE[edit](api, ids).status_code in {200, 201}
    before = everything(api)
    assert stale(deploy(api, text, planDigest=digest))
    assert everything(api) == before
    assert not stale(deploy(api, text, planDigest=planned(api, text)["digest"]))


@pytest.mark.parametrize("table", [Template, Segment, Workflow], ids=lambda one: one.__name__)
def test_an_edit_that_is_under_way_counts(api: Api, sessions: Any, table: Any) -> None:
    deployed(api, BASE)
    text = BASE.replace("2 days", "1 hour")
    digest = planned(api, text)["digest"]
    with ThreadPoolExecutor(1) as pool:
        with transaction(sessions) as session:
            session.execute(update(table).values(description="edited"))
            waiting = pool.submit(lambda: deploy(api, text, planDigest=digest))
            with pytest.raises(TimeoutError):  # it waits for us to be done
                waiting.result(timeout=0.3)
        assert stale(waiting.result(timeout=30))


def test_a_plan_is_for_its_own_files_and_project(api: Any, stranger_api: Any) -> None:
    digest = planned(api, BASE)["digest"]
    assert stale(deploy(api, BASE + "\n# a comment", planDigest=digest))
    assert stale(deploy(api, BASE, planDigest="sha256:0"))
    deployed(stranger_api, BASE)
    assert not stale(deploy(api, BASE, planDigest=digest))
    assert stale(deploy(api, BASE, planDigest=digest))


def test_what_happens_elsewhere_and_who_walks_on_leaves_a_plan_fresh(
    api: Any, machine: Machine
) -> None:
    deployed(api, BASE)
    text = BASE.replace("2 days", "1 hour")
    digest = planned(api, text)["digest"]
    deployed(api, PLAIN.replace('  send email "hello"\n', "  wait 1 day\n"))
    track(api)
    machine.settle()
    assert not stale(deploy(api, text, planDigest=digest))


def test_of_two_deployments_of_one_plan_one_is_refused(api: Api) -> None:
    deployed(api, BASE)
    text = BASE.replace("2 days", "1 hour")
    digest = planned(api, text)["digest"]
    app = api.client.application
    clients = [Api(app.test_client(), api.key) for _ in range(4)]
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda one: deploy(one, text, planDigest=digest), clients))
    assert sorted(stale(answer) for answer in answers) == [False, True, True, True]
    (workflow,) = planned(api, text)["workflows"]
    assert (workflow["status"], workflow["revision"]) == ("unchanged", 2)


@pytest.mark.parametrize(
    ("text", "fields", "status"),
    [
        ("workflow {", {}, 422),
        ('workflow "W" { on event "e"  send email "nobody" }', {}, 422),
        (BASE, {"expectedRevision": {"Week": 3}}, 409),
        (BASE, {"expectedRevision": {"Other": 3}}, 422),
        (CIRCLE, {}, 422),
    ],
)
def test_a_plan_meets_the_objections_of_a_deployment(
    api: Any, text: str, fields: Any, status: int
) -> None:
    deployed(api, BASE)
    before = everything(api)
    answer, deployment = ask(api, text, **fields), deploy(api, text, **fields)
    assert (answer.status_code, deployment.status_code) == (status, status)
    errors = [one.json["error"] for one in (answer, deployment)]
    assert errors[0]["message"] == errors[1]["message"]
    assert errors[0].get("details") == errors[1].get("details")
    assert everything(api) == before


def test_a_plan_warns(api: Any) -> None:
    text = 'workflow "W" {\n  on event "go"\n  exit "x"\n  wait 1 day\n}\n'
    found = planned(api, text)["diagnostics"]
    assert [one["severity"] for one in found] == ["warning"]


def statements(ask: Callable[[], Any]) -> int:
    """Return how many statements an answer takes."""
    seen: list[object] = []

    def note(*args: object) -> None:
        seen.append(args[2])

    event.listen(Engine, "before_cursor_execute", note)
    try:
        ask()
    finally:
        event.remove(Engine, "before_cursor_execute", note)
    return len(seen)


@pytest.mark.parametrize("face", [planned, deployed])
def test_an_unchanged_workflow_costs_no_query(api: Any, face: Any) -> None:
    def texts(many: int) -> str:
        return "".join(NUMBERED.format(number=number) for number in range(many))

    deployed(api, texts(9))
    few, many = (statements(lambda count=count: face(api, texts(count))) for count in (2, 9))
    assert many == few


NUMBERED = """
workflow "W{number}" {{
  on event "go"
  wait 1{number} hours
  exit "done"
}}
"""


def test_people_enter_while_a_plan_is_made(api: Any, sessions: Any) -> None:
    deployed(api, BASE)
    with transaction(sessions) as entering:
        if entering.get_bind().dialect.name == "sqlite":
            return  # one writer at a time, whatever it writes
        entering.execute(select(Workflow.id).with_for_update(read=True, key_share=True))
        with ThreadPoolExecutor(1) as pool:
            plan = pool.submit(planned, api, BASE.replace("2 days", "3 days"))
            try:
                assert plan.result(timeout=30)["workflows"][0]["status"] == "changed"
            finally:
                entering.rollback()
