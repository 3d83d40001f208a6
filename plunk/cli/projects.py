"""Creating projects."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict

import click
from sqlalchemy.orm import Session

from plunk.cli.database import require_tables
from plunk.clock import SystemClock
from plunk.config import Settings, read_settings
from plunk.db import open_engine, session_factory, transaction
from plunk.errors import Misconfigured
from plunk.security import Seal
from plunk.services import projects
from plunk.services.projects import NewProject


def create(name: str, *, as_json: bool) -> None:
    """Create a project and print its keys."""
    settings = read_settings()
    require_secret(settings)
    require_tables(settings)
    made = create_in(settings, name)
    if as_json:
        click.echo(json.dumps(asdict(made)))
        return
    for label, value in asdict(made).items():
        click.echo(f"{label:<7} {value}")


def create_in(settings: Settings, name: str) -> NewProject:
    """Create a project in the database of these settings."""
    with _session(settings) as session:
        return _create(session, settings, name)


def find_or_create_in(settings: Settings, name: str) -> NewProject:
    """Return the project of this name; create it when there is none."""
    with _session(settings) as session:
        found = projects.find_by_name(session, name, seal=Seal(settings.secret_key))
        return found or _create(session, settings, name)


@contextmanager
def _session(settings: Settings) -> Iterator[Session]:
    engine = open_engine(settings.database_url)
    try:
        with transaction(session_factory(engine)) as session:
            yield session
    finally:
        engine.dispose()


def _create(session: Session, settings: Settings, name: str) -> NewProject:
    seal = Seal(settings.secret_key)
    return projects.create(session, name, seal=seal, now=SystemClock().now())


def require_secret(settings: Settings) -> None:
    """Raise Misconfigured when there is no SECRET_KEY to seal with."""
    if not settings.secret_key:
        raise Misconfigured(
            "SECRET_KEY is not set; give it at least 16 random characters"
            " (openssl rand -hex 32 makes some)."
        )
