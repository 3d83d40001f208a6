"""docs/tutorial.md, followed to the letter, with somebody in the workflow."""

from __future__ import annotations

from pathlib import Path

import pytest

from plunk.cli import main
from tests.docs.pages import follow
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

    ended: list[tuple[str, int]] = []

    def run(words: list[str]) -> str:
        ended.append((words[1], main(words[1:])))
        printed = capsys.readouterr().out
        if words[1] == "deploy":
            track(api, "signed_up", email="kim@example.org")
            machine.settle()
        return printed

    follow("tutorial.md", run)
    assert ended == [
        *(("check", 1), ("explain", 0), ("check", 0), ("fmt", 0), ("simulate", 0), ("graph", 0)),
        *(("test", 0), ("plan", 2), ("deploy", 0)),
        *(("test", 0), ("plan", 2), ("deploy", 0), ("pull", 0)),
    ]
