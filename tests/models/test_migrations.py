"""Models and migrations say the same, and every earlier database can be brought up to date."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Engine, MetaData, inspect, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import IntegrityError

from plunk.config import database_url
from plunk.db import Base, open_engine
from plunk.ids import new_id
from plunk.migrating import SCRIPTS, is_behind, is_made, upgrade
from tests.conftest import fresh_postgres

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
PROJECT, FLOW, STEP, NEXT, CONTACT, RUN = (new_id() for _ in range(6))
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
        options = {
            "compare_type": True,
            "compare_server_default": True,
            "include_object": lambda item, *_: is_made(connection, item),
        }
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


def fill_first_tables(engine: Engine) -> None:
    """Put one row into each table that the next revision copies, and into what points there."""
    tables = MetaData()
    tables.reflect(engine)
    common = {"project_id": PROJECT, "created_at": NOON, "updated_at": NOON}
    hashes = ("public_hash", "secret_hash", "public_sealed", "secret_sealed")
    rows: list[tuple[str, dict[str, Any]]] = [
        (
            "projects",
            {"id": PROJECT, "name": "Acme", "disabled": False, "tracking": "ENABLED"}
            | {"language": "en", "created_at": NOON, "updated_at": NOON}
            | {name: name for name in hashes},
        ),
        (
            "workflows",
            {"id": FLOW, "dialect": "plunk", "name": "W", "enabled": True, "trigger_type": "EVENT"}
            | {"allow_reentry": False, "revision": 1, **common},
        ),
        *(
            (
                "steps",
                {"id": step, "workflow_id": FLOW, "type": kind, "name": kind, **common}
                | {"position": {"x": 1}, "config": {"eventName": "ä"}},
            )
            for step, kind in ((STEP, "TRIGGER"), (NEXT, "EXIT"))
        ),
        (
            "transitions",
            {"id": new_id(), "workflow_id": FLOW, "from_step_id": STEP, "to_step_id": NEXT}
            | {"priority": 0, **common},
        ),
        (
            "triggers",
            {"id": new_id(), "project_id": PROJECT, "workflow_id": FLOW, "entry_step_id": STEP}
            | {"event_name": "go"},
        ),
        ("contacts", {"id": CONTACT, "email": "ada@example.com", "subscribed": True, **common}),
        (
            "executions",
            {"id": RUN, "workflow_id": FLOW, "dialect": "plunk", "contact_id": CONTACT, **common}
            | {"revision": 1, "status": "RUNNING", "current_step_id": STEP, "visit": 1}
            | {"version": 1, "depth": 0, "due_at": NOON, "started_at": NOON},
        ),
        (
            "step_executions",
            {"id": new_id(), "execution_id": RUN, "step_id": STEP, "visit": 1, **common}
            | {"status": "COMPLETED"},
        ),
    ]
    with engine.begin() as connection:
        for name, row in rows:
            connection.execute(tables.tables[name].insert().values(row))


def contents(engine: Engine) -> dict[str, list[dict[str, Any]]]:
    """Return all rows of the tables that the first revision made."""
    tables = MetaData()
    tables.reflect(engine)
    with engine.connect() as connection:
        return {
            name: [dict(row) for row in connection.execute(table.select()).mappings()]
            for name, table in tables.tables.items()
            if name != "alembic_version"
        }


def test_rows_of_the_first_tables_survive(blank: Engine) -> None:
    upgrade(url_of(blank), "0001")
    fill_first_tables(blank)
    before = contents(blank)
    upgrade(url_of(blank))
    after = contents(blank)
    for table, rows in before.items():
        assert len(after[table]) == len(rows), table
        for old, new in zip(rows, after[table], strict=True):
            assert {key: new[key] for key in old} == old
    assert after["triggers"][0]["kind"] == "start"


def test_what_was_copied_still_keeps_its_promises(blank: Engine) -> None:
    upgrade(url_of(blank), "0001")
    fill_first_tables(blank)
    upgrade(url_of(blank))
    with blank.begin() as connection:
        connection.execute(text(f"UPDATE steps SET type = 'SPLIT' WHERE id = '{NEXT}'"))  # noqa: S608 - ours
        with pytest.raises(IntegrityError), connection.begin_nested():
            connection.execute(text("UPDATE steps SET type = 'DANCE'"))
        with pytest.raises(IntegrityError), connection.begin_nested():
            connection.execute(text(f"DELETE FROM steps WHERE id = '{STEP}'"))  # noqa: S608 - ours
        connection.execute(text("DELETE FROM projects"))
    assert {name for name, rows in contents(blank).items() if rows} == set()


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
