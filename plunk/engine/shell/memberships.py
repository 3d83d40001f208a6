"""Storing: contacts enter and leave static segments, as the steps of a batch said."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from plunk.engine.shell.perform import Membership, Writes
from plunk.models import Segment
from plunk.services import segment_members


def change(session: Session, writes: Writes) -> None:
    """Write the memberships: a few statements for each segment, however many contacts."""
    if not writes.memberships:
        return
    segments = _segments(session, writes)
    contacts = {one.id: one for one in writes.subjects.values()} | writes.contacts
    for group in _groups(writes.memberships):
        segment = segments.get(group[0].segment_id)
        if segment is None or segment.type != "STATIC":
            continue  # changed since the batch was loaded
        move = segment_members.enter if group[0].is_member else segment_members.leave
        causes = {one.contact_id: one.cause for one in group}
        move(session, segment, [contacts[one] for one in causes], causes=causes, now=writes.now)


def _groups(changes: Sequence[Membership]) -> list[list[Membership]]:
    """Return what can be done together; a contact's own changes keep their order."""
    seen: Counter[tuple[str, str]] = Counter()
    groups: dict[tuple[int, str, bool], list[Membership]] = {}
    for one in changes:
        place = (one.segment_id, one.contact_id)
        groups.setdefault((seen[place], one.segment_id, one.is_member), []).append(one)
        seen[place] += 1
    return [groups[key] for key in sorted(groups)]


def _segments(session: Session, writes: Writes) -> dict[str, Segment]:
    """Return the segments, locked in one order, so that two batches never wait for each other."""
    ids = sorted({one.segment_id for one in writes.memberships})
    rows = session.scalars(
        select(Segment)
        .where(Segment.project_id == writes.project_id, Segment.id.in_(ids))
        .order_by(Segment.id)
        .with_for_update(key_share=True)
        .execution_options(populate_existing=True)
    )
    return {row.id: row for row in rows}
