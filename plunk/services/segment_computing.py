"""Computing: who should be in a tracked segment is compared with who is noted down.

Each batch looks for differences only and mends them with their events in one transaction, so a
crash loses nothing and two workers emit nothing twice.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import false, func, select, update
from sqlalchemy.orm import Session

from plunk.conditions import segments as rules
from plunk.db import take_time
from plunk.errors import BadRequest
from plunk.models import Contact, Event, Segment
from plunk.services import audiences, contacts, segment_members, segments
from plunk.services.segments import COUNT_EVERY

BATCH = 500


@dataclass(frozen=True, slots=True)
class Computed:
    """What computing a segment changed, and how many members it has now."""

    added: int
    removed: int
    total: int


@dataclass(frozen=True, slots=True)
class Step:
    """One batch: how many entered and left, and the contact it came to; None at the end."""

    entered: int
    left: int
    cursor: str | None


def compute(session: Session, project_id: str, segment_id: str, *, now: datetime) -> Computed:
    """Bring a segment's members up to date; BadRequest when it does not track them."""
    segment = segments.get(session, project_id, segment_id)
    if segment.type == "DYNAMIC" and not segment.track_membership:
        raise BadRequest("The segment does not track its membership; set trackMembership first.")
    take_time(session)
    added = removed = 0
    step = Step(0, 0, "")
    while segment.type == "DYNAMIC" and step.cursor is not None:
        step = compute_batch(session, segment, after=step.cursor, now=now)
        added, removed = added + step.entered, removed + step.left
    return Computed(added, removed, settle(session, segment, now=now))


def compute_batch(
    session: Session,
    segment: Segment,
    *,
    after: str = "",
    among: Sequence[str] | None = None,
    batch: int = BATCH,
    now: datetime,
) -> Step:
    """Mend the next differences, in the order of the contacts' ids; `among` asks about few only."""
    condition = rules.read(segment.condition)
    wanted = audiences.matching(session, segment.project_id, condition, now=now)
    is_meant = func.coalesce(wanted, false())
    statement = (
        select(Contact, is_meant.label("is_meant"))
        .where(
            Contact.project_id == segment.project_id,
            is_meant != audiences.listed_in(segment),
        )
        .order_by(Contact.id)
        .limit(batch)
        .with_for_update(of=Contact, key_share=True)
        .execution_options(populate_existing=True)
    )
    if after:
        statement = statement.where(Contact.id > after)
    if among is not None:
        statement = statement.where(Contact.id.in_(among))
    rows = session.execute(statement).all()
    coming = [contacts.facts_of(row.Contact) for row in rows if row.is_meant]
    going = [contacts.facts_of(row.Contact) for row in rows if not row.is_meant]
    if rows and not after and among is None:
        settle(session, segment, now=now)  # until now it may have been what the condition says
    return Step(
        segment_members.enter(session, segment, coming, now=now) if coming else 0,
        segment_members.leave(session, segment, going, now=now) if going else 0,
        rows[-1].Contact.id if len(rows) == batch else None,
    )


def tracked(session: Session) -> Sequence[Segment]:
    """Return the segments of all projects whose members come and go by themselves."""
    return session.scalars(
        select(Segment)
        .where(Segment.type == "DYNAMIC", Segment.track_membership)
        .order_by(Segment.project_id, Segment.id)
    ).all()


def heard_of(session: Session, project_id: str, *, since: datetime, limit: int) -> list[str]:
    """Return up to `limit` contacts of the project with events since then, in their order."""
    found = session.scalars(
        select(Event.contact_id)
        .where(
            Event.project_id == project_id,
            Event.created_at >= since,
            Event.contact_id.is_not(None),
        )
        .distinct()
        .limit(limit)
    )
    return sorted(contact_id for contact_id in found if contact_id is not None)


def settle(session: Session, segment: Segment, *, now: datetime) -> int:
    """Write down how many members the segment has, whatever was counted before (I10)."""
    held = segments.get_locked(session, segment.project_id, segment.id)
    held.member_count = audiences.count(session, held, now=now)
    session.flush()
    return held.member_count


def claim(session: Session, project_id: str, *, now: datetime) -> Segment | None:
    """Return a segment of the project whose turn has come, put off until its next turn."""
    due = (
        select(Segment.id)
        .where(Segment.project_id == project_id, Segment.compute_at <= now)
        .order_by(Segment.compute_at, Segment.id)
        .limit(1)
        .with_for_update(skip_locked=True)
        # Not a plain subquery: PostgreSQL may run that once for each row, and claim all of them.
        .cte("due")
    )
    return session.scalars(
        update(Segment)
        .where(Segment.id.in_(select(due.c.id)), Segment.compute_at <= now)
        .values(compute_at=now + COUNT_EVERY)
        .returning(Segment)
        .execution_options(synchronize_session=False)
    ).one_or_none()
