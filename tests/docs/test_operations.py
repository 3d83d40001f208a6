"""docs/operations.md, followed to the letter."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

import pytest

from plunk.application import create_app
from plunk.cli import main
from plunk.config import Settings
from plunk.db import db
from plunk.metrics import Meter
from plunk.outbound import Answer, OutboundError, OutgoingRequest
from plunk.services import gauges
from tests.conftest import SECRET, Backend, served
from tests.docs.pages import ROOT, follow
from tests.factories import ANSWER, step, track, workflow

TOKEN = "the metrics token"
HOOK = ("WEBHOOK", {"url": "https://hooks.example.com/"})


def refuse(_: OutgoingRequest) -> Answer:
    raise OutboundError("nobody there")


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
    api,
    machine,
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

    @cache
    def lay_out() -> None:
        """Let one run fail and another one wait."""
        machine.clock.move_to(datetime.now(UTC))
        flow = workflow(api, HOOK, name="Welcome")
        for type_, name in (("DELAY", "Pause"), ("EXIT", "Thanks")):
            config = {"amount": 1, "unit": "days"} if type_ == "DELAY" else {}
            step_id = step(api, flow, type_, config)
            api.patch(f"/workflows/{flow['id']}/steps/{step_id}", {"name": name})
        machine.hooks.answer = refuse
        track(api, email="kim@example.org")
        machine.settle()
        machine.hooks.answer = lambda _: ANSWER
        track(api, email="lee@example.org")
        machine.settle()
        waiting = api.get(f"/workflows/{flow['id']}/executions?status=WAITING").json
        monkeypatch.setenv("WORKFLOW", flow["id"])
        monkeypatch.setenv("RUN", waiting["executions"][0]["id"])

    def run(words: list[str]) -> str:
        if "repair" in str(words) or words[1] == "run":
            lay_out()
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
