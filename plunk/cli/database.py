"""The database as the command line needs it: reachable, and with the newest tables."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import click
import structlog
from sqlalchemy import Engine, text
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError

from plunk import migrating
from plunk.config import Settings, read_settings
from plunk.db import open_engine
from plunk.errors import Misconfigured

CONNECT_SECONDS = 5
PATIENCE, LONGEST_REST = 60.0, 10.0  # seconds
# What PostgreSQL refuses with while it is on its way up or down; the driver gives no codes here.
STARTING = ("starting up", "shutting down", "recovery", "not yet accepting")
log = structlog.get_logger()


@contextmanager
def reachable(settings: Settings) -> Iterator[Engine]:
    """Yield an engine whose database has answered; Misconfigured says why it does not."""
    engine = _open(settings)
    try:
        _ask(engine)
        yield engine
    finally:
        engine.dispose()


def require_tables(settings: Settings) -> None:
    """Raise Misconfigured unless the database answers and has the tables this version needs."""
    with reachable(settings) as engine:
        if migrating.is_behind(engine):
            raise Misconfigured("The database lacks this version's tables: run `plunk migrate`.")


def await_database(
    settings: Settings, *, seconds: float = PATIENCE, pause: Callable[[float], None] = time.sleep
) -> None:
    """Wait for a database that starts, for so long; then Misconfigured says why it is away."""
    deadline, rest = time.monotonic() + seconds, 1.0
    while True:
        try:
            with reachable(settings):
                return
        except Misconfigured as error:
            left = deadline - time.monotonic()
            if left <= 0 or not _is_away(error):
                raise
            log.warning("database.awaited", reason=error.message)
        pause(min(rest, left))
        rest = min(2 * rest, LONGEST_REST)


def migrate() -> None:
    """Bring the database to the newest tables and say so."""
    settings = read_settings()
    with reachable(settings):
        pass
    migrating.upgrade(settings.database_url)
    click.echo("The database is up to date.")


def _open(settings: Settings) -> Engine:
    try:
        if settings.is_sqlite:
            return open_engine(settings.database_url)
        limit = {"connect_timeout": CONNECT_SECONDS}
        return open_engine(settings.database_url, connect_args=limit)
    except (ArgumentError, NoSuchModuleError, ValueError) as error:
        raise Misconfigured(f"DATABASE_URL cannot be read: {error}") from error
    except ModuleNotFoundError as error:
        raise Misconfigured(
            "PostgreSQL needs its driver: pip install 'plunk-py[postgres]'."
        ) from error


def _ask(engine: Engine) -> None:
    try:
        with engine.connect() as connection:
            connection.execute(text("SELECT 1"))
    except DBAPIError as error:
        raise Misconfigured(f"The database cannot be reached: {_reason(error)}") from error


def _is_away(error: Misconfigured) -> bool:
    """Tell whether waiting may help; a server that refuses us will do so again."""
    cause = error.__cause__
    if not isinstance(cause, DBAPIError) or isinstance(cause.orig, sqlite3.Error):
        return False
    said = str(cause.orig)
    return "FATAL" not in said or any(word in said for word in STARTING)


def _reason(error: DBAPIError) -> str:
    lines = str(error.orig).strip().splitlines()
    return lines[0] if lines else type(error.orig).__name__
