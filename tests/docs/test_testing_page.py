"""docs/testing.md: its files and commands, carried out; its tables, tried."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import dsl
from plunk.cli import main
from plunk.simulation.catalogue import catalogue_of
from plunk.simulation.testing.runner import cases_of
from plunk.simulation.testing.runner import run as run_case
from tests.docs.pages import ROOT, follow

TEXT = (ROOT / "docs" / "testing.md").read_text("utf-8")
LINES = [
    line
    for row in re.findall(r"^\| (`.*?`) \|", TEXT, re.MULTILINE)
    for line in re.findall(r"`([^`]+)`", row)
]
BUNDLE = """
template "cart" {
  type: marketing
  subject: "Hi"
  from: "a@example.com"
  body: "Hi"
}
workflow "Cart" {
  on event "cart_updated"
  goal "bought" when event "ordered"
  @reminder wait 1 day
  split { 50% "discount" { exit "ordered" } else { exit } }
}
"""

BEFORE = 'contact { email: "kim@example.org" }'
AFTERWARDS = ("track", "start", "advance", "set", "subscribe", "unsubscribe", "expect")


def test_what_the_page_says_is_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)

    ended: list[int] = []

    def run(words: list[str]) -> str:
        assert words[0] == "plunk"
        ended.append(main(words[1:]))
        return capsys.readouterr().out

    follow("testing.md", run)
    assert ended == [0, 1, 0]


def test_the_tables_are_found() -> None:
    assert len(LINES) == 26


@pytest.mark.parametrize("line", LINES)
def test_a_line_of_the_tables_means_something(line: str) -> None:
    before = BEFORE if line.startswith(AFTERWARDS) else ""
    text = f'{BUNDLE}test "it" {{ {before} {line} }}'
    bundle = dsl.read_bundle({"a.flow": text})
    assert not [one for one in dsl.parse(text).diagnostics if one.is_error]
    (case,) = cases_of(bundle, None)
    result = run_case(catalogue_of(bundle), case)
    if result.failure is not None:  # it was understood, but nothing has happened yet
        assert line.startswith("expect")
        assert result.failure.mismatch.expected


FULL = """
template "cart" { type: transactional subject: "Hi" from: "a@example.com" body: "Hi" }
workflow "Cart" {
  on event "cart_updated"
  goal "bought" when event "ordered"
  if event.broken { update contact { x: upper(5) } }
  send email "cart"
  webhook POST "https://crm.example.com/x" { body: { id: 1, more: 2 } }
  track "crm_down"
  @reminder wait 1 day
  update contact { score: 11 }
  exit "ordered"
}
"""
NOTHING, ENTERS = "", 'track "cart_updated"'
ENDS = f"{ENTERS} advance 1 day"
MET = {  # expectation → a story in which it is met, and one in which it is not
    'expect email "cart" to "kim@example.org"': (ENTERS, NOTHING),
    "expect no email": (NOTHING, ENTERS),
    'expect no email "cart"': (NOTHING, ENTERS),
    'expect webhook "https://crm.example.com/*" { method: "POST", body: { id: 1 } }': (
        ENTERS,
        NOTHING,
    ),
    'expect event "crm_down"': (ENTERS, NOTHING),
    "expect waiting": (ENTERS, ENDS),
    "expect waiting at @reminder": (ENTERS, NOTHING),
    "expect completed": (ENDS, ENTERS),
    'expect completed "ordered"': (ENDS, ENTERS),
    'expect failed "cannot"': ('track "cart_updated" { broken: true }', ENDS),
    "expect not entered": (NOTHING, ENTERS),
    'expect goal "bought"': (f'{ENTERS} track "ordered"', ENTERS),
    "expect contact.data.score == 11": (ENDS, ENTERS),
}


def test_every_expectation_of_the_tables_is_tried() -> None:
    assert set(MET) == {line for line in LINES if line.startswith("expect")}


@pytest.mark.parametrize("line", MET)
def test_an_expectation_is_met_or_not(line: str) -> None:
    for story, is_met in zip(MET[line], (True, False), strict=True):
        text = f'{FULL}test "it" {{ {BEFORE} {story} {line} }}'
        bundle = dsl.read_bundle({"a.flow": text})
        (case,) = cases_of(bundle, None)
        assert run_case(catalogue_of(bundle), case).ok is is_met, story
