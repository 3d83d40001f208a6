"""Web and workers as real processes, watched as an operator would: probes, metrics, logs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import requests

from plunk.cli.ports import free_port
from plunk.cli.waiting import wait_for
from tests.acceptance.conftest import Installation

pytestmark = pytest.mark.acceptance
SECONDS = 30.0
TOKEN = {"Authorization": "Bearer let me see"}
MAIL = {"subject": "Hi", "body": "<p>Hi</p>", "sender": "a@example.com"}


def figures(url: str) -> dict[str, float]:
    """Return the samples of one process, by name and labels."""
    answer = requests.get(f"{url}/metrics", headers=TOKEN, timeout=10)
    assert answer.status_code == 200, answer.text
    lines = (line.rpartition(" ") for line in answer.text.splitlines() if line[0] != "#")
    return {name: float(value) for name, _, value in lines}


def lines_of(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines() if line.startswith("{")]


def test_an_installation_can_be_watched(installation: Installation, tmp_path: Path) -> None:
    first = free_port()
    installation.env |= {"METRICS_TOKEN": "let me see", "METRICS_PORT": str(first)}
    installation.start_web()
    web = installation.env["API_URL"]
    client = installation.client()
    for number in range(5):
        client.send(f"{number}@example.org", **MAIL)
    assert requests.get(f"{web}/readyz", timeout=10).status_code == 200
    due = 'plunk_queue_due{lane="transactional",queue="emails"}'
    assert figures(web)[due] == 5

    installation.processes.start("worker", "worker", "--processes", "2", env=installation.env)
    workers = [f"http://127.0.0.1:{port}" for port in (first, first + 1)]
    sent = 'plunk_emails_handed_total{outcome="sent"}'

    def all_sent() -> bool:
        try:
            told = [figures(worker) for worker in workers]
        except requests.ConnectionError:  # one is not up yet
            return False
        return sum(one.get(sent, 0) for one in told) == 5

    wait_for(all_sent, "Five messages, counted by two workers", seconds=SECONDS)
    wait_for(lambda: figures(web)[due] == 0, "The end of the queue", seconds=SECONDS)
    assert requests.get(f"{workers[0]}/metrics", timeout=10).status_code == 401
    installation.processes.stop()

    served = [line for line in lines_of(tmp_path / "serve.log") if line["event"] == "request"]
    sends = [line for line in served if line["route"] == "/v1/send"]
    assert [line["status"] for line in sends] == [200] * 5
    assert len({line["request_id"] for line in sends}) == 5
    assert {line["route"] for line in served} <= {"/v1/send"}  # probes are not for info
    worked = lines_of(tmp_path / "worker.log")
    names = {line["worker"] for line in worked if line["event"] == "worker.started"}
    assert len(names) == 2
    assert "example.org" not in json.dumps(served + worked)
