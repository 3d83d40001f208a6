"""Hosts of their own on this machine: network namespaces whose clocks may be wrong."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from plunk.cli.processes import PROGRAM, Processes

NETWORK = "10.211"
SOURCE = Path(__file__).with_name("skew.c")


@dataclass(frozen=True)
class Host:
    """One host: `address` is its own, `gateway` is how it calls the machine around it."""

    name: str
    number: int
    skew_seconds: int
    library: Path

    @property
    def address(self) -> str:
        return f"{NETWORK}.{self.number}.2"

    @property
    def gateway(self) -> str:
        return f"{NETWORK}.{self.number}.1"

    @property
    def cable(self) -> str:
        return f"pk{os.getpid() % 100_000}c{self.number}"

    def start(
        self, processes: Processes, name: str, *arguments: str, env: Mapping[str, str]
    ) -> int:
        """Start `plunk` on this host, with its clock."""
        command = self._command(*PROGRAM, *arguments)
        return processes.launch(name, command, env=env)

    def time(self) -> float:
        """Return what its clock shows."""
        ask = self._command(sys.executable, "-c", "import time; print(time.time())")
        return float(subprocess.run(ask, capture_output=True, check=True).stdout)

    def cut_off(self) -> None:
        """Pull the cable."""
        _ip("link", "set", self.cable, "down")

    def join(self) -> None:
        """Plug the cable in again."""
        _ip("link", "set", self.cable, "up")

    def _command(self, *words: str) -> tuple[str, ...]:
        clock = (f"LD_PRELOAD={self.library}", f"SKEW_SECONDS={self.skew_seconds}")
        return ("ip", "netns", "exec", self.name, "env", *clock, *words)


@contextmanager
def hosts(folder: Path, **skews: int) -> Iterator[list[Host]]:
    """Yield a host for each name, its clock so many seconds ahead; skip where none can be."""
    require_hosts()
    library = folder / "skew.so"
    subprocess.run(["cc", "-shared", "-fPIC", "-o", str(library), str(SOURCE), "-ldl"], check=True)
    made = [
        Host(f"pk{os.getpid() % 100_000}{name}", number, skew, library)
        for number, (name, skew) in enumerate(skews.items(), start=1)
    ]
    try:
        for host in made:
            _make(host)
        yield made
    finally:
        for host in made:
            subprocess.run(["ip", "netns", "delete", host.name], check=False, capture_output=True)


def require_hosts() -> None:
    """Skip, saying so, where nobody may make network namespaces or compile a clock."""
    missing = [program for program in ("ip", "cc") if shutil.which(program) is None]
    if missing:
        pytest.skip(f"NO HOSTS: {' and '.join(missing)} missing")
    probe = f"pk{os.getpid() % 100_000}probe"
    made = subprocess.run(
        ["ip", "netns", "add", probe], check=False, capture_output=True, text=True
    )
    if made.returncode:
        pytest.skip(f"NO HOSTS: this user may not make network namespaces: {made.stderr.strip()}")
    _ip("netns", "delete", probe)


def _make(host: Host) -> None:
    _ip("netns", "add", host.name)
    _ip("link", "add", host.cable, "type", "veth", "peer", "name", "eth0", "netns", host.name)
    _ip("addr", "add", f"{host.gateway}/30", "dev", host.cable)
    _ip("link", "set", host.cable, "up")
    _ip("-n", host.name, "addr", "add", f"{host.address}/30", "dev", "eth0")
    _ip("-n", host.name, "link", "set", "eth0", "up")
    _ip("-n", host.name, "link", "set", "lo", "up")
    _ip("-n", host.name, "route", "add", "default", "via", host.gateway)


def _ip(*arguments: str) -> None:
    subprocess.run(["ip", *arguments], check=True, capture_output=True)
