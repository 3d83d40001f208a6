"""docs/operations.md, followed to the letter."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from plunk.application import create_app
from plunk.cli import main
from plunk.config import Settings
from plunk.db import db
from plunk.metrics import Meter
from plunk.services import gauges
from tests.conftest import SECRET, Backend, served
from tests.docs.pages import ROOT, follow

TOKEN = "the metrics token"


@pytest.fixture
def url(empty: Backend) -> Iterator[str]:
    """Return the address of an installation that tells its metrics."""
    settings = Settings(
        database_url=empty.url, secret_key=SECRET, metrics_token=TOKEN, environment="test"
    )
    app = create_app(settings)
    with served(app) as address:
        yield address
    with app.app_context():
        db.session.remove()
        db.engine.dispose()


def test_the_page_names_every_metric_and_no_other() -> None:
    page = (ROOT / "docs" / "operations.md").read_text("utf-8")
    named = set(re.findall(r"\| `(plunk_\w+)`", page))
    counted = re.findall(r"^# TYPE (\w+)", Meter().text().decode(), re.MULTILINE)
    told = {gauges.DUE, gauges.OLDEST, gauges.LEASED, gauges.EXPIRED, *gauges.STORED}
    assert named == {*counted, *told}


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
    monkeypatch.setenv("METRICS_TOKEN", TOKEN)
    monkeypatch.setenv("SECRET_KEY", SECRET)
    monkeypatch.setenv("API_URL", url)
    capsys.readouterr()

    def run(words: list[str]) -> str:
        words = [os.path.expandvars(word) for word in words]
        given = ""
        if words[0] == "plunk":
            end = words.index("|") if "|" in words else len(words)
            main(words[1:end])
            given, words = capsys.readouterr().out, words[end + 1 :] or ["cat"]
        line = " ".join(word if word == "|" else shlex.quote(word) for word in words)
        shell = ("bash", "-o", "pipefail", "-c", line)
        done = subprocess.run(
            shell, input=given, capture_output=True, text=True, check=True, timeout=30
        )
        return done.stdout if done.stdout.endswith("\n") else done.stdout + "\n"

    follow("operations.md", run)
