"""The README's tour does what it says, line by line, in an empty folder."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from bench.stage import free_port

README = Path(__file__).parents[2] / "README.md"
SECONDS = 45


def tour() -> str:
    """Return the shell lines under the heading."""
    text = README.read_text(encoding="utf-8")
    found = re.search(r"## A tour\n.*?```sh\n(.*?)```", text, re.DOTALL)
    assert found is not None
    return found[1]


@pytest.mark.acceptance
def test_the_tour_ends_with_the_mail_in_the_outbox(tmp_path: Path) -> None:
    environment = {
        **{name: os.environ[name] for name in ("HOME", "LANG") if name in os.environ},
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "PORT": str(free_port()),
        "POLL_SECONDS": "0.2",
    }
    output = tmp_path / "output.txt"
    folder = tmp_path / "empty folder"
    folder.mkdir()
    # Into a file: the servers that the tour leaves running would keep a pipe open.
    with output.open("w") as sink:
        shell = subprocess.Popen(
            ["bash", "-eu", "-o", "pipefail", "-c", tour()],
            cwd=folder,
            env=environment,
            stdout=sink,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            status = shell.wait(SECONDS)
        finally:
            os.killpg(shell.pid, signal.SIGTERM)
    printed = output.read_text(encoding="utf-8")
    assert status == 0, printed
    assert '"success":true' in printed
    assert "Subject: Welcome, Kim" in printed
    assert "To: kim@example.org" in printed
