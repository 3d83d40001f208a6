"""What the database itself refuses, and how it is set up."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import count
from typing import Any

import pytest
from sqlalchemy import (
    JSON,
    Boolean,
    CheckConstraint,
    Column,
    Connection,
    DateTime,
    ForeignKeyConstraint,
    Integer,
    Table,
    insert,
    text,
)
from sqlalchemy.exc import IntegrityError

import plunk.models  # noqa: F401 - fills Base.metadata
from plunk.db import SQLITE_BUSY_SECONDS, Base
from plunk.ids import new_id
from tests.conftest import Backend

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
TABLES = Base.metadata.tables
COMPOSITE = [
    (table, key)
    for table in Base.metadata.sorted_tables
    for key in sorted(table.foreign_key_constraints, key=lambda key: str(key.name))
    if len(key.columns) > 1
]
# What a row needs besides its columns' own rules, because a CHECK looks at several of them.
NEEDED: dict[str, dict[str, Any]] = {
    "emails": {"next_attempt_at": NOON},
    "webhook_calls": {"next_attempt_at": NOON},
    "executions": {"due_at": NOON},
    "segments": {"condition": {}},
}
ONE_OF = {"executions": ("contact_id", "record_id")}
MAX_ID = 36
OF_ALL = {"projects", "retention_walks"}  # what no project owns
numbers = count(1)


def own_column(key: ForeignKeyConstraint) -> Column[Any]:
    """Return the column of a composite key that is not the project's."""
    return next(column for column in key.columns if column.name != "project_id")


def names(pair: tuple[Table, ForeignKeyConstraint]) -> str:
    return f"{pair[0].name}.{own_column(pair[1]).name}"


class Rows:
    """Makes the smallest rows that the database accepts."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def project(self) -> str:
        return self.insert(TABLES["projects"], {})

    def insert(self, table: Table, given: dict[str, Any]) -> str:
        """Insert one row, and before it the rows it must point at; return its id."""
        row = {**NEEDED.get(table.name, {}), **given}
        wanted = set(row) & set(ONE_OF.get(table.name, ()))
        chosen = None if wanted else next(iter(ONE_OF.get(table.name, ())), None)
        for key in table.foreign_key_constraints:
            column = own_column(key) if len(key.columns) > 1 else None
            if column is not None and (not column.nullable or column.name == chosen):
                row.setdefault(column.name, self.parent(key, row["project_id"]))
        for column in table.columns:
            if column.name not in row and not column.nullable:
                row[column.name] = value_of(table, column)
        self._connection.execute(insert(table).values(row))
        return str(row.get("id", ""))

    def parent(self, key: ForeignKeyConstraint, project: str) -> str:
        """Insert a row that this key may point at."""
        return self.insert(key.referred_table, {"project_id": project})


def value_of(table: Table, column: Column[Any]) -> Any:
    for check in table.constraints:
        start = f"{column.name} IN ('"
        if isinstance(check, CheckConstraint) and str(check.sqltext).startswith(start):
            return str(check.sqltext).removeprefix(start).partition("'")[0]
    kind = column.type
    match kind:
        case Boolean():
            return False
        case Integer():
            return next(numbers)
        case JSON():
            return {}
    if isinstance(getattr(kind, "impl", kind), DateTime):
        return NOON
    return new_id()[-(getattr(kind, "length", None) or MAX_ID) :]


def is_foreign_key_failure(error: IntegrityError) -> bool:
    return "foreign key constraint" in str(error.orig).lower()


@pytest.mark.parametrize("pair", COMPOSITE, ids=names)
def test_no_row_points_into_another_project(
    empty: Backend, pair: tuple[Table, ForeignKeyConstraint]
) -> None:
    table, key = pair
    column = own_column(key).name
    with empty.engine.begin() as connection:
        rows = Rows(connection)
        ours, theirs = rows.project(), rows.project()
        own, foreign = rows.parent(key, ours), rows.parent(key, theirs)
        rows.insert(table, {"project_id": ours, column: own})
        # the other parents exist already, so that only this key can be what fails
        with pytest.raises(IntegrityError) as refused, connection.begin_nested():
            rows.insert(table, {"project_id": ours, column: foreign})
        assert is_foreign_key_failure(refused.value)


def test_only_projects_are_pointed_at_without_their_project() -> None:
    loose = [
        (table.name, key.column_keys)
        for table in Base.metadata.sorted_tables
        for key in table.foreign_key_constraints
        if len(key.columns) == 1 and key.referred_table.name != "projects"
    ]
    assert loose == []


def test_every_table_belongs_to_a_project() -> None:
    homeless = [name for name, table in TABLES.items() if "project_id" not in table.columns]
    assert set(homeless) == OF_ALL


def test_a_row_of_no_project_is_refused(empty: Backend) -> None:
    with pytest.raises(IntegrityError) as refused, empty.engine.begin() as connection:
        Rows(connection).insert(TABLES["contacts"], {"project_id": new_id()})
    assert is_foreign_key_failure(refused.value)


def test_everything_goes_with_its_project(empty: Backend) -> None:
    with empty.engine.begin() as connection:
        rows = Rows(connection)
        project = rows.project()
        for table in Base.metadata.sorted_tables:
            if table.name not in OF_ALL:
                rows.insert(table, {"project_id": project})
        connection.execute(TABLES["projects"].delete())
        left = {
            name: connection.scalar(text(f"SELECT count(*) FROM {name}"))  # noqa: S608 - our names
            for name in TABLES
        }
    assert set(left.values()) == {0}


def test_sqlite_is_set_up_for_many_readers_and_safe_commits(empty: Backend) -> None:
    if empty.engine.dialect.name != "sqlite":
        return
    with empty.engine.connect() as connection:
        found = {
            name: connection.exec_driver_sql(f"PRAGMA {name}").scalar()
            for name in ("journal_mode", "busy_timeout", "foreign_keys", "synchronous")
        }
    full = 2
    assert found == {
        "journal_mode": "wal",
        "busy_timeout": SQLITE_BUSY_SECONDS * 1000,
        "foreign_keys": 1,
        "synchronous": full,
    }


def test_times_come_back_aware_and_in_utc(empty: Backend) -> None:
    with empty.engine.begin() as connection:
        Rows(connection).project()
        found = connection.scalar(
            TABLES["projects"].select().with_only_columns(TABLES["projects"].c.created_at)
        )
    assert found == NOON
    assert found.utcoffset().total_seconds() == 0
