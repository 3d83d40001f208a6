"""Claiming: a batch of due runs of one project, locked until the batch commits.

Each run is claimed together with its contact, the contact first: whoever moves runs of a contact
holds its lock, so nobody ever waits for a run while holding a contact that another holder of runs
needs. What somebody else holds is skipped and claimed on another round (I4, I7).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, RowMapping, select
from sqlalchemy.orm import Session

from plunk.engine.core import facts
from plunk.engine.core.run import Run
from plunk.engine.core.signals import Signal
from plunk.engine.shell.rows import RUN_COLUMNS, run_from_row, signal_from_row
from plunk.models import Contact, Execution

CONTACT_COLUMNS = ("email", "data", "subscribed", "created_at", "updated_at")


@dataclass(frozen=True, slots=True)
class Claimed:
    """A run that is ours until the transaction ends, with what it was claimed for."""

    run: Run
    signal: Signal
    contact: facts.Contact
    due_at: datetime | None = None


def is_due(now: datetime) -> ColumnElement[bool]:
    """Return the condition on runs whose time has come."""
    return Execution.due_at <= now


def claim(
    session: Session, project_id: str, wanted: ColumnElement[bool], *, limit: int
) -> list[Claimed]:
    """Return up to `limit` wanted runs of the project, oldest due first, with their contacts.

    Of those that are due at the same instant, the one that was made first comes first.
    """
    statement = (
        select(
            *(getattr(Execution, name) for name in RUN_COLUMNS),
            *(getattr(Contact, name).label(f"contact_{name}") for name in CONTACT_COLUMNS),
        )
        .join(Contact, Contact.id == Execution.contact_id)
        .where(Execution.project_id == project_id, wanted)
        .order_by(Execution.due_at)
        .limit(limit)
        # PostgreSQL locks in the order named here.
        .with_for_update(of=[Contact, Execution], key_share=True, skip_locked=True)
    )
    # The index knows no order among equals, so they are put in order here.
    rows = sorted(session.execute(statement).mappings(), key=_turn)
    return [_claimed(row) for row in rows]


def _turn(row: RowMapping) -> tuple[bool, datetime | None, str]:
    return row["due_at"] is None, row["due_at"], row["id"]


def _claimed(row: RowMapping) -> Claimed:
    contact = facts.Contact(
        row["contact_id"],
        row["contact_email"],
        row["contact_subscribed"],
        row["contact_data"] or {},
        row["contact_created_at"],
        row["contact_updated_at"],
    )
    return Claimed(run_from_row(row), signal_from_row(row), contact, row["due_at"])
