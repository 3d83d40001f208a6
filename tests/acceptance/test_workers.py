"""`plunk worker --processes N`: looked after, and ended politely."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from plunk.cli.processes import Processes, environment
from plunk.cli.waiting import wait_for

pytestmark = pytest.mark.acceptance
SECONDS = 30.0


def children_of(pid: int) -> set[int]:
    """Return the process ids of a process's children."""
    listed = subprocess.run(
        ("ps", "-o", "pid=", "--ppid", str(pid)), capture_output=True, text=True, check=False
    )
    return {int(number) for number in listed.stdout.split()}


def test_a_worker_that_dies_is_started_again(databases: Any, tmp_path: Path) -> None:
    env = environment(DATABASE_URL=databases("sqlite", "supervised"), INSTANCE_PATH=str(tmp_path))
    with Processes(tmp_path) as processes:
        supervisor = processes.start("worker", "worker", "--processes", "2", env=env)
        first = wait_for(lambda: two_of(supervisor), "The start of both", seconds=SECONDS)
        victim = min(first)
        os.kill(victim, signal.SIGKILL)
        again = wait_for(lambda: two_of(supervisor, victim), "The new start", seconds=SECONDS)
        assert processes.stop("worker") == {"worker": 0}
    for pid in again:
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)


def two_of(supervisor: int, victim: int = 0) -> set[int]:
    """Return its children once there are two, the victim not counted."""
    children = children_of(supervisor) - {victim}
    return children if len(children) > 1 else set()


def test_a_worker_that_hangs_is_killed_when_all_are_to_stop(databases: Any, tmp_path: Path) -> None:
    env = environment(DATABASE_URL=databases("sqlite", "hanging"), INSTANCE_PATH=str(tmp_path))
    command = "from plunk.cli.working import supervise; supervise(2, stop_seconds=1)"
    with Processes(tmp_path) as processes:
        supervisor = processes.launch("worker", (sys.executable, "-P", "-c", command), env=env)
        both = wait_for(lambda: two_of(supervisor), "The start of both", seconds=SECONDS)
        os.kill(min(both), signal.SIGSTOP)
        assert processes.stop("worker") == {"worker": 0}
    for pid in both:
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)
