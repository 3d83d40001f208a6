"""`plunk plan`, and `plunk deploy` with a saved plan, against a real server."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from plunk.cli import plan_text
from plunk.client import ApiError

FLOW = """
template "hello" {
  type: transactional
  subject: "Hello"
  from: "a@example.com"
  body: "Hi"
}
workflow "Greeting" {
  on event "e"

  @pause wait 2 days
  send email "hello"
  exit "done"
}
"""
SHORTER = FLOW.replace("2 days", "3 hours").replace('  exit "done"\n', "").replace("Hi", "Hey")
NEW = """\
template hello: created

workflow Greeting: created
  + on event "e"
  + @pause Wait 2 days
  + Send hello
  + Exit: done

2 created, 0 changed, 0 unchanged.
"""
CHANGED = """\
template hello: changed
  ~ body: "Hi" → "Hey"

workflow Greeting: changed
  ~ @pause Wait 2 days → Wait 3 hours  (3 people stand here)
      - wait 2 days
      + wait 3 hours
  ~ Send hello
      then Exit: done → (the end)
  - Exit: done

workflow Other: created
  + on event "o"
  + Wait 1 day

1 created, 2 changed, 0 unchanged; 3 people stand on changed or removed steps.
"""
OTHER = 'workflow "Other" {\n  on event "o"\n  wait 1 day\n}\n'


@pytest.fixture
def write(tmp_path):
    """Return a function that makes a text the folder's only file."""

    def to_file(text: str) -> Path:
        path: Path = tmp_path / "main.flow"
        path.write_text(text)
        return path

    return to_file


def test_a_new_project(online, write):
    write(FLOW)
    assert online("plan") == (
        2,
        NEW,
        "",
    )


def test_a_project_that_changes(online, write, client, machine):
    write(FLOW)
    online("deploy")
    for number in range(3):
        client.track("e", f"kim{number}@example.com")
    machine.settle()
    write(SHORTER + OTHER)
    assert online("plan") == (2, CHANGED, "")


@pytest.mark.parametrize(
    ("text", "policy", "told"),
    [
        (FLOW.replace("  @pause wait 2 days\n", ""), "follow", " and go on at Send hello"),
        (FLOW.replace("  @pause wait 2 days\n", ""), "pin", ""),
        ('workflow "Greeting" {\n  on event "e"\n}\n', "follow", " and complete"),
    ],
)
def test_where_people_on_removed_steps_go_on(online, write, client, machine, text, policy, told):
    write(FLOW)
    online("deploy")
    for number in range(2):
        client.track("e", f"kim{number}@example.com")
    machine.settle()
    write(text)
    out = online("plan", "--in-flight", policy).out
    assert f"  - @pause Wait 2 days  (2 people stand here{told})\n" in out


def test_long_texts_are_cut_where_they_differ(online, write):
    long, body = "Welcome " * 12, 'body: """\n  <p>One</p>\n  <p>Two</p>\n  """'
    text = FLOW.replace('"Hello"', f'"{long}to Rome"').replace('body: "Hi"', body)
    write(text)
    online("deploy")
    write(text.replace("Rome", "Paris").replace("Two", "Three"))
    assert online("plan").out.splitlines()[1:5] == [
        '  ~ subject: … Welcome Welcome to Rome" → … Welcome Welcome to Paris"',
        "  ~ body: 1 line differs",
        "      - <p>Two</p>",
        "      + <p>Three</p>",
    ]


def test_nothing_to_change(online, write):
    write(FLOW)
    online("deploy")
    assert online("plan") == (0, "0 created, 0 changed, 2 unchanged.\n", "")


def test_mistakes_are_shown_here_and_from_there(online, write):
    write(FLOW.replace("wait 2 days", "wait 2 parsecs"))
    done = online("plan")
    assert (done.status, done.err.startswith("Nothing was planned: ")) == (1, True)
    write(FLOW.replace('send email "hello"', 'send email "nobody"'))
    done = online("plan")
    assert done.status == 1
    assert "error FLOW-E204" in done.out


def test_a_plan_as_json(online, write):
    write(FLOW)
    done = online("plan", "--json", "--in-flight", "pin")
    found = json.loads(done.out)
    assert (done.status, found["inFlight"]) == (2, "pin")
    assert [one["status"] for one in found["workflows"]] == ["created"]


def test_a_saved_plan_is_carried_out_once(online, write, project):
    write(FLOW)
    assert online("plan", "--out", "plan.json").status == 2
    saved = Path("plan.json").read_text()
    assert project.secret not in saved
    assert json.loads(saved)["plan"]["workflows"][0]["name"] == "Greeting"
    assert online("deploy", "--plan", "plan.json") == (
        0,
        "template hello: created\nworkflow Greeting: created\n",
        "",
    )
    again = online("deploy", "--plan", "plan.json")
    assert (again.status, again.out) == (1, "")
    assert again.err.startswith("plunk: This plan is out of date: ")
    assert again.err.count("\n") == 1


def test_a_stale_plan_changes_nothing(online, write, client):
    write(FLOW)
    online("deploy")
    write(SHORTER)
    online("plan", "--out", "plan.json")
    client.deploy({"w.flow": FLOW.replace("2 days", "4 days")})
    found = client.find_workflow("Greeting")
    done = online("deploy", "--plan", "plan.json")
    assert (done.status, done.out) == (1, "")
    assert client.find_workflow("Greeting") == found


def test_a_plan_keeps_its_policy(online, write, client):
    write(FLOW)
    online("deploy")
    write(SHORTER)
    out = online("plan", "--in-flight", "drain", "--out", "plan.json").out
    assert "  + disabled\n" in out
    assert "nobody else enters.\n" in out
    done = online("deploy", "--plan", "plan.json", "--in-flight", "pin")
    assert done == (1, "", "plunk: plan.json is a plan to drain, not to pin.\n")
    assert online("deploy", "--plan", "plan.json").status == 0
    assert client.find_workflow("Greeting")["enabled"] is False


def test_a_policy_that_concerns_nobody_is_told(online, write):
    write(FLOW)
    assert (
        "No workflow changes: pin does nothing here.\n" in online("plan", "--in-flight", "pin").out
    )
    online("deploy")
    told = "No workflow changes: drain does nothing here."
    assert told in online("plan", "--in-flight", "drain").out
    assert online("deploy", "--in-flight", "drain").out.splitlines()[-1] == told


def test_this_machine_has_one_name(online, write):
    write(FLOW)
    online("plan", "--out", "plan.json")
    path = Path("plan.json")
    path.write_text(path.read_text().replace("127.0.0.1", "localhost"))
    assert online("deploy", "--plan", "plan.json").status == 0


def test_deploying_with_a_policy(online, write, client):
    write(FLOW)
    online("deploy")
    write(SHORTER)
    assert online("deploy", "--in-flight", "drain").status == 0
    assert client.find_workflow("Greeting")["enabled"] is False


@pytest.mark.parametrize(
    ("edit", "message"),
    [
        (lambda path: path.write_text("nothing"), "cannot be read as a plan"),
        (lambda path: path.write_text("[]"), "is no plan that plunk plan --out has written"),
        (lambda path: path.unlink(), "cannot be read as a plan: No such file or directory."),
        (lambda path: path.write_text("[" * 200_000), "cannot be read as a plan: it is not JSON"),
        (lambda path: path.write_bytes(b"\xff"), "cannot be read as a plan: it is not UTF-8"),
        (
            lambda path: path.write_text(path.read_text().replace('"follow"', '"hover"', 1)),
            "is no plan that plunk plan --out has written",
        ),
        (
            lambda path: path.write_text(path.read_text().replace("127.0.0.1", "10.0.0.1")),
            "is a plan for http://10.0.0.1",
        ),
    ],
)
def test_a_plan_that_cannot_be_used(online, write, edit, message):
    write(FLOW)
    online("plan", "--out", "plan.json")
    edit(Path("plan.json"))
    done = online("deploy", "--plan", "plan.json")
    assert (done.status, done.out) == (1, "")
    assert message in done.err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--in-flight", "hover"), "'hover' is not one of"),
        (("nowhere",), "'nowhere' does not exist"),
        (("--out", "nowhere/plan.json"), "nowhere/plan.json cannot be written"),
    ],
)
def test_a_misused_plan_does_not_look_like_one_with_changes(online, write, arguments, message):
    write(FLOW)
    done = online("plan", *arguments)
    assert (done.status, done.out) == (1, "")
    assert message in done.err


def test_other_files_than_planned(online, write):
    write(FLOW)
    online("plan", "--out", "plan.json")
    write(SHORTER)
    done = online("deploy", "--plan", "plan.json")
    assert done.err == (
        "plunk: The files have changed since plan.json was made; make a new plan.\n"
    )


def test_the_client_plans_and_keeps_to_it(client):
    plan = client.plan({"w.flow": FLOW}, "pin")
    with pytest.raises(ApiError) as refused:
        client.deploy({"w.flow": FLOW}, plan_digest=plan["digest"])
    assert refused.value.status == 409
    client.deploy({"w.flow": FLOW}, in_flight="pin", plan_digest=plan["digest"])
    assert client.plan({"w.flow": FLOW})["workflows"][0]["status"] == "unchanged"


def test_the_plan_of_an_older_server_is_told_with_what_it_has(client):
    client.deploy({"w.flow": FLOW})
    plan = client.plan({"w.flow": SHORTER})
    for item in plan["templates"]:
        del item["differences"]
    for item in plan["workflows"]:
        del item["headerText"]
        for step in item["steps"]:
            del step["text"], step["goesOn"]
    told = list(plan_text.lines(plan))
    assert "  ~ body" in told
    assert "      amount: 2 → 3" in told
    assert "  - Exit: done" in told
