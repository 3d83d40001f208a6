"""docs/tutorial.md, followed to the letter, with somebody in the workflow."""

from __future__ import annotations

from pathlib import Path

import pytest

from plunk.cli import main
from tests.docs.pages import Told, follow, pieces
from tests.factories import track


def test_the_tutorial_works(
    api,
    machine,
    url: str,
    project,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    (tmp_path / "flows").mkdir()
    monkeypatch.chdir(tmp_path / "flows")
    monkeypatch.setenv("PLUNK_API_URL", url)
    monkeypatch.setenv("PLUNK_API_KEY", project.secret)

    def run(words: list[str]) -> str:
        main(words[1:])
        printed = capsys.readouterr().out
        if words[1] == "deploy":
            track(api, "signed_up", email="kim@example.org")
            machine.settle()
        return printed

    follow("tutorial.md", run)
    assert [one.command.split()[1] for one in pieces("tutorial.md") if isinstance(one, Told)] == [
        *("check", "explain", "check", "fmt", "simulate", "graph", "test", "plan", "deploy"),
        *("test", "plan", "deploy", "pull"),
    ]
