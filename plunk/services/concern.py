"""Concern: whether anything at all may come of an event.

Where nobody listens or waits, this is the only statement besides the insertion.
"""

from __future__ import annotations

from collections.abc import Collection
from functools import cache
from typing import Any, NamedTuple

from sqlalchemy import Select, bindparam, exists, insert, select
from sqlalchemy.orm import Session

from plunk.db import is_postgres, table_of
from plunk.models import Event, Execution, Trigger
from plunk.models.workflow import ANYTHING
from plunk.services.row_sets import is_one_of

STORED = ("id", "project_id", "contact_id", "email_id", "name", "data", "created_at")
INSERT = insert(table_of(Event))


class Concern(NamedTuple):
    """Whether a workflow listens for one of the names, and whether a run of one contact waits."""

    is_heard: bool
    is_awaited: bool


def ask(
    session: Session, project_id: str, contacts: Collection[str], names: Collection[str]
) -> Concern:
    """Tell what is concerned when these things happen to these contacts."""
    asked = {"project_id": project_id, "contacts": list(contacts), "names": _wide(names)}
    statement = _asking(arrays=is_postgres(session))
    return Concern(*session.connection().execute(statement, asked).one())


def store_and_ask(session: Session, row: dict[str, Any], names: Collection[str]) -> Concern:
    """Store one event of a contact, and tell what is concerned: on PostgreSQL in one statement."""
    contacts = [row["contact_id"]]
    if is_postgres(session):
        asked = row | {"contacts": contacts, "names": _wide(names)}
        return Concern(*session.connection().execute(_storing_and_asking(), asked).one())
    session.connection().execute(INSERT, row)
    return ask(session, row["project_id"], contacts, names)


def _wide(names: Collection[str]) -> list[str]:
    return sorted({*names, ANYTHING})


@cache
def _asking(*, arrays: bool) -> Select[bool, bool]:
    run, trigger = table_of(Execution).c, table_of(Trigger).c
    listens = exists().where(
        trigger.project_id == bindparam("project_id"),
        is_one_of(trigger.event_name, "names", arrays=arrays),
    )
    waits = exists().where(
        is_one_of(run.contact_id, "contacts", arrays=arrays),
        is_one_of(run.awaited_event, "names", arrays=arrays),
        run.status == "WAITING",
    )
    return select(listens, waits)


@cache
def _storing_and_asking() -> Select[bool, bool]:
    stored = INSERT.values({name: bindparam(name) for name in STORED}).cte("stored")
    return _asking(arrays=True).add_cte(stored)
