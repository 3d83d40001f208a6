"""Sets of rows come back as they were given, whatever they hold, on both databases."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.exc import DataError, IntegrityError

from plunk.db import transaction
from plunk.ids import new_id
from plunk.models import Contact
from plunk.services.row_sets import insert_rows, update_rows
from tests.conftest import NOON

ODD_TEXTS = [
    "plain",
    "NULL",
    "null",
    "",
    '"',
    "\\",
    "a,b",
    "{x}",
    "{}",
    "%(x)s",
    ":x",
    "é💌",
    "a\nb",
]
ODD_DATA = [{}, {"a\n": None}, {"a": [1, 1.5, True, "x"]}, {"q": '"\\"', "b": {"{": "},{"}}, None]


def contact(project, email, **values: Any):
    return {
        "id": new_id(),
        "project_id": project.id,
        "email": email,
        "data": None,
        "subscribed": True,
        "snoozed_until": None,
        "created_at": NOON,
        "updated_at": NOON,
    } | values


def stored(sessions, *names: str):
    columns = [getattr(Contact, name) for name in names]
    with sessions() as session:
        return [tuple(row) for row in session.execute(select(*columns).order_by(Contact.id))]


def test_odd_values_come_back(sessions, project):
    east = datetime(2026, 3, 2, 20, 0, 0, 123456, tzinfo=timezone(timedelta(hours=9)))
    rows = [
        contact(project, f"{text}@{number}", data={text: text}, subscribed=number % 2 == 0)
        for number, text in enumerate(ODD_TEXTS)
    ] + [
        contact(project, f"d{number}", data=data, snoozed_until=(NOON, None, east)[number % 3])
        for number, data in enumerate(ODD_DATA)
    ]
    names = ("email", "data", "subscribed", "snoozed_until", "created_at")
    with transaction(sessions) as session:
        assert insert_rows(session, Contact, rows) == len(rows)
    assert stored(sessions, *names) == [tuple(row[name] for name in names) for row in rows]
    assert stored(sessions, "snoozed_until")[-3] == (east.astimezone(UTC),)


@pytest.mark.parametrize("count", [1, 2, 1_500])
def test_any_number_of_rows(sessions, project, count):
    rows = [contact(project, str(number)) for number in range(count)]
    with transaction(sessions) as session:
        assert insert_rows(session, Contact, rows) == count
        assert insert_rows(session, Contact, []) == 0
        changes = [{"id": row["id"], "email": f"new {row['email']}"} for row in rows]
        assert update_rows(session, Contact, changes) == count
        assert update_rows(session, Contact, []) == 0
    assert stored(sessions, "email") == [(f"new {number}",) for number in range(count)]


def test_rows_whose_key_is_taken_are_passed_over(sessions, project):
    first = contact(project, "a")
    again = [contact(project, name) for name in ("a", "b", "c", "b")]
    with transaction(sessions) as session:
        insert_rows(session, Contact, [first])
        assert insert_rows(session, Contact, again, unique=["project_id", "email"]) == 2
    assert [email for (email,) in stored(sessions, "email")] == ["a", "b", "c"]
    with pytest.raises(IntegrityError), transaction(sessions) as session:
        insert_rows(session, Contact, [contact(project, "d"), contact(project, "a")])
    assert len(stored(sessions, "id")) == 3


def test_only_rows_that_match_are_written_and_counted(sessions, project):
    rows = [contact(project, name) for name in ("a", "b", "c")]
    wanted = [
        {"who": row["id"], "seen": seen, "email": seen, "subscribed": False}
        for row, seen in zip(rows, ["a", "other", "c"], strict=True)
    ]
    changes = [{**one, "email": one["email"].upper()} for one in wanted]
    with transaction(sessions) as session:
        insert_rows(session, Contact, rows)
        assert update_rows(session, Contact, changes, match={"id": "who", "email": "seen"}) == 2
    expected = [("A", False), ("b", True), ("C", False)]
    assert stored(sessions, "email", "subscribed") == expected


def test_a_text_that_is_too_long_is_refused_and_never_cut_off(sessions, project, backend):
    rows = [contact(project, "x" * 400), contact(project, "y")]
    if backend == "sqlite":  # it knows no lengths
        with transaction(sessions) as session:
            insert_rows(session, Contact, rows)
        assert stored(sessions, "email")[0] == ("x" * 400,)
        return
    for some in (rows, rows[:1]):
        with pytest.raises(DataError), transaction(sessions) as session:
            insert_rows(session, Contact, some)
    assert stored(sessions, "email") == []
