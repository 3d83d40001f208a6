"""A whole installation as real processes: web, worker, a mail server and a web hook receiver."""

from __future__ import annotations

import asyncio
import contextlib
import secrets
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.smtp import SMTP, Envelope, Session
from sqlalchemy import Engine

from plunk.cli.hook_receiver import HookReceiver
from plunk.cli.local import wait_until_up
from plunk.cli.ports import free_port
from plunk.cli.processes import Processes, environment
from plunk.cli.projects import create_in
from plunk.cli.smtp_sink import SmtpSink
from plunk.client import Client
from plunk.config import database_url, read_settings
from plunk.db import open_engine


class HoldingSink(SmtpSink):
    """A mail server that can be made to stop in the middle of a message."""

    def __init__(self, host: str = "127.0.0.1") -> None:
        super().__init__(host)
        self._limit: int | None = None
        self._holding = False

    @contextlib.contextmanager
    def held_after(self, limit: int) -> Iterator[None]:
        """Keep this many messages, then keep the sender of the next one waiting for an answer."""
        self._limit = limit
        try:
            yield
        finally:
            self._limit = None

    def is_holding(self) -> bool:
        """Tell whether somebody has handed a message over and waits for the answer."""
        return self._holding

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802 - aiosmtpd's name
        """Keep one message; answer when told to."""
        answer = await super().handle_DATA(server, session, envelope)
        while self._limit is not None and len(self.received) > self._limit:
            self._holding = True
            await asyncio.sleep(0.02)
        return answer


@dataclass
class Installation:
    """Everything one test runs on; `env` is what its processes are told."""

    env: dict[str, str]
    sink: HoldingSink
    hooks: HookReceiver
    processes: Processes
    key: str = ""
    clients: list[Client] = field(default_factory=list)

    def create_project(self) -> None:
        """Create the project whose key the clients use."""
        self.key = create_in(read_settings(self.env), "Acceptance").secret

    def client(self) -> Client:
        """Return a client of its own for each thread."""
        client = Client(self.env["API_URL"], self.key)
        self.clients.append(client)
        return client

    def start_web(self) -> None:
        """Start the API and wait until it answers."""
        self.processes.start("serve", "serve", env=self.env)
        wait_until_up(self.processes, self.client())

    def start_worker(self) -> None:
        """Start a worker; it need not be up yet."""
        self.processes.start("worker", "worker", env=self.env)

    @cached_property
    def database(self) -> Engine:
        """Return an engine on the same database, to look behind the API."""
        return open_engine(database_url(self.env["DATABASE_URL"]))

    def close(self) -> None:
        """Let go of connections."""
        for client in self.clients:
            client.close()
        self.database.dispose()


@contextlib.contextmanager
def installed(url: str, folder: Path) -> Iterator[Installation]:
    """Yield an installation on this database; nothing of it runs yet."""
    port = str(free_port())
    with HoldingSink() as sink, HookReceiver() as hooks, Processes(folder) as processes:
        env = environment(
            DATABASE_URL=url,
            HOST="127.0.0.1",
            PORT=port,
            API_URL=f"http://127.0.0.1:{port}",
            SECRET_KEY=secrets.token_hex(16),
            MAIL_URL=sink.url,
            INSTANCE_PATH=str(folder),
            POLL_SECONDS="0.1",
            WEB_CONCURRENCY="1",
            RATELIMIT_ENABLED="0",
            WEBHOOK_ALLOW_PRIVATE="1",
        )
        installation = Installation(env, sink, hooks, processes)
        try:
            yield installation
        finally:
            installation.close()


@pytest.fixture
def installation(backend: str, databases: Any, tmp_path: Path) -> Iterator[Installation]:
    """Return an installation on a fresh, migrated database of each kind."""
    name = f"acceptance_{secrets.token_hex(4)}"
    with installed(databases(backend, name), tmp_path) as made:
        made.create_project()
        yield made
