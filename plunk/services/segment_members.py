"""Members of segments: noted down when they enter and leave, with the events that tell of it.

Whoever calls this holds the lock on the contacts (I4); the rows decide who really came or went, so
that doing it twice emits nothing twice.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TypeAlias

from sqlalchemy import case, literal, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from plunk.addresses import is_address, normalise
from plunk.db import Id, UtcDateTime, insert_ignoring, is_postgres
from plunk.engine.core import facts
from plunk.errors import BadRequest
from plunk.ids import new_id, slug
from plunk.models import Contact, Segment, SegmentMember
from plunk.services import contacts, events, segments, watching
from plunk.services.events import NewEvent
from plunk.services.triggers import segment_event


@dataclass(frozen=True, slots=True)
class MembersDraft:
    """Who is to be added: addresses, and what to do with those that no contact has."""

    emails: Sequence[str]
    create_missing: bool = False
    subscribed: bool = True


@dataclass(frozen=True, slots=True)
class Added:
    """What came of it: contacts found or created, and the addresses that lead nowhere."""

    added: int
    created: int
    not_found: Sequence[str]


@dataclass(frozen=True, slots=True)
class Cause:
    """What made a contact enter or leave: the run whose step did it, and how deep that lies."""

    depth: int = 0
    run_id: str | None = None


Causes: TypeAlias = Mapping[str, Cause]  # by contact
NOBODY = Cause()
NO_CAUSES: Causes = {}


def add(
    session: Session, project_id: str, segment_id: str, draft: MembersDraft, *, now: datetime
) -> Added:
    """Add contacts to a STATIC segment by their addresses; it counts those already in, too."""
    segment = _static(session, project_id, segment_id)
    created = _create_missing(session, project_id, draft, now) if draft.create_missing else []
    found = _locked(session, project_id, draft.emails)
    known = {contact.email for contact in found}
    enter(session, segment, [contacts.facts_of(contact) for contact in found], now=now)
    return Added(
        len(found), len(created), [one for one in draft.emails if normalise(one) not in known]
    )


def remove(
    session: Session, project_id: str, segment_id: str, emails: Sequence[str], *, now: datetime
) -> int:
    """Take contacts out of a STATIC segment; return how many the addresses led to."""
    segment = _static(session, project_id, segment_id)
    found = _locked(session, project_id, emails)
    leave(session, segment, [contacts.facts_of(contact) for contact in found], now=now)
    return len(found)


def enter(
    session: Session,
    segment: Segment,
    whom: Sequence[facts.Contact],
    *,
    causes: Causes = NO_CAUSES,
    now: datetime,
) -> int:
    """Note contacts down as members; return how many were none before, and tell if tracked."""
    before = _active(session, segment, whom)
    _note(session, segment, whom, now)
    new = [contact for contact in whom if contact.id not in before]
    _change_count(session, segment, len(new))
    _tell(session, segment, new, "entry", causes, now)
    return len(new)


def leave(
    session: Session,
    segment: Segment,
    whom: Sequence[facts.Contact],
    *,
    causes: Causes = NO_CAUSES,
    now: datetime,
) -> int:
    """Strike contacts out; return how many were members, and tell if tracked."""
    before = _active(session, segment, whom)
    gone = [contact for contact in whom if contact.id in before]
    session.execute(
        update(SegmentMember)
        .where(
            SegmentMember.segment_id == segment.id,
            SegmentMember.contact_id.in_(sorted(before)),
        )
        .values(left_at=now),
        execution_options={"synchronize_session": False},
    )
    _change_count(session, segment, -len(gone))
    _tell(session, segment, gone, "exit", causes, now)
    return len(gone)


def _static(session: Session, project_id: str, segment_id: str) -> Segment:
    segment = segments.get(session, project_id, segment_id)
    if segment.type != "STATIC":
        raise BadRequest("Only STATIC segments have members that can be added and removed.")
    return segment


def _locked(session: Session, project_id: str, emails: Iterable[str]) -> list[Contact]:
    return list(
        session.scalars(
            select(Contact)
            .where(
                Contact.project_id == project_id,
                Contact.email.in_(sorted({normalise(email) for email in emails})),
            )
            .order_by(Contact.id)
            .with_for_update(key_share=True)
            .execution_options(populate_existing=True)
        )
    )


def _create_missing(
    session: Session, project_id: str, draft: MembersDraft, now: datetime
) -> list[str]:
    """Create contacts for the addresses that have none, silently; return their ids."""
    wanted = sorted({normalise(email) for email in draft.emails if is_address(email.strip())})
    rows = [
        {
            "id": new_id(),
            "project_id": project_id,
            "email": email,
            "subscribed": draft.subscribed,
            "created_at": now,
            "updated_at": now,
        }
        for email in wanted
    ]
    if not rows:
        return []
    statement = insert_ignoring(session, Contact, ["project_id", "email"]).returning(Contact.id)
    return list(session.scalars(statement, rows))


def _active(session: Session, segment: Segment, whom: Sequence[facts.Contact]) -> set[str]:
    """Return who of them is a member; the lock on the contacts keeps that true."""
    return set(
        session.scalars(
            select(SegmentMember.contact_id).where(
                SegmentMember.segment_id == segment.id,
                SegmentMember.contact_id.in_([contact.id for contact in whom]),
                SegmentMember.left_at.is_(None),
            )
        )
    )


def _note(session: Session, segment: Segment, whom: Sequence[facts.Contact], now: datetime) -> None:
    """Write all rows in one statement, made from the contacts themselves."""
    columns = ["segment_id", "contact_id", "project_id", "entered_at"]
    rows = select(
        literal(segment.id, Id), Contact.id, Contact.project_id, literal(now, UtcDateTime)
    ).where(Contact.id.in_([contact.id for contact in whom]))
    insert = postgresql.insert if is_postgres(session) else sqlite.insert
    statement = insert(SegmentMember).from_select(columns, rows)
    session.execute(
        statement.on_conflict_do_update(
            index_elements=["segment_id", "contact_id"],
            set_={"entered_at": now, "left_at": None},
            where=SegmentMember.left_at.is_not(None),  # who is in has entered before
        )
    )


def _change_count(session: Session, segment: Segment, by: int) -> None:
    """Keep the count in step with the rows (I10); whoever else changes it waits here."""
    changed = Segment.member_count + by
    if by:
        session.execute(
            update(Segment)
            .where(Segment.id == segment.id)
            .values(member_count=case((changed < 0, 0), else_=changed)),
            execution_options={"synchronize_session": False},
        )


def _tell(
    session: Session,
    segment: Segment,
    whom: Sequence[facts.Contact],
    when: str,
    causes: Causes,
    now: datetime,
) -> None:
    """Emit the events of a tracked segment; of others, tell only who waits for a condition."""
    if not segment.track_membership:
        depth = max((cause.depth for cause in causes.values()), default=0)
        watching.reconsider(session, segment.project_id, whom, depth=depth, now=now)
        return
    told = NewEvent(
        f"segment.{slug(segment.name)}.{when}",
        data={"segmentId": segment.id, "segmentName": segment.name},
        also=(segment_event(segment.id, when),),
    )
    happened = [
        replace(told, contact=one, depth=cause.depth, cause=cause.run_id, id=new_id())
        for one in whom
        for cause in (causes.get(one.id, NOBODY),)
    ]
    events.record(session, segment.project_id, happened, now=now)
