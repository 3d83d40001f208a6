"""What goes of old events, messages and idempotency keys, one batch at a time.

* Events stay as long as a condition of their project asks about events of their name and age.
* Of messages the body, the headers and the attachments go. Their rows answer conditions on mail.

Each function is False when its walk is at its end.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Row, delete, or_, select, update
from sqlalchemy.orm import Session

from plunk.models import AttachmentSet, Email, Event
from plunk.services import idempotency
from plunk.services.asked_events import is_asked
from plunk.services.walks import PAGE, Walk, locked, next_page

EVENTS, EMAILS, KEYS = 500, 200, 1_000  # in one transaction, which is to last less than 100 ms
ON_ITS_WAY = ("PENDING", "SENDING")


def forget_keys(session: Session, walk: Walk) -> bool:
    """Forget old idempotency keys, which go in the order of their time."""
    return idempotency.sweep(session, before=walk.before, most=KEYS) == KEYS


def drop_events(session: Session, walk: Walk) -> bool:
    """Delete old events."""
    rows = session.execute(
        select(Event.id, Event.project_id, Event.name, Event.created_at)
        .where(walk.lies_ahead(Event.id))
        .order_by(Event.id)
        .limit(PAGE)
    ).all()
    old = [row.id for row in rows if not _is_asked(session, walk, row)]
    going = locked(session, Event.id, old[:EVENTS], Event.created_at < walk.before)
    if going:
        session.execute(delete(Event).where(Event.id.in_(going)))
    if len(old) > EVENTS:
        walk.after = old[EVENTS - 1]
        return True
    walk.after = rows[-1].id if rows else walk.after
    return len(rows) == PAGE


def _is_asked(session: Session, walk: Walk, row: Row[str, str, str, datetime]) -> bool:
    _, project_id, name, created_at = row
    asked = walk.questions.of(session, project_id, now=walk.now)
    return is_asked(asked, name, walk.now - created_at)


def empty_emails(session: Session, walk: Walk) -> bool:
    """Empty old messages."""
    page = next_page(session, Email.id, walk)
    rows = session.execute(
        select(Email.id, Email.attachment_set_id)
        .where(Email.id > walk.after, Email.id <= page.end)
        .where(or_(Email.body != "", Email.attachment_set_id.is_not(None)))
        .where(Email.status.not_in(ON_ITS_WAY), Email.created_at < walk.before)
        .order_by(Email.id)
        .limit(EMAILS)
        .with_for_update(skip_locked=True)
    ).all()
    if rows:
        session.execute(
            update(Email)
            .where(Email.id.in_([row.id for row in rows]))
            .values(body="", headers=None, attachment_set_id=None, updated_at=walk.now)
        )
    _drop_unused(session, {row.attachment_set_id for row in rows} - {None})
    if len(rows) == EMAILS:
        walk.after = rows[-1].id
        return True
    walk.after = page.end
    return not page.is_last


def _drop_unused(session: Session, sets: set[str]) -> None:
    if not sets:
        return
    used = select(Email.id).where(Email.attachment_set_id == AttachmentSet.id)
    session.execute(
        delete(AttachmentSet)
        .where(AttachmentSet.id.in_(sets), ~used.exists())
        .execution_options(synchronize_session=False)
    )
