"""`plunk test` and `plunk simulate`: what they print, write and end with."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple
from xml.etree.ElementTree import parse

import pytest

from plunk.cli import main

FLOW = """
template "hello" { type: transactional  subject: "Hello {{ name }}"  from: "a@example.com"
                   body: file("hello.html") }
workflow "Greeting" {
  on event "go"
  if contact.data.plan == "pro" {
    exit "pro"
  }
  send email "hello"
  wait 1 day
}
test "it greets" {
  workflow "Greeting"
  contact { email: "kim@example.org" }
  track "go" { name: "Kim" }
  expect email "hello"
}
"""
WRONG = (
    'test "it greets twice" { workflow "Greeting"  contact { email: "kim@example.org" }'
    '  track "go"  expect email "hello"  expect email "hello" }\n'
)
KIM = '{"email": "kim@example.org"}'


class Done(NamedTuple):
    """What one command came to."""

    status: int
    out: str
    err: str


Plunk = Callable[..., Done]


@pytest.fixture
def plunk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Plunk:
    """Return a function that runs a command beside a folder with a bundle."""
    monkeypatch.chdir(tmp_path)
    flows = tmp_path / "flows"
    flows.mkdir()
    (flows / "greeting.flow").write_text(FLOW)
    (flows / "hello.html").write_text("<p>{{ name }}</p>")

    def run(*arguments: str) -> Done:
        status = main(arguments)
        return Done(status, *capsys.readouterr())

    return run


def test_tests_that_pass(plunk: Plunk) -> None:
    status, out, err = plunk("test", "flows")
    assert (status, err) == (0, "")
    assert out.splitlines() == [
        "flows/greeting.flow",
        "  ✓ it greets",
        "",
        "1 test: 1 passed, 0 failed",
        "",
        "ways out of steps that were taken:",
        "  Greeting  3 of 5 (60 %)",
        '    never: flows/greeting.flow:6: If contact.data.plan == "pro": yes',
        "    never: flows/greeting.flow:10: Wait 1 day: onward",
    ]


def test_tests_that_fail(plunk: Plunk) -> None:
    Path("flows/wrong.flow").write_text(WRONG)
    status, out, _ = plunk("test", "flows", "--junit", "report.xml")
    assert status == 1
    assert "flows/wrong.flow:1: test" in out
    root = parse("report.xml").getroot()  # noqa: S314 - we have just written it
    assert (root.get("tests"), root.get("failures")) == ("2", "1")
    assert [suite.get("name") for suite in root] == ["flows/greeting.flow", "flows/wrong.flow"]
    assert plunk("test", "flows", "--filter", "IT GREETS", "--filter", "twice").status == 1
    assert plunk("test", "flows/greeting.flow").status == 0


@pytest.mark.parametrize(("percent", "status"), [("60", 0), ("60.1", 1), ("100", 1)])
def test_too_little_coverage_fails(plunk: Plunk, percent: str, status: int) -> None:
    done = plunk("test", "flows", "--fail-under", percent)
    assert (done.status, bool(done.err)) == (status, bool(status))


def test_json_of_a_test_run(plunk: Plunk) -> None:
    shown = json.loads(plunk("test", "flows", "--json").out)
    assert shown["summary"] == {"tests": 1, "passed": 1, "failed": 0, "percent": 60.0}
    (test,) = shown["tests"]
    assert (test["name"], test["file"], test["line"]) == ("it greets", "flows/greeting.flow", 12)
    assert [entry["kind"] for entry in test["timeline"]] == [
        "contact",
        "event",
        "entered",
        "step",
        "email",
        "step",
    ]


@pytest.mark.parametrize(
    ("arguments", "status", "message"),
    [
        (("test", "nowhere"), 2, "does not exist"),
        (("test", "flows", "--fail-under", "101"), 2, "--fail-under"),
        (("test", "flows", "--filter", "other"), 1, "No test has 'other' in its name"),
        (("simulate", "flows", "--event", "go"), 2, "--contact"),
        (("simulate", "flows", "--contact", KIM), 2, "--event"),
        (("simulate", "flows", "--event", "go", "--contact", "{"), 2, "is no JSON"),
        (("simulate", "flows", "--event", "go", "--contact", "1"), 2, "JSON object"),
        (("simulate", "flows", "--event", "go", "--contact", KIM, "--at", "now"), 2, "ISO time"),
        (("simulate", "flows", "--event", "go", "--contact", '{"plan": 1}'), 1, "not 'plan'"),
        (("simulate", "flows", "--workflow", "x", "--contact", KIM), 1, "no workflow"),
    ],
)
def test_what_cannot_be_done(
    plunk: Plunk, arguments: tuple[str, ...], status: int, message: str
) -> None:
    done = plunk(*arguments)
    assert (done.status, done.out) == (status, "")
    assert message in done.err
    assert len(done.err.splitlines()) == 1


@pytest.mark.parametrize("command", [("test",), ("simulate", "--event", "go", "--contact", KIM)])
def test_mistakes_in_the_files_come_first(plunk: Plunk, command: tuple[str, ...]) -> None:
    Path("flows/wrong.flow").write_text('workflow "W" { on event "go"  send mail "x" }\n')
    name, *options = command
    done = plunk(name, "flows", *options)
    assert done.status == 1
    assert "wrong.flow:1:" in done.out + done.err


def test_a_timeline(plunk: Plunk) -> None:
    story = ("simulate", "flows", "--event", "go", "--contact", KIM, "--data", '{"name": "Kim"}')
    done = plunk(*story, "--at", "2026-03-01T09:00Z")
    assert done.status == 0
    assert done.out.splitlines() == [
        '2026-03-01 09:00:00  contact {"email": "kim@example.org", "data": {}}',
        '                     event "go" {"name": "Kim"}',
        "                       enters",
        "                       @if-plan takes the way no",
        '                       @send-hello e-mail "hello" to kim@example.org: Hello Kim',
        "                       @wait-1-day waits until 2026-03-02 09:00:00",
        "2026-03-02 09:00:00    completed",
    ]
    shown = json.loads(plunk(*story, "--days", "0.5", "--json").out)
    assert shown["runs"][0]["status"] == "WAITING"
    assert shown["emails"][0]["body"] == "<p>Kim</p>"
    assert shown["contact"]["data"] == {"name": "Kim"}
