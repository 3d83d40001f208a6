"""Whose turn it is: projects with due work, so that a busy one never holds up the others (I7)."""

from __future__ import annotations

from datetime import datetime
from functools import cache

from sqlalchemy import Select, Table, bindparam, select
from sqlalchemy.orm import Session


def projects_due(session: Session, table: Table, column: str, *, now: datetime) -> list[str]:
    """Return the projects with rows of this queue due, each once, without reading the rows.

    It jumps from project to project along the queue's partial index, so its cost grows with the
    number of projects that have rows waiting, not with the number of rows. Every queue column is
    null when nothing is due, which makes `column IS NOT NULL` the index's condition.
    """
    found = session.connection().execute(_walk(table, column), {"now": now})
    return list(found.scalars())


@cache
def _walk(table: Table, column: str) -> Select[str]:
    row = table.alias("row")
    project, due = row.c.project_id, row.c[column]
    first = select(project).where(due.is_not(None)).order_by(project).limit(1)
    start = select(first.scalar_subquery().label("id")).cte("walk", recursive=True)
    following = first.where(project > start.c.id).scalar_subquery()
    walk = start.union_all(select(following).where(start.c.id.is_not(None)))
    has_due = select(row.c.id).where(project == walk.c.id, due <= bindparam("now")).exists()
    return select(walk.c.id).where(walk.c.id.is_not(None), has_due)
