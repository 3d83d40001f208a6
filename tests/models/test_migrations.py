"""Models and migrations say the same, and every earlier database can be brought up to date."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Engine, inspect, text
from sqlalchemy.engine import make_url

from plunk.config import database_url
from plunk.db import Base, open_engine
from plunk.migrating import SCRIPTS, is_behind, upgrade
from tests.conftest import fresh_postgres

ALONE = "from plunk.migrating import upgrade; import sys; upgrade(sys.argv[1])"
REVISIONS = [
    script.revision
    for script in ScriptDirectory.from_config(Config(str(SCRIPTS / "alembic.ini"))).walk_revisions()
]


@pytest.fixture
def blank(
    backend: str, tmp_path: Path, worker_id: str, request: pytest.FixtureRequest
) -> Iterator[Engine]:
    """Return an engine on a database without tables."""
    if backend == "sqlite":
        url = f"sqlite:///{tmp_path}/blank.db"
    else:
        server = request.getfixturevalue("postgres_server")
        url = fresh_postgres(server, f"plunk_blank_{worker_id}")
    engine = open_engine(url)
    yield engine
    engine.dispose()


def url_of(engine: Engine) -> str:
    return engine.url.render_as_string(hide_password=False)


def differences(engine: Engine) -> list[Any]:
    """Return what autogenerate would still migrate."""
    with engine.connect() as connection:
        options = {"compare_type": True, "compare_server_default": True}
        context = MigrationContext.configure(connection, opts=options)
        found: list[Any] = compare_metadata(context, Base.metadata)
        return found


def shape(engine: Engine) -> dict[str, Any]:
    """Return everything the database knows about its tables, checks and partial indexes too."""
    found = inspect(engine)
    return {
        table: {
            "columns": {
                one["name"]: (str(one["type"]), one["nullable"], one["default"])
                for one in found.get_columns(table)
            },
            "primary": found.get_pk_constraint(table),
            "foreign": by_name(found.get_foreign_keys(table)),
            "unique": by_name(found.get_unique_constraints(table)),
            "checks": by_name(found.get_check_constraints(table)),
            "indexes": by_name(found.get_indexes(table)),
        }
        for table in found.get_table_names()
        if table != "alembic_version"
    }


def by_name(items: list[Any]) -> dict[str, Any]:
    return {str(item["name"]): plain(item) for item in items}


def plain(value: object) -> Any:
    """Return a reflected value with its SQL expressions as text, so that it can be compared."""
    match value:
        case dict():
            return {str(key): plain(item) for key, item in value.items()}
        case list() | tuple():
            return [plain(item) for item in value]
    return str(value)


def test_autogenerate_finds_nothing_to_do(blank: Engine) -> None:
    upgrade(url_of(blank))
    assert differences(blank) == []


def test_migrations_build_what_the_models_build(blank: Engine) -> None:
    Base.metadata.create_all(blank)
    wanted = shape(blank)
    Base.metadata.drop_all(blank)
    upgrade(url_of(blank))
    assert shape(blank) == wanted


@pytest.mark.parametrize("revision", REVISIONS)
def test_every_earlier_revision_can_be_upgraded(blank: Engine, revision: str) -> None:
    upgrade(url_of(blank), revision)
    upgrade(url_of(blank))
    assert differences(blank) == []
    assert not is_behind(blank)


def test_a_second_upgrade_changes_nothing(blank: Engine) -> None:
    upgrade(url_of(blank))
    with blank.begin() as connection:
        connection.execute(text("CREATE TABLE witness (id INTEGER)"))
    before = shape(blank)
    upgrade(url_of(blank))
    assert shape(blank) == before


def test_several_machines_may_upgrade_at_once(blank: Engine) -> None:
    command = [sys.executable, "-c", ALONE, url_of(blank)]
    running = [subprocess.Popen(command, stderr=subprocess.PIPE, text=True) for _ in range(3)]
    complaints = [process.communicate(timeout=60)[1] for process in running]
    assert [process.returncode for process in running] == [0, 0, 0], complaints
    assert differences(blank) == []


def test_alembic_itself_finds_the_database(blank: Engine) -> None:
    upgrade(url_of(blank))
    checked = subprocess.run(
        [sys.executable, "-m", "alembic", "-c", str(SCRIPTS / "alembic.ini"), "check"],
        env={**os.environ, "DATABASE_URL": url_of(blank)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert checked.returncode == 0, checked.stderr


def test_revisions_form_one_line() -> None:
    scripts = ScriptDirectory.from_config(Config(str(SCRIPTS / "alembic.ini")))
    assert len(scripts.get_heads()) == len(scripts.get_bases()) == 1


def test_it_is_known_whether_a_database_is_behind(blank: Engine) -> None:
    assert is_behind(blank)
    upgrade(url_of(blank))
    assert not is_behind(blank)
    with blank.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = 'newer than we are'"))
    assert not is_behind(blank)


@pytest.mark.parametrize("scheme", ["postgres", "postgresql", "postgresql+psycopg"])
def test_platforms_may_write_their_urls_as_they_do(postgres_server: str, scheme: str) -> None:
    given = postgres_server.replace("postgresql+psycopg://", f"{scheme}://", 1)
    engine = open_engine(database_url(given))
    with engine.connect() as connection:
        assert connection.scalar(text("SELECT 1")) == 1
    engine.dispose()
    assert engine.url == make_url(postgres_server)
