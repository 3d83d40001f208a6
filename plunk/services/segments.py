"""Segments: created, edited, found, listed and deleted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from plunk.conditions import segments as rules
from plunk.db import take_time
from plunk.errors import BadRequest, InvalidCondition, SegmentNotFound
from plunk.ids import NO_ID, new_id, parse_id
from plunk.models import Contact, Segment, SegmentMember
from plunk.models.segment import SEGMENT_TYPES
from plunk.paging import Page, PageRequest
from plunk.services import audiences, condition_names, segment_usage
from plunk.services.json_values import put_all
from plunk.values import UNSET, Unset

TYPES = SEGMENT_TYPES
COUNT_EVERY = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class SegmentDraft:
    """A segment to create; `condition` is a tree or its text, and of use to DYNAMIC ones only."""

    name: str
    description: str | None = None
    type: str = "DYNAMIC"
    condition: Any = None
    track_membership: bool = False


@dataclass(frozen=True, slots=True)
class SegmentChange:
    """What to change; UNSET leaves a field alone. The type of a segment never changes."""

    name: str | Unset = UNSET
    description: str | Unset | None = UNSET
    condition: Any | Unset = UNSET
    track_membership: bool | Unset = UNSET


def create(session: Session, project_id: str, draft: SegmentDraft, *, now: datetime) -> Segment:
    """Store a segment and count its members; BadRequest when its condition cannot be one."""
    condition = None
    if draft.type == "DYNAMIC":
        if draft.condition is None:
            raise BadRequest("condition is required for a DYNAMIC segment.")
        condition = _checked(session, project_id, draft.condition, now=now)
    segment = Segment(
        id=new_id(),
        project_id=project_id,
        name=draft.name,
        description=draft.description,
        type=draft.type,
        condition=condition,
        track_membership=draft.track_membership,
        member_count=0,
        compute_at=now + COUNT_EVERY,
        created_at=now,
        updated_at=now,
    )
    session.add(segment)
    session.flush()
    _count_anew(session, segment, now=now)
    return segment


def change(
    session: Session, project_id: str, segment_id: str, wanted: SegmentChange, *, now: datetime
) -> Segment:
    """Edit a segment; a STATIC one has no condition, and one given to it is ignored.

    Without tracking the members stay noted down as they were, out of use: when it is taken up
    again, only who came or went in between is told of.
    """
    segment = get_locked(session, project_id, segment_id)
    values: dict[str, object] = {
        "name": wanted.name,
        "description": wanted.description,
        "track_membership": wanted.track_membership,
    }
    if not isinstance(wanted.condition, Unset) and segment.type == "DYNAMIC":
        values["condition"] = _checked(
            session, project_id, wanted.condition, segment_id=segment.id, now=now
        )
    was_tracked = segment.track_membership
    if put_all(segment, {key: one for key, one in values.items() if not isinstance(one, Unset)}):
        segment.updated_at = now
    if "condition" in values or was_tracked != segment.track_membership:
        _count_anew(session, segment, now=now)
    return segment


def get(session: Session, project_id: str, segment_id: str) -> Segment:
    """Return the segment; SegmentNotFound when the project has no such segment."""
    return _one(session, _named(project_id, segment_id), segment_id)


def get_locked(session: Session, project_id: str, segment_id: str) -> Segment:
    """Return the segment with its row locked against other editors."""
    named = _named(project_id, segment_id).with_for_update(key_share=True)
    return _one(session, named.execution_options(populate_existing=True), segment_id)


def listed(session: Session, project_id: str) -> Sequence[Segment]:
    """Return all segments of the project, newest first."""
    return session.scalars(
        select(Segment)
        .where(Segment.project_id == project_id)
        .order_by(Segment.created_at.desc(), Segment.id.desc())
    ).all()


def remove(session: Session, project_id: str, segment_id: str) -> None:
    """Delete a segment; Conflict while a workflow or another segment needs it."""
    named = _named(project_id, segment_id).with_for_update()
    segment = _one(session, named, segment_id)
    segment_usage.refuse_used(session, segment)
    take_time(session)
    session.delete(segment)
    session.flush()


def page_contacts(
    session: Session, project_id: str, segment_id: str, paging: PageRequest, *, now: datetime
) -> Page[Contact]:
    """Return a page of members: newest contacts first, or last entered first of a STATIC one.

    A short page tells the total exactly; otherwise it is the last count, for a large segment
    is not counted for each of its pages.
    """
    segment = get(session, project_id, segment_id)
    found = _static(segment) if segment.type == "STATIC" else _dynamic(session, segment, now)
    rows = session.scalars(found.limit(paging.page_size).offset(paging.offset)).all()
    seen = paging.offset + len(rows)
    is_last = len(rows) < paging.page_size and (len(rows) > 0 or paging.page == 1)
    total = seen if is_last else max(segment.member_count, seen if rows else 0)
    return Page(rows, total, paging.page, paging.page_size)


def refresh(session: Session, project_id: str, segment_id: str, *, now: datetime) -> Segment:
    """Count a segment's members again."""
    segment = get_locked(session, project_id, segment_id)
    segment.member_count = audiences.count(session, segment, now=now)
    return segment


def _checked(
    session: Session,
    project_id: str,
    raw: object,
    *,
    segment_id: str | None = None,
    now: datetime,
) -> dict[str, Any]:
    """Return a condition as it is stored, after making sure that it can be asked."""
    tree = condition_names.tree(session, project_id, raw, place="segment")
    if not isinstance(tree, dict):
        raise BadRequest("condition must be an object or a text.")
    condition = rules.read(tree)
    named = audiences.references(session, project_id, condition)
    if segment_id in {one.id for one in named}:
        raise InvalidCondition("the segment would refer to itself")
    audiences.matching(session, project_id, condition, now=now)
    return tree


def _count_anew(session: Session, segment: Segment, *, now: datetime) -> None:
    """Count who the condition says there is, also where the members are yet to be noted down."""
    session.flush()
    if segment.type == "STATIC":
        segment.member_count = audiences.count_listed(session, segment.id)
        return
    condition = rules.read(segment.condition)
    whom = audiences.matching(session, segment.project_id, condition, now=now)
    segment.member_count = audiences.count_where(session, segment.project_id, [whom])
    segment.compute_at = now if segment.track_membership else now + COUNT_EVERY
    session.flush()


def _static(segment: Segment) -> Select[Contact]:
    return (
        select(Contact)
        .join(SegmentMember, SegmentMember.contact_id == Contact.id)
        .where(SegmentMember.segment_id == segment.id, SegmentMember.left_at.is_(None))
        .order_by(SegmentMember.entered_at.desc(), SegmentMember.contact_id.desc())
    )


def _dynamic(session: Session, segment: Segment, now: datetime) -> Select[Contact]:
    condition = rules.read(segment.condition)
    return (
        select(Contact)
        .where(
            Contact.project_id == segment.project_id,
            audiences.matching(session, segment.project_id, condition, now=now),
        )
        .order_by(Contact.created_at.desc(), Contact.id.desc())
    )


def _named(project_id: str, segment_id: str) -> Select[Segment]:
    return select(Segment).where(
        Segment.project_id == project_id, Segment.id == (parse_id(segment_id) or NO_ID)
    )


def _one(session: Session, statement: Select[Segment], segment_id: str) -> Segment:
    found = session.scalars(statement).one_or_none()
    if found is None:
        raise SegmentNotFound(segment_id)
    return found
