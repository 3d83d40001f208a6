"""Rows for SQLite: one prepared statement, given the values of all rows at once.

The values are converted column by column; SQLAlchemy's own way costs as much as SQLite itself.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import Any

from sqlalchemy import Connection, DateTime, Table
from sqlalchemy.dialects import sqlite
from sqlalchemy.types import TypeDecorator, TypeEngine

from plunk.db import dump_json

Row = Mapping[str, Any]
Convert = Callable[[Any], Any]
DIALECT = sqlite.dialect(json_serializer=dump_json)


def insert(
    connection: Connection, table: Table, rows: Sequence[Row], *, unique: tuple[str, ...]
) -> int:
    """Insert the rows, pass over those whose unique columns are taken, and return how many."""
    names = tuple(rows[0])
    marks = ", ".join("?" for _ in names)
    statement = f"INSERT INTO {_name(table)} ({_list(names)}) VALUES ({marks})"  # noqa: S608 - names of our own columns
    if unique:
        statement += f" ON CONFLICT ({_list(unique)}) DO NOTHING"
    return _run(connection, statement, _values(table, rows, {name: name for name in names}))


def update(
    connection: Connection, table: Table, rows: Sequence[Row], *, match: Mapping[str, str]
) -> int:
    """Write the rows where the matching columns are equal, and return how many were found."""
    written = [name for name in rows[0] if name not in match.values()]
    columns = [(name, name) for name in written] + [(key, name) for name, key in match.items()]
    changes = ", ".join(f"{_quote(name)} = ?" for name in written)
    where = " AND ".join(f"{_quote(name)} = ?" for name in match)
    statement = f"UPDATE {_name(table)} SET {changes} WHERE {where}"  # noqa: S608 - as above
    return _run(connection, statement, _values(table, rows, dict(columns)))


def _run(connection: Connection, statement: str, values: list[tuple[Any, ...]]) -> int:
    counting = {"preserve_rowcount": True}
    result = connection.exec_driver_sql(statement, values, execution_options=counting)
    return result.rowcount


def _values(table: Table, rows: Sequence[Row], columns: Mapping[str, str]) -> list[tuple[Any, ...]]:
    """Return the rows as SQLite stores them, in the order of these keys."""
    stored = [
        _column([row[key] for row in rows], table.c[name].type) for key, name in columns.items()
    ]
    return list(zip(*stored, strict=True))


def _column(values: list[Any], kind: TypeEngine[Any]) -> list[Any]:
    convert = _convert(kind)
    if convert is None:
        return values
    if not isinstance(kind, TypeDecorator) or not isinstance(kind.impl_instance, DateTime):
        return [convert(value) for value in values]
    known = {value: convert(value) for value in set(values)}  # a batch has few different times
    return [known[value] for value in values]


@cache
def _convert(kind: TypeEngine[Any]) -> Convert | None:
    return kind.dialect_impl(DIALECT).bind_processor(DIALECT)


def _name(table: Table) -> str:
    return _quote(table.name)


def _list(names: Sequence[str]) -> str:
    return ", ".join(map(_quote, names))


@cache
def _quote(name: str) -> str:
    return DIALECT.identifier_preparer.quote(name)
