"""Sets of rows in one statement each, however many they are.

PostgreSQL takes each column's values as one array, SQLite takes the values of all rows at once.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from functools import lru_cache
from typing import Any

from sqlalchemy import (
    ARRAY,
    ColumnElement,
    CursorResult,
    Insert,
    Table,
    Update,
    and_,
    any_,
    bindparam,
    literal,
    select,
    update,
)
from sqlalchemy.dialects import postgresql
from sqlalchemy.orm import Session
from sqlalchemy.sql.schema import ScalarElementColumnDefault

from plunk.db import Base, is_postgres, table_of
from plunk.services import sqlite_rows
from plunk.services.row_arrays import Shape, given, shape_of, uncut, values_of

Row = Mapping[str, Any]
BY_ID = {"id": "id"}


def insert_rows(
    session: Session, model: type[Base], rows: Sequence[Row], *, unique: Sequence[str] = ()
) -> int:
    """Insert rows that all have the same columns, and return how many.

    Those whose `unique` columns are taken already are passed over. Columns that are not named get
    their defaults, if these are plain values.
    """
    if not rows:
        return 0
    table = table_of(model)
    if missing := _defaults(table, frozenset(rows[0])):
        rows = [{**row, **missing} for row in rows]
    if not is_postgres(session):
        return sqlite_rows.insert(session.connection(), table, rows, unique=tuple(unique))
    shape = shape_of(table, rows, {name: name for name in rows[0]})
    result = session.connection().execute(
        _inserting(shape, tuple(unique)),
        values_of(shape, rows),
        execution_options={"preserve_rowcount": True},
    )
    return _count(result)


def update_rows(
    session: Session,
    model: type[Base],
    rows: Sequence[Row],
    *,
    match: Mapping[str, str] = BY_ID,
) -> int:
    """Write rows' columns to where others match, and return how many rows were found.

    `match` says which columns are compared, and by which names their values stand in the rows;
    everything else in them is written. All rows have the same columns, and no two match the same.
    """
    if not rows:
        return 0
    table = table_of(model)
    if not is_postgres(session):
        return sqlite_rows.update(session.connection(), table, rows, match=match)
    written = {name: name for name in rows[0] if name not in match.values()}
    compared = {key: name for name, key in match.items()}
    shape = shape_of(table, rows, {**written, **compared}, apart=frozenset(compared))
    statement = _updating(shape, tuple(written), tuple(match.items()))
    return _count(session.connection().execute(statement, values_of(shape, rows)))


def is_among(
    session: Session, wanted: ColumnElement[str], values: Collection[str]
) -> ColumnElement[bool]:
    """Return the condition that a column has one of many values: one parameter on PostgreSQL."""
    if is_postgres(session):
        return wanted == any_(literal(list(values), ARRAY(uncut(wanted.type))))
    return wanted.in_(values)


def is_one_of(wanted: ColumnElement[Any], name: str, *, arrays: bool) -> ColumnElement[bool]:
    """Return the same condition with a parameter of this name, for statements built only once."""
    if arrays:
        return wanted == any_(bindparam(name, type_=ARRAY(uncut(wanted.type))))
    return wanted.in_(bindparam(name, expanding=True))


@lru_cache(maxsize=256)
def _defaults(table: Table, named: frozenset[str]) -> dict[str, object]:
    return {
        column.name: column.default.arg
        for column in table.columns
        if column.name not in named and isinstance(column.default, ScalarElementColumnDefault)
    }


@lru_cache(maxsize=256)
def _inserting(shape: Shape, unique: tuple[str, ...]) -> Insert:
    rows = given(shape)
    statement = postgresql.insert(shape.table).from_select(
        list(rows), select(*rows.values()), include_defaults=False
    )
    return statement.on_conflict_do_nothing(index_elements=unique) if unique else statement


@lru_cache(maxsize=256)
def _updating(
    shape: Shape, written: tuple[str, ...], compared: tuple[tuple[str, str], ...]
) -> Update:
    rows, table = given(shape), shape.table
    return (
        update(table)
        .where(and_(*(table.c[name] == rows[key] for name, key in compared)))
        .values({name: rows[name] for name in written})
    )


def _count(result: object) -> int:
    return result.rowcount if isinstance(result, CursorResult) else 0
