"""`plunk dev`: kept running, kept between runs, and up to date with the files."""

from __future__ import annotations

import contextlib
import re
import signal
import stat
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from plunk.cli.dev import PROJECT
from plunk.cli.ports import free_port
from plunk.cli.processes import PROGRAM, environment
from plunk.cli.projects import find_or_create_in
from plunk.cli.waiting import wait_for
from plunk.client import Client
from plunk.config import Settings

pytestmark = pytest.mark.acceptance
SECONDS = 30.0
FLOW = """
template "hello" {
  type: transactional
  subject: "Hello {{ email }}"
  from: "ada@example.com"
  body: "<p>Hello</p>"
}
workflow "Hello" {
  on event "signed_up"
  send email "hello"
}
"""


@contextlib.contextmanager
def developing(folder: Path, port: int) -> Iterator[Path]:
    """Run `plunk dev` in this folder until the end; yield the file with what it says."""
    said = folder / "said.txt"
    with said.open("wb") as out:
        command = (*PROGRAM, "dev", "flows")
        env = environment(PORT=str(port), DATABASE_URL="", SECRET_KEY="", INSTANCE_PATH="")
        dev = subprocess.Popen(command, cwd=folder, env=env, stdout=out, stderr=out)
    try:
        wait_for(lambda: "Ctrl-C" in said.read_text(), "The start of plunk dev", seconds=SECONDS)
        yield said
    finally:
        dev.send_signal(signal.SIGINT)
        dev.wait(SECONDS)
    assert dev.returncode == 0


def test_dev_shows_mail_and_follows_changes(tmp_path: Path) -> None:
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    flow = tmp_path / "flows" / "hello.flow"
    flow.parent.mkdir()
    flow.write_text(FLOW)
    with developing(tmp_path, port) as said:
        key = secret_key(said)
        with Client(url, key) as client:
            client.track("signed_up", "kim@example.com")
        wait_for(
            lambda: "Hello kim@example.com" in requests.get(f"{url}/outbox", timeout=9).text,
            "The message in the outbox",
            seconds=SECONDS,
        )
        flow.write_text(FLOW.replace("<p>Hello</p>", "<p>Good day</p>"))
        changed = "template hello: changed"
        wait_for(lambda: changed in said.read_text(), "The deployment", seconds=SECONDS)
        flow.write_text(FLOW.replace("send email", "send mail"))
        wait_for(lambda: "^^^^" in said.read_text(), "The diagnostics", seconds=SECONDS)
    secret = tmp_path / "instance" / "secret_key"
    assert stat.S_IMODE(secret.stat().st_mode) == 0o600
    again = Settings(
        database_url=f"sqlite:///{tmp_path}/instance/dev.db", secret_key=secret.read_text().strip()
    )
    assert find_or_create_in(again, PROJECT).secret == key  # what the next `plunk dev` does


def secret_key(said: Path) -> str:
    """Return the key that was printed."""
    found = re.search(r"sk_\w+", said.read_text())
    assert found
    return found[0]
