"""Processes that we start, watch, and never leave behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Self

from plunk.errors import PlunkError

PATIENCE_SECONDS = 10.0
# -P: a folder called plunk or dsl in the current one is somebody else's.
PROGRAM = (sys.executable, "-P", "-m", "plunk.cli")


class ProcessDied(PlunkError):
    """A process that had to run has ended."""


class Processes:
    """Named processes, each leading a group of its own; all have ended when this is left.

    With a folder for logs they write `<name>.log` there, without one to this terminal.
    """

    def __init__(self, logs: Path | None = None) -> None:
        self._logs = logs
        self._running: dict[str, subprocess.Popen[bytes]] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self.stop()

    def start(self, name: str, *arguments: str, env: Mapping[str, str]) -> int:
        """Start `plunk` with these arguments under a name; return its process id."""
        return self.launch(name, (*PROGRAM, *arguments), env=env)

    def launch(self, name: str, command: tuple[str, ...], *, env: Mapping[str, str]) -> int:
        """Start any command under a name; return its process id."""
        log = self._log(name).open("ab") if self._logs else None
        try:
            process = subprocess.Popen(  # noqa: S603 - our own commands
                command, env=env, stdout=log, stderr=log, start_new_session=True
            )
        finally:
            if log:
                log.close()
        self._running[name] = process
        return process.pid

    def require_alive(self) -> None:
        """Raise ProcessDied, with the last thing it said, when one has ended by itself."""
        for name, process in self._running.items():
            if process.poll() is not None:
                raise ProcessDied(f"plunk {name} ended with {process.returncode}{self._last(name)}")

    def is_alive(self, name: str) -> bool:
        """Tell whether the process of this name still runs."""
        return self._running[name].poll() is None

    def stop(self, *names: str) -> dict[str, int]:
        """End these processes, or all: politely, then for certain; return their statuses."""
        chosen = {name: self._running.pop(name) for name in names or tuple(self._running)}
        for process in chosen.values():
            _signal(process, signal.SIGTERM)
        deadline = time.monotonic() + PATIENCE_SECONDS
        for process in chosen.values():
            _wait_or_kill(process, deadline)
        return {name: process.returncode for name, process in chosen.items()}

    def kill(self, name: str) -> None:
        """End a process and its children at once, as a crash would."""
        process = self._running.pop(name)
        _kill_group(process)
        process.wait()

    def _last(self, name: str) -> str:
        if self._logs is None:
            return ""
        lines = self._log(name).read_text(errors="replace").strip().splitlines()
        return f": {lines[-1]}" if lines else ""

    def _log(self, name: str) -> Path:
        return (self._logs or Path()) / f"{name}.log"


def environment(**settings: str) -> dict[str, str]:
    """Return this process's environment with these settings; "" takes a name away."""
    merged = {**os.environ, **settings}
    return {name: value for name, value in merged.items() if value}


def _signal(process: subprocess.Popen[bytes], number: int) -> None:
    if process.poll() is None:
        process.send_signal(number)


def _wait_or_kill(process: subprocess.Popen[bytes], deadline: float) -> None:
    try:
        process.wait(max(0.1, deadline - time.monotonic()))
    except subprocess.TimeoutExpired:
        _kill_group(process)
        process.wait()


def _kill_group(process: subprocess.Popen[bytes]) -> None:
    with suppress(ProcessLookupError):  # it has just ended by itself
        os.killpg(process.pid, signal.SIGKILL)
