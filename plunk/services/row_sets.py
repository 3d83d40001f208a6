"""Sets of rows in one statement each, however many they are.

PostgreSQL takes them as one JSON parameter, which costs a tenth of a statement for each row; SQLite
has no way to the server to save.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import (
    ARRAY,
    JSON,
    ColumnElement,
    CursorResult,
    FromClause,
    Table,
    Text,
    Update,
    any_,
    bindparam,
    cast,
    column,
    func,
    insert,
    literal,
    select,
    update,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from plunk.db import Base, is_postgres, table_of

Row = Mapping[str, Any]
KEY = "row_id"


def insert_rows(
    session: Session, model: type[Base], rows: Sequence[Row], *, unique: Sequence[str] = ()
) -> int:
    """Insert rows that all have the same columns, and return how many.

    Those whose `unique` columns are taken already are passed over.
    """
    if not rows:
        return 0
    table, names = table_of(model), list(rows[0])
    connection, counting = session.connection(), {"preserve_rowcount": True}
    if not is_postgres(session):
        plain = sqlite.insert(table).on_conflict_do_nothing(index_elements=unique)
        result = connection.execute(
            plain if unique else insert(table), list(rows), execution_options=counting
        )
        return _count(result)
    given = _given(table, names)
    statement = postgresql.insert(table).from_select(
        names, select(*(given.c[name] for name in names)), include_defaults=False
    )
    if unique:
        statement = statement.on_conflict_do_nothing(index_elements=unique)
    return _count(connection.execute(statement, {"rows": _text(rows)}, execution_options=counting))


def update_rows(session: Session, model: type[Base], rows: Sequence[Row]) -> None:
    """Write these columns of the rows that have these ids; all rows have the same columns."""
    if not rows:
        return
    table, names = table_of(model), [name for name in rows[0] if name != "id"]
    if is_postgres(session):
        given = _given(table, ["id", *names])
        statement = _updating(table, given.c["id"]).values({name: given.c[name] for name in names})
        session.connection().execute(statement, {"rows": _text(rows)})
        return
    statement = _updating(table, bindparam(KEY)).values(
        {name: bindparam(f"new_{name}") for name in names}
    )
    session.connection().execute(statement, [_renamed(row) for row in rows])


def is_among(
    session: Session, wanted: ColumnElement[str], values: Collection[str]
) -> ColumnElement[bool]:
    """Return the condition that a column has one of many values: one parameter on PostgreSQL."""
    if is_postgres(session):
        return wanted == any_(literal(list(values), ARRAY(wanted.type)))
    return wanted.in_(values)


def _given(table: Table, names: Sequence[str]) -> FromClause:
    columns = [column(name, table.c[name].type) for name in names]
    source = cast(bindparam("rows", type_=Text), JSON)
    return func.json_to_recordset(source).table_valued(*columns).render_derived(with_types=True)


def _updating(table: Table, row_id: ColumnElement[Any]) -> Update:
    return update(table).where(table.c.id == row_id)


def _renamed(row: Row) -> dict[str, Any]:
    return {KEY if name == "id" else f"new_{name}": value for name, value in row.items()}


def _text(rows: Sequence[Row]) -> str:
    return json.dumps(
        rows, separators=(",", ":"), ensure_ascii=False, allow_nan=False, default=_iso
    )


def _iso(value: object) -> str:
    if isinstance(value, datetime):
        return value.isoformat()
    raise TypeError(type(value))


def _count(result: object) -> int:
    return result.rowcount if isinstance(result, CursorResult) else 0
