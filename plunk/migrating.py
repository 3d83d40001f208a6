"""Bringing a database to the newest revision of the tables."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Engine

from plunk.db import open_engine
from plunk.errors import Misconfigured

SCRIPTS = Path(__file__).resolve().parent.parent / "migrations"
LOCK = 7_265_110  # any number; PostgreSQL's advisory lock that lets one migration run at a time


def upgrade(url: str, revision: str = "head") -> None:
    """Migrate the database at this URL; safe to run twice and by several machines at once."""
    engine = open_engine(url)
    try:
        with engine.begin() as connection:
            if connection.dialect.name == "postgresql":
                connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({LOCK})")
            config = _config()
            config.attributes["connection"] = connection
            command.upgrade(config, revision)
    finally:
        engine.dispose()


def is_behind(engine: Engine) -> bool:
    """Tell whether the database lacks revisions that this version knows.

    A revision unknown here is newer: while a release rolls out, the old version still runs.
    """
    with engine.connect() as connection:
        current = MigrationContext.configure(connection).get_current_revision()
    scripts = ScriptDirectory.from_config(_config())
    known = {script.revision for script in scripts.walk_revisions()}
    return current is None or (current in known and current != scripts.get_current_head())


def _config() -> Config:
    if not (SCRIPTS / "env.py").exists():
        raise Misconfigured(
            f"The folder {SCRIPTS} is missing: install from a clone with `pip install -e .`."
        )
    return Config(str(SCRIPTS / "alembic.ini"))
