"""The lines of the Procfile, started as a Heroku-style platform starts them."""

from __future__ import annotations

import json
import os
import secrets
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from plunk.cli.local import ROOT, wait_until_up
from plunk.cli.ports import free_port
from plunk.cli.processes import Processes
from plunk.cli.smtp_sink import SmtpSink
from plunk.cli.waiting import wait_for
from plunk.client import Client

pytestmark = pytest.mark.acceptance
GENERATED = "secret"
FLOW = """
template "receipt" {
  type: transactional
  subject: "Order {{ order }}"
  from: "shop@example.com"
  body: "<p>Thank you</p>"
}
workflow "Receipt" {
  on event "ordered"
  reentry always
  send email "receipt"
}
"""


def procfile() -> dict[str, tuple[str, ...]]:
    """Return the command of each process type, as a shell would run it."""
    lines = (ROOT / "Procfile").read_text().splitlines()
    parts = [line.partition(":") for line in lines if line.strip()]
    return {name: ("/bin/sh", "-c", f"exec {command.strip()}") for name, _, command in parts}


def platform_env(**given: str) -> dict[str, str]:
    """Return what a platform sets: its own variables, and those that app.json asks for."""
    wanted = json.loads((ROOT / "app.json").read_text())["env"]
    env = {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
    for name, variable in wanted.items():
        if variable.get("generator") == GENERATED:
            env[name] = secrets.token_hex(32)
        elif "value" in variable:
            env[name] = variable["value"]
    return {**env, **given}


def fresh_postgres(request: pytest.FixtureRequest) -> str:
    """Return an empty database, under the URL that platforms give."""
    from tests.conftest import fresh_postgres as create  # noqa: PLC0415 - importlib mode

    url = create(request.getfixturevalue("postgres_server"), f"procfile_{secrets.token_hex(4)}")
    return url.replace("postgresql+psycopg://", "postgres://")


def test_the_lines_of_the_procfile_do_the_main_job(
    request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    lines, port = procfile(), str(free_port())
    assert set(lines) == {"release", "web", "worker"}
    with SmtpSink() as sink, Processes(tmp_path) as processes:
        env = platform_env(PORT=port, DATABASE_URL=fresh_postgres(request), MAIL_URL=sink.url)
        subprocess.run(lines["release"], env=env, check=True, cwd=ROOT, capture_output=True)
        key = create_project(env)
        processes.launch("web", lines["web"], env=env)
        processes.launch("worker", lines["worker"], env=env)
        with Client(f"http://127.0.0.1:{port}", key) as client:
            wait_until_up(processes, client)
            client.deploy({"receipt.flow": FLOW})
            client.track("ordered", "kim@example.com", data={"order": 7})

        def arrived() -> bool:
            processes.require_alive()
            return bool(sink.received)

        wait_for(arrived, "The arrival of the receipt", seconds=30)
        assert processes.stop("web", "worker") == {"web": 0, "worker": 0}
    (received,) = sink.received
    assert (received.recipient, received.message["Subject"]) == ("kim@example.com", "Order 7")


def create_project(env: dict[str, Any]) -> str:
    """Create a project as an operator does on the platform, and return its secret key."""
    command = (Path(sys.executable).parent / "plunk", "project", "create", "Shop", "--json")
    done = subprocess.run(command, env=env, check=True, capture_output=True, text=True)
    return str(json.loads(done.stdout)["secret"])
