"""Everything on this machine: web and worker as processes of their own, for demo and dev."""

from __future__ import annotations

import signal
import sys
from pathlib import Path
from types import FrameType

from plunk.cli.processes import Processes
from plunk.cli.waiting import wait_for
from plunk.client import Client
from plunk.errors import Misconfigured

ROOT = Path(__file__).resolve().parent.parent.parent
STARTUP_SECONDS = 30.0
TERMINATED = 143


def example(name: str) -> Path:
    """Return the folder of one of the examples."""
    folder = ROOT / "examples" / name
    if not folder.is_dir():
        raise Misconfigured(
            f"The folder {folder} is missing: install from a clone with `pip install -e .`."
        )
    return folder


def start_server(processes: Processes, env: dict[str, str]) -> None:
    """Start web and worker with this environment."""
    processes.start("serve", "serve", env=env)
    processes.start("worker", "worker", env=env)


def wait_until_up(processes: Processes, client: Client) -> None:
    """Wait until the API answers; ProcessDied when it never will."""

    def is_up() -> bool:
        processes.require_alive()
        return client.is_up()

    wait_for(is_up, "The start of the server", seconds=STARTUP_SECONDS)


def leave_on_sigterm() -> None:
    """Turn SIGTERM into an exit that cleans up on its way."""

    def leave(_number: int, _frame: FrameType | None) -> None:
        sys.exit(TERMINATED)

    signal.signal(signal.SIGTERM, leave)
