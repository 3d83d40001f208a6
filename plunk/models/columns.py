"""Pieces that every table is built from."""

from __future__ import annotations

from sqlalchemy import CheckConstraint, ForeignKeyConstraint
from sqlalchemy.orm import MappedColumn, mapped_column

from plunk.db import Id
from plunk.ids import new_id


def primary_id() -> MappedColumn[str]:
    """Return a primary key column that fills itself with a time-ordered UUID."""
    return mapped_column(Id, primary_key=True, default=new_id)


def owned(column: str, table: str, *, on_delete: str | None = None) -> ForeignKeyConstraint:
    """Return a foreign key that also carries the project, so no row can point into another."""
    return ForeignKeyConstraint(
        ["project_id", column], [f"{table}.project_id", f"{table}.id"], ondelete=on_delete
    )


def one_of(column: str, values: tuple[str, ...]) -> CheckConstraint:
    """Return a check that the column holds one of these words."""
    words = ", ".join(f"'{value}'" for value in values)
    return CheckConstraint(f"{column} IN ({words})", name=column)
