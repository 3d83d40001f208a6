"""`plunk serve`: the API behind granian, one process for each worker."""

from __future__ import annotations

import os

import click
from granian import Granian
from granian.constants import Interfaces
from granian.log import LogLevels

from plunk import logs
from plunk.application import create_app
from plunk.cli.database import await_database, require_tables
from plunk.cli.ports import require_free
from plunk.cli.projects import require_secret
from plunk.config import Settings, read_settings

THREADS = 14  # per process; below the 15 connections that its database pool may hold
KILL_SECONDS = 20  # platforms kill after 30


def serve(workers: int | None) -> int:
    """Serve until SIGTERM or SIGINT, finish the requests under way, return 0."""
    settings = read_settings({"HOST": "0.0.0.0", **os.environ})  # noqa: S104 - a server's default
    processes = workers or settings.web_concurrency
    logs.configure(settings)
    _check(settings)
    server = Granian(
        "plunk.application:create_app",
        factory=True,
        interface=Interfaces.WSGI,
        address=settings.host,
        port=settings.port,
        workers=processes,
        blocking_threads=THREADS,
        respawn_failed_workers=True,
        workers_kill_timeout=KILL_SECONDS,
        log_level=LogLevels.error,
    )
    click.echo(f"Serving on http://{settings.host}:{settings.port} with {processes} process(es).")
    server.serve()
    return 0


def _check(settings: Settings) -> None:
    """Find here what would otherwise make every process die with a traceback."""
    require_secret(settings)
    await_database(settings)
    require_tables(settings)
    create_app(settings)  # what it imports here, the processes share
    require_free(settings.host, settings.port)
