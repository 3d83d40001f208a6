"""Totals of lists: exact while they are short, remembered for a while when they are long."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import delete, event, select

from plunk.db import transaction
from plunk.ids import new_id
from plunk.models import Contact
from plunk.services import totals
from plunk.services.row_sets import insert_rows
from plunk.services.totals import EXACT, FRESH_SECONDS
from tests.conftest import NOON


@pytest.fixture
def add(sessions, project):
    """Return a function that adds so many contacts."""

    def tell(count: int) -> None:
        same = {"project_id": project.id, "data": {}, "created_at": NOON, "updated_at": NOON}
        ids = [new_id() for _ in range(count)]
        rows = [{"id": id_, "email": f"{id_}@a.test", "subscribed": True, **same} for id_ in ids]
        with transaction(sessions) as session:
            insert_rows(session, Contact, rows)

    return tell


@pytest.fixture
def total(sessions, project):
    """Return a function that tells the total at so many seconds."""

    def tell(second: float = 0) -> int:
        mine = select(Contact).where(Contact.project_id == project.id)
        with transaction(sessions) as session:
            return totals.total(session, mine.order_by(Contact.id), timer=lambda: second)

    return tell


@pytest.mark.parametrize("count", [0, 1, 7])
def test_a_short_list_is_counted_each_time(add, total, count: int) -> None:
    add(count)
    assert total() == count
    add(1)
    assert total() == count + 1


def test_a_long_list_is_counted_once_a_minute(add, total) -> None:
    add(EXACT)
    assert total() == EXACT
    add(5)
    assert total() == EXACT + 5
    add(5)
    assert total(FRESH_SECONDS - 1) == EXACT + 5
    assert total(FRESH_SECONDS) == EXACT + 10


def test_a_list_that_became_short_is_exact_again(add, total, sessions) -> None:
    add(EXACT + 5)
    assert total() == EXACT + 5
    with transaction(sessions) as session:
        session.execute(delete(Contact).where(Contact.email < "8"))
        left = len(session.scalars(select(Contact.id)).all())
    assert left < EXACT
    assert total() == left


def test_a_long_list_has_a_total_over_http(add, api) -> None:
    add(EXACT + 1)
    page = api.get("/contacts?limit=1").get_json()
    assert (page["total"], page["hasMore"]) == (EXACT + 1, True)
    assert api.get(f"/contacts?limit=1&search={page['data'][0]['email']}").get_json()["total"] == 1


def test_a_remembered_total_costs_no_second_count(add, total, stage) -> None:
    add(EXACT + 1)
    total()
    statements: list[str] = []

    def listen(*seen: Any) -> None:
        statements.append(seen[2])

    event.listen(stage.engine, "before_cursor_execute", listen)
    total(1)
    event.remove(stage.engine, "before_cursor_execute", listen)
    counts = [one for one in statements if "count" in one]
    assert len(counts) == 1
    assert "LIMIT" in counts[0]
