"""docs/operations.md, followed to the letter."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from plunk.cli import main
from tests.docs.pages import follow


def test_the_page_works(
    url: str,
    stage,
    project,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DATABASE_URL", stage.url)
    monkeypatch.setenv("PLUNK_API_URL", url)
    monkeypatch.setenv("PLUNK_API_KEY", project.secret)
    capsys.readouterr()

    def run(words: list[str]) -> str:
        words = [os.path.expandvars(word) for word in words]
        if words[0] == "plunk":
            main(words[1:])
            return capsys.readouterr().out
        done = subprocess.run(words, capture_output=True, text=True, check=True, timeout=30)
        return done.stdout if done.stdout.endswith("\n") else done.stdout + "\n"

    follow("operations.md", run)
