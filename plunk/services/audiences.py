"""Audiences: who belongs to a segment, as a condition on contacts in SQL."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import ColumnElement, exists, func, select
from sqlalchemy.orm import Session

from plunk import expressions
from plunk.conditions import segments as rules
from plunk.conditions.history import asked
from plunk.conditions.nodes import Condition, Membership
from plunk.conditions.sql import Constants, Scope, matches_sql
from plunk.db import table_of
from plunk.errors import InvalidCondition
from plunk.ids import parse_id
from plunk.models import Contact, Email, Event, Segment, SegmentMember


def members(session: Session, segment: Segment, *, now: datetime) -> ColumnElement[bool]:
    """Return what is true of a segment's members: as noted down, else as its condition says."""
    if is_listed(segment):
        return listed_in(segment)
    return matching(session, segment.project_id, rules.read(segment.condition), now=now)


def matching(
    session: Session, project_id: str, condition: Condition, *, now: datetime
) -> ColumnElement[bool]:
    """Return a condition of the segment rule set in SQL; InvalidCondition when it cannot be.

    What it asks of other segments is answered by their members or, where those are not noted down,
    by their conditions.
    """
    known = references(session, project_id, condition)
    return matches_sql(
        condition,
        Scope(
            contacts=table_of(Contact),
            events=table_of(Event),
            emails=table_of(Email),
            members=table_of(SegmentMember),
            dialect=session.get_bind().dialect.name,
            constants=Constants(now, compute=expressions.evaluate),
            listed={one.id for one in known if is_listed(one)},
            conditions={one.id: rules.read(one.condition) for one in known if not is_listed(one)},
        ),
    )


def references(session: Session, project_id: str, condition: Condition) -> list[Segment]:
    """Return the segments that a condition refers to, and all those that they refer to."""
    found: dict[str, Segment] = {}
    wanted = segment_ids(condition)
    while wanted - found.keys():
        rows = session.scalars(
            select(Segment).where(
                Segment.project_id == project_id, Segment.id.in_(sorted(wanted - found.keys()))
            )
        ).all()
        if len(rows) < len(wanted - found.keys()):
            unknown = min(wanted - found.keys() - {row.id for row in rows})
            raise InvalidCondition(f"unknown segment {unknown}")
        found |= {row.id: row for row in rows}
        wanted = set().union(*(ids_in(row) for row in rows))
    return list(found.values())


def ids_in(segment: Segment) -> set[str]:
    """Return the ids of the segments that a segment's own condition refers to."""
    return set() if segment.condition is None else segment_ids(rules.read(segment.condition))


def segment_ids(condition: Condition) -> set[str]:
    """Return the ids of the segments that a condition refers to; InvalidCondition for no id."""
    found: set[str] = set()
    for one in asked(condition):
        if isinstance(one, Membership):
            if parse_id(one.segment_id) != one.segment_id:
                raise InvalidCondition(f"unknown segment {one.segment_id}")
            found.add(one.segment_id)
    return found


def is_listed(segment: Segment) -> bool:
    """Tell whether a segment's members are noted down, rather than found each time."""
    return segment.type == "STATIC" or segment.track_membership


def listed_in(segment: Segment) -> ColumnElement[bool]:
    """Return what is true of the contacts that are noted down as members of the segment."""
    return (
        exists()
        .where(
            SegmentMember.segment_id == segment.id,
            SegmentMember.contact_id == Contact.id,
            SegmentMember.left_at.is_(None),
        )
        .correlate(Contact)
    )


def count(session: Session, segment: Segment, *, now: datetime) -> int:
    """Return how many members the segment has now."""
    if is_listed(segment):
        return count_listed(session, segment.id)
    whom = members(session, segment, now=now)
    return count_where(session, segment.project_id, [whom])


def count_listed(session: Session, segment_id: str) -> int:
    """Return how many contacts are noted down as members."""
    active = (SegmentMember.segment_id == segment_id) & SegmentMember.left_at.is_(None)
    return session.scalar(select(func.count()).where(active)) or 0


def count_where(session: Session, project_id: str, whom: Iterable[ColumnElement[bool]]) -> int:
    """Return for how many contacts of the project all of this is true."""
    return (
        session.scalar(
            select(func.count()).select_from(Contact).where(Contact.project_id == project_id, *whom)
        )
        or 0
    )
