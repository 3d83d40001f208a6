"""Segments: pages of 50 and counts of conditions over many contacts.

python -m bench.segments [sqlite|postgres] [contacts]
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from datetime import timedelta
from statistics import median
from typing import Any

from sqlalchemy import Connection, func, insert, select

from bench import stage
from plunk.clock import SystemClock
from plunk.conditions import segments
from plunk.conditions.sql import Constants, Scope, matches_sql
from plunk.db import open_engine, table_of
from plunk.ids import new_id
from plunk.models import Contact, Email, Event, SegmentMember

PAGE, BATCH, TIMES = 50, 10_000, 9
NOW = SystemClock().now()
CONDITIONS = {
    'data.plan == "pro" (0.5 %)': {"field": "data.plan", "operator": "equals", "value": "pro"},
    'data.plan == "free" (99.5 %)': {"field": "data.plan", "operator": "equals", "value": "free"},
    "data.score > 998 (0.1 %)": {"field": "data.score", "operator": "greaterThan", "value": 998},
    'email contains "99999"': {"field": "email", "operator": "contains", "value": "99999"},
}


def main(kind: str = "postgres", total: str = "100000") -> None:
    """Fill a database and measure each condition."""
    with stage.database(kind) as url:
        project_id = stage.project(url).id
        engine = open_engine(url)
        with engine.begin() as connection:
            for start in range(0, int(total), BATCH):
                rows = [_contact(project_id, number) for number in range(start, start + BATCH)]
                connection.execute(insert(table_of(Contact)), rows)
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.exec_driver_sql("ANALYZE")
            for name, filter_ in CONDITIONS.items():
                _measure(connection, project_id, name, filter_)
        engine.dispose()


def _contact(project_id: str, number: int) -> dict[str, Any]:
    at = NOW - timedelta(seconds=number)
    plan = "pro" if number % 200 == 0 else "free"
    return {
        "id": new_id(),
        "project_id": project_id,
        "email": f"user{number}@example.com",
        "data": {"plan": plan, "score": number % 1_000, "address": {"city": number % 7_000}},
        "subscribed": True,
        "created_at": at,
        "updated_at": at,
    }


def _measure(connection: Connection, project_id: str, name: str, filter_: object) -> None:
    contacts = table_of(Contact)
    condition = segments.read({"logic": "AND", "groups": [{"filters": [filter_]}]})
    scope = Scope(
        contacts,
        table_of(Event),
        table_of(Email),
        table_of(SegmentMember),
        connection.dialect.name,
        Constants(NOW),
    )
    met = (contacts.c.project_id == project_id, matches_sql(condition, scope))
    newest = (contacts.c.created_at.desc(), contacts.c.id.desc())
    page = select(contacts).where(*met).order_by(*newest).limit(PAGE)
    count = select(func.count()).select_from(contacts).where(*met)
    print(
        f"{name}: page {_took(lambda: connection.execute(page).all()):.1f} ms,"
        f" count {_took(lambda: connection.scalar(count)):.1f} ms ({connection.scalar(count)})"
    )


def _took(work: Callable[[], object]) -> float:
    taken = []
    for _ in range(TIMES):
        start = time.perf_counter()
        work()
        taken.append((time.perf_counter() - start) * 1_000)
    return median(taken)


if __name__ == "__main__":
    main(*sys.argv[1:])
