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
from tests.docs.pages import ROOT, Told, follow, pieces

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

    def run(words: list[str]) -> str:
        assert words[0] == "plunk"
        main(words[1:])
        return capsys.readouterr().out

    follow("testing.md", run)
    assert sum(isinstance(one, Told) for one in pieces("testing.md")) == 3


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
