"""Bringing a database to the newest revision of the tables."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config

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


def _config() -> Config:
    if not (SCRIPTS / "env.py").exists():
        raise Misconfigured(
            f"The folder {SCRIPTS} is missing: install from a clone with `pip install -e .`."
        )
    return Config(str(SCRIPTS / "alembic.ini"))
