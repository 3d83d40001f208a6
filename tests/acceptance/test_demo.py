"""`plunk demo`: what a newcomer sees first."""

from __future__ import annotations

import re
import signal
import subprocess
import time
from pathlib import Path

import pytest

from plunk.cli.processes import PROGRAM, environment
from plunk.cli.waiting import wait_for

pytestmark = pytest.mark.acceptance
PROMISED_SECONDS, MARGIN = 15, 15  # the margin is for machines that do other things meanwhile
STORY = (
    r"database +sqlite",
    r"project +Demo, keys pk_\w+… and sk_\w+…",
    r"workflow Welcome: created",
    r"POST /v1/track .*signed_up",
    r"Send welcome +completed",
    r"Wait 2 seconds +completed goes on at",
    r"If contact.data.plan == \"pro\" +completed branch yes",
    r"completed answered 200",
    r"Exit: welcomed +completed",
    r"The run is COMPLETED: welcomed",
    r"POST /hooks/signups .*grace@example.com.*\"stage\": \"pro\"",
    r"From: Ada of Example <ada@example.com>",
    r"To: grace@example.com",
    r"Subject: Welcome, Grace!",
    r"Message-ID: <\S+@example.com>",
    r"You signed up for the pro plan",
    r"That was all of it",
)


def our_processes() -> set[str]:
    """Return the process ids of everything started with `plunk.cli`."""
    listed = subprocess.run(("ps", "-eo", "pid,args"), capture_output=True, text=True, check=True)
    return {line.split()[0] for line in listed.stdout.splitlines() if "-m plunk.cli" in line}


def test_the_demo_shows_the_main_job() -> None:
    began = time.monotonic()
    done = subprocess.run(
        (*PROGRAM, "demo"), env=environment(), capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert time.monotonic() - began < PROMISED_SECONDS + MARGIN
    place = 0
    for pattern in STORY:  # in this order
        found = re.compile(pattern).search(done.stdout, place)
        assert found, f"{pattern} is missing in:\n{done.stdout}"
        place = found.start()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_demo_that_is_stopped_leaves_nothing_behind(
    number: signal.Signals, tmp_path: Path
) -> None:
    env = environment(TMPDIR=str(tmp_path))
    demo = subprocess.Popen((*PROGRAM, "demo"), env=env, stdout=subprocess.PIPE, text=True)
    assert demo.stdout
    for line in demo.stdout:
        if line.startswith("mail sink"):
            break
    children = wait_for(lambda: children_of(demo.pid), "The start of its processes", seconds=20)
    demo.send_signal(number)
    demo.communicate(timeout=20)
    assert demo.returncode in {130, 143}
    wait_for(lambda: not children & our_processes(), "The end of its processes", seconds=10)
    assert list(tmp_path.iterdir()) == []


def children_of(pid: int) -> set[str]:
    """Return the process ids of a process's children."""
    listed = subprocess.run(
        ("ps", "-o", "pid=", "--ppid", str(pid)), capture_output=True, text=True, check=False
    )
    return set(listed.stdout.split())
