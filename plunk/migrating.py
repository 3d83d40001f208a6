"""Bringing a database to the newest revision of the tables."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, Index, event
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.pool import ConnectionPoolEntry

from plunk.db import open_engine
from plunk.errors import Misconfigured

SCRIPTS = Path(__file__).resolve().parent.parent / "migrations"
LOCK = 7_265_110  # any number; PostgreSQL's advisory lock that lets one migration run at a time


def upgrade(url: str, revision: str = "head") -> None:
    """Migrate the database at this URL; safe to run twice and by several machines at once."""
    engine = migration_engine(url)
    try:
        with engine.begin() as connection:
            if connection.dialect.name == "postgresql":
                connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({LOCK})")
            config = _config()
            config.attributes["connection"] = connection
            command.upgrade(config, revision)
    finally:
        engine.dispose()


def migration_engine(url: str) -> Engine:
    """Return an engine whose SQLite connections may drop a table that others point at.

    SQLite changes a check or a type by copying the table; with foreign keys on, dropping the old
    one would delete what points into it.
    """
    engine = open_engine(url)
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _loosen_keys)
    return engine


def is_made(connection: Connection, item: object) -> bool:
    """Tell whether this database is to have an item of the models; SQLite has no GIN indexes."""
    is_special = isinstance(item, Index) and item.dialect_options["postgresql"]["using"]
    return not is_special or connection.dialect.name == "postgresql"


def _loosen_keys(connection: DBAPIConnection, _record: ConnectionPoolEntry) -> None:
    connection.cursor().execute("PRAGMA foreign_keys = OFF")


def is_behind(engine: Engine) -> bool:
    """Tell whether the database lacks revisions that this version knows.

    A revision unknown here is newer: while a release rolls out, the old version still runs.
    """
    with engine.connect() as connection:
        return lacks_revisions(connection)


def lacks_revisions(connection: Connection) -> bool:
    """Tell the same of the database at the other end of a connection."""
    current = MigrationContext.configure(connection).get_current_revision()
    known, head = _revisions()
    return current is None or (current in known and current != head)


@cache
def _revisions() -> tuple[frozenset[str], str | None]:
    """Return the revisions that this version knows, and the newest; files are read once."""
    scripts = ScriptDirectory.from_config(_config())
    known = frozenset(script.revision for script in scripts.walk_revisions())
    return known, scripts.get_current_head()


def _config() -> Config:
    if not (SCRIPTS / "env.py").exists():
        raise Misconfigured(
            f"The folder {SCRIPTS} is missing: install from a clone with `pip install -e .`."
        )
    return Config(str(SCRIPTS / "alembic.ini"))
