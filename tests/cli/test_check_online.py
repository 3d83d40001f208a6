"""`plunk check --online`: what only the project knows."""

from __future__ import annotations

import json
from pathlib import Path

from tests.factories import template

FLOW = 'workflow "W" {\n  on event "e"\n  send email "Hello"\n}\n'


def test_the_project_is_asked_for_names(online, api, tmp_path: Path) -> None:
    (tmp_path / "flows").mkdir()
    (tmp_path / "flows" / "a.flow").write_text(FLOW)
    assert online("check", "flows").status == 0
    unknown = online("check", "flows", "--online")
    assert unknown.status == 1
    assert "flows/a.flow:3:14" in unknown.out
    assert "FLOW-E204" in unknown.out
    template(api, "Hello")
    assert online("check", "flows", "--online").out == "1 file, 0 errors, 0 warnings.\n"


def test_what_the_server_says_keeps_its_notes_and_fixes(online, api, tmp_path: Path) -> None:
    template(api, "Hello")
    (tmp_path / "a.flow").write_text(FLOW.replace("Hello", "Helo"))
    found = json.loads(online("check", "--online", "--json").out)["diagnostics"]
    assert [(one["code"], one["fixes"][0]["text"]) for one in found] == [("FLOW-E204", '"Hello"')]


def test_mistakes_that_can_be_seen_here_need_no_server(shell, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.delenv("PLUNK_API_KEY", raising=False)
    (tmp_path / "a.flow").write_text(FLOW.replace("send", "sennd"))
    assert shell("check", "--online").status == 1
    (tmp_path / "a.flow").write_text(FLOW)
    refused = shell("check", "--online")
    assert (refused.status, refused.out) == (1, "")
    assert refused.err.startswith("plunk: PLUNK_API_KEY is not set")
