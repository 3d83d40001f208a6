"""Schedules, segments and revisions that nobody comes to (I9), and wrong counters (I10)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, Select, and_, func, or_, select, true
from sqlalchemy.orm import Session

from plunk.models import Revision, Segment, SegmentMember, Trigger
from plunk.services import audiences, revisions, schedules
from plunk.services.segments import COUNT_EVERY
from plunk.services.violation import SLACK, Broken, Check, by_update

SETTLED_AFTER = timedelta(minutes=10)  # workers bring runs over within seconds
UTC = "UTC"


def _next_time(trigger: Trigger, now: datetime) -> datetime | None:
    if trigger.cron is not None:
        return schedules.following_cron(trigger.cron, trigger.timezone or UTC, now)
    return schedules.next_look(now)


def _timeless(now: datetime) -> Select[Trigger]:
    """Return the query for schedules that have no next time, or one that may be too far away."""
    timed = or_(Trigger.cron.is_not(None), Trigger.date_config.is_not(None))
    late = or_(Trigger.next_at.is_(None), Trigger.next_at > now + SLACK)
    return select(Trigger).where(timed, late).order_by(Trigger.id)


def _is_late(trigger: Trigger, now: datetime) -> bool:
    """Tell whether a schedule passes its next time over; few have none at all."""
    comes = _next_time(trigger, now)
    if comes is None:
        return False
    return trigger.next_at is None or trigger.next_at > comes + SLACK


def _find_schedules(session: Session, now: datetime, after: str | None, limit: int) -> list[str]:
    """Return schedules that do not fire when they are to."""
    behind = true() if after is None else Trigger.id > after
    found = session.scalars(_timeless(now).where(behind))
    return [one.id for one in found if _is_late(one, now)][:limit]


def _mend_schedules(session: Session, ids: Sequence[str], now: datetime) -> list[str]:
    locked = session.scalars(_timeless(now).where(Trigger.id.in_(ids)).with_for_update()).all()
    held = [trigger for trigger in locked if _is_late(trigger, now)]
    for trigger in held:
        trigger.next_at, trigger.cursor = _next_time(trigger, now), None
    session.flush()
    return [trigger.id for trigger in held]


def _uncounted(now: datetime) -> ColumnElement[bool]:
    return or_(Segment.compute_at.is_(None), Segment.compute_at > now + COUNT_EVERY + SLACK)


def _find_counts(session: Session, now: datetime, after: str | None, limit: int) -> list[str]:
    """Return segments whose members are noted down and were counted wrong.

    Of tracked ones that are to be computed now, the members are yet to be noted down.
    """
    members = (
        select(func.count())
        .where(SegmentMember.segment_id == Segment.id, SegmentMember.left_at.is_(None))
        .correlate(Segment)
        .scalar_subquery()
    )
    is_computed = and_(Segment.track_membership, Segment.compute_at > now)
    listed = or_(Segment.type == "STATIC", is_computed)
    behind = true() if after is None else Segment.id > after
    wrong = select(Segment.id).where(listed, Segment.member_count != members, behind)
    return list(session.scalars(wrong.order_by(Segment.id).limit(limit)))


def _mend_counts(session: Session, ids: Sequence[str], _now: datetime) -> list[str]:
    held = session.scalars(
        select(Segment)
        .where(Segment.id.in_(ids))
        .order_by(Segment.id)
        .with_for_update(key_share=True)
        .execution_options(populate_existing=True)
    ).all()
    mended = []
    for segment in held:
        count = audiences.count_listed(session, segment.id)
        if segment.member_count != count:
            segment.member_count = count
            mended.append(segment.id)
    session.flush()
    return mended


def _find_revisions(session: Session, now: datetime, after: str | None, limit: int) -> list[str]:
    """Return revisions that runs have not been brought over to for a long time."""
    key = (Revision.workflow_id, Revision.number)
    old = select(*key).where(
        Revision.touched.is_not(None), Revision.created_at <= now - SETTLED_AFTER
    )
    if after is not None:
        workflow_id, number = _revision_key(after)
        later = and_(Revision.workflow_id == workflow_id, Revision.number > number)
        old = old.where(or_(Revision.workflow_id > workflow_id, later))
    rows = session.execute(old.order_by(*key).limit(limit))
    return [f"{workflow_id}:{number}" for workflow_id, number in rows]


def _mend_revisions(session: Session, ids: Sequence[str], now: datetime) -> list[str]:
    """Note down where nobody is left behind; the others need a worker."""
    keys = [_revision_key(one) for one in ids]
    for one in revisions.among(session, keys):
        revisions.settle(session, one, revisions.left_behind(one, now))
    left = {one.key for one in revisions.among(session, keys)}
    return [one for one, key in zip(ids, keys, strict=True) if key not in left]


def _revision_key(one: str) -> revisions.Key:
    workflow_id, _, number = one.partition(":")
    return workflow_id, int(number)


CHECKS = (
    Check(
        "schedule-never-fires",
        "I9",
        "schedules and dates that have no next time, or pass the next one over",
        "their next time is computed",
        _find_schedules,
        _mend_schedules,
    ),
    by_update(
        "segment-never-counted",
        "segments that nobody counts again",
        "counted now",
        Broken(Segment, _uncounted),
        lambda now: {"compute_at": now},
    ),
    Check(
        "revision-never-settled",
        "I9",
        "revisions that runs should have been brought over to",
        "settled where nobody is left behind; else start a worker, which brings them over",
        _find_revisions,
        _mend_revisions,
    ),
    Check(
        "segment-count-wrong",
        "I10",
        "segments whose count is not that of their members",
        "counted anew",
        _find_counts,
        _mend_counts,
    ),
)
