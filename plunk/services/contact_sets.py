"""Contacts of a batch: locked all together, merged in memory, written in one statement.

Locks are taken in the order of the contacts' ids, as the worker does. A contact that somebody else
creates at the same moment makes us let go of everything and begin again, so that nobody ever
waits out of this order.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import Select, bindparam, select
from sqlalchemy.orm import Session

from plunk.db import is_postgres, table_of
from plunk.engine.core import facts
from plunk.errors import Conflict
from plunk.ids import new_id
from plunk.models import Contact
from plunk.services import contact_data
from plunk.services.contacts import ContactDraft
from plunk.services.json_values import same
from plunk.services.row_sets import insert_rows, is_one_of, update_rows

ATTEMPTS = 20
KEPT = ("id", "data", "subscribed", "snoozed_until", "updated_at")


@dataclass(frozen=True, slots=True)
class Held:
    """A contact that is locked until the transaction ends, at one moment of the batch."""

    id: str
    email: str
    data: dict[str, Any] | None
    subscribed: bool
    snoozed_until: datetime | None
    created_at: datetime
    updated_at: datetime

    def merge(self, draft: ContactDraft, *, may_resubscribe: bool, now: datetime) -> Held:
        """Return the contact after the draft, or itself when that changes nothing."""
        data = self.data if draft.data is None else contact_data.merge(self.data, draft.data)
        subscribed, snoozed_until = self.subscribed, self.snoozed_until
        if draft.subscribed is not None and (may_resubscribe or not draft.subscribed):
            subscribed, snoozed_until = draft.subscribed, None
        if (subscribed, snoozed_until) == (self.subscribed, self.snoozed_until) and same(
            data, self.data
        ):
            return self
        return Held(self.id, self.email, data, subscribed, snoozed_until, self.created_at, now)

    def facts(self) -> facts.Contact:
        """Return the contact as conditions see it."""
        return facts.Contact(
            self.id,
            self.email,
            self.subscribed,
            self.data or {},
            self.created_at,
            self.updated_at,
        )


COLUMNS = [table_of(Contact).c[field.name] for field in fields(Held)]
ONE = (  # built once: every tracked event runs it
    select(*COLUMNS)
    .where(
        table_of(Contact).c.project_id == bindparam("project_id"),
        table_of(Contact).c.email == bindparam("email"),
    )
    .with_for_update(key_share=True)
)


def hold_one(session: Session, project_id: str, email: str) -> Held | None:
    """Lock the contact with this stored address, if there is one."""
    found = session.connection().execute(ONE, {"project_id": project_id, "email": email}).first()
    return None if found is None else Held(*found)


def hold(
    session: Session, project_id: str, drafts: Mapping[str, ContactDraft], *, now: datetime
) -> dict[str, Held]:
    """Lock the contacts with these stored addresses, and create those that are missing.

    A draft, by address, is what to create its contact with; others stay as they are.
    """
    for _ in range(ATTEMPTS):
        held = _locked(session, project_id, drafts)
        missing = {email: _new(draft, now) for email, draft in drafts.items() if email not in held}
        if not missing:
            return held
        savepoint = session.begin_nested()
        if _create(session, project_id, missing) == len(missing):
            savepoint.commit()
            return held | missing
        savepoint.rollback()  # somebody else is creating some of them, and may wait for ours
    raise Conflict("Contacts of this batch are created and deleted all the time; try again.")


def write(session: Session, changed: Iterable[Held]) -> None:
    """Write what became of these contacts."""
    update_rows(session, Contact, [{name: getattr(one, name) for name in KEPT} for one in changed])


def _locked(session: Session, project_id: str, emails: Iterable[str]) -> dict[str, Held]:
    wanted = {"project_id": project_id, "emails": list(emails)}
    statement = _locking(arrays=is_postgres(session))
    found = (Held(*row) for row in session.connection().execute(statement, wanted))
    return {one.email: one for one in found}


@cache
def _locking(*, arrays: bool) -> Select[*tuple[Any, ...]]:
    contact = table_of(Contact).c
    return (
        select(*COLUMNS)
        .where(
            contact.project_id == bindparam("project_id"),
            is_one_of(contact.email, "emails", arrays=arrays),
        )
        .order_by(contact.id)
        .with_for_update(key_share=True)
    )


def _new(draft: ContactDraft, now: datetime) -> Held:
    return Held(
        id=new_id(),
        email=draft.email,
        data=contact_data.merge(None, draft.data or {}),
        subscribed=draft.subscribed is not False,
        snoozed_until=None,
        created_at=now,
        updated_at=now,
    )


def _create(session: Session, project_id: str, missing: Mapping[str, Held]) -> int:
    """Insert the contacts in the order of their addresses, so that no two of us wait crosswise."""
    rows: Sequence[dict[str, Any]] = [
        {
            "project_id": project_id,
            **{column.name: getattr(missing[email], column.name) for column in COLUMNS},
        }
        for email in sorted(missing)
    ]
    return insert_rows(session, Contact, rows, unique=["project_id", "email"])
