"""The database as the command line needs it: reachable, and with the newest tables."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import click
from sqlalchemy import Engine, text
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError

from plunk import migrating
from plunk.config import Settings, read_settings
from plunk.db import open_engine
from plunk.errors import Misconfigured

CONNECT_SECONDS = 5


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


def _reason(error: DBAPIError) -> str:
    lines = str(error.orig).strip().splitlines()
    return lines[0] if lines else type(error.orig).__name__
