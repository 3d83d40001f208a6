"""Contacts: upsert by address, edit, find, list and delete."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import Select, and_, asc, bindparam, delete, desc, or_, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import InstrumentedAttribute, Session

from plunk.addresses import normalise
from plunk.db import insert_ignoring
from plunk.engine.core import facts
from plunk.errors import Conflict, ContactNotFound
from plunk.ids import NO_ID, new_id, parse_id
from plunk.models import Contact, Segment, SegmentMember
from plunk.paging import CursorPage
from plunk.services import contact_data, events, totals, watching
from plunk.services.events import NewEvent
from plunk.services.json_values import put_all
from plunk.values import UNSET, Unset


@dataclass(frozen=True, slots=True)
class ContactDraft:
    """What to create a contact with, or to merge into the one that has this address."""

    email: str
    subscribed: bool | None = None
    data: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class ContactChange:
    """What to change; UNSET leaves a field alone, and null data clears all of it."""

    email: str | Unset = UNSET
    subscribed: bool | Unset = UNSET
    data: Mapping[str, Any] | Unset | None = UNSET


@dataclass(frozen=True, slots=True)
class ContactQuery:
    """Which contacts to list, and in which order."""

    limit: int = 20
    cursor: str | None = None
    search: str | None = None
    subscribed: bool | None = None
    status: str | None = None
    sort: str = "createdAt"
    descending: bool = True


@dataclass(frozen=True, slots=True)
class Saved:
    """A contact after an upsert."""

    contact: Contact
    is_new: bool


def save(
    session: Session,
    project_id: str,
    draft: ContactDraft,
    *,
    now: datetime,
    default_subscribed: bool = True,
    may_resubscribe: bool = True,
    event_follows: bool = False,
) -> Saved:
    """Create the contact or merge into the existing one; a real flip emits its event.

    Without `may_resubscribe` an existing contact's unsubscription stands. When `event_follows`,
    that event also tells those who wait for a change of the contact.
    """
    draft = replace(draft, email=normalise(draft.email))
    contact = lock_by_email(session, project_id, draft.email)
    if contact is None:
        subscribed = default_subscribed if draft.subscribed is None else draft.subscribed
        if created := _create(session, project_id, draft, subscribed=subscribed, now=now):
            return Saved(created, is_new=True)
        # Someone else created it between our two statements.
        contact = lock_by_email(session, project_id, draft.email)
    if contact is None:
        raise Conflict("The contact was created and deleted at the same time; try again.")
    if draft.subscribed and not may_resubscribe:
        draft = replace(draft, subscribed=None)
    _apply(session, contact, _change_of(draft), is_told=event_follows, now=now)
    return Saved(contact, is_new=False)


def change(
    session: Session, project_id: str, contact_id: str, wanted: ContactChange, *, now: datetime
) -> Contact:
    """Edit a contact; ContactNotFound, or Conflict when another contact has the new address."""
    contact = _locked(session, LOCK_BY_ID, project_id, parse_id(contact_id) or NO_ID)
    if contact is None:
        raise ContactNotFound(contact_id)
    is_moved = not isinstance(wanted.email, Unset) and _move(
        session, contact, normalise(wanted.email), now=now
    )
    _apply(session, contact, wanted, is_moved=is_moved, now=now)
    return contact


def get(session: Session, project_id: str, contact_id: str) -> Contact:
    """Return the contact; ContactNotFound when the project has no such contact."""
    found = session.scalars(
        select(Contact).where(
            Contact.project_id == project_id, Contact.id == (parse_id(contact_id) or NO_ID)
        )
    ).one_or_none()
    if found is None:
        raise ContactNotFound(contact_id)
    return found


def remove(session: Session, project_id: str, contact_id: str) -> None:
    """Delete the contact with everything that belongs to it; ContactNotFound when unknown."""
    contact = _locked(session, LOCK_BY_ID, project_id, parse_id(contact_id) or NO_ID)
    if contact is None:
        raise ContactNotFound(contact_id)
    _leave_segments(session, contact)
    session.execute(delete(Contact).where(Contact.id == contact.id))


def _leave_segments(session: Session, contact: Contact) -> None:
    """Keep the counts of segments in step with their rows (I10), which go with the contact."""
    member_of = select(SegmentMember.segment_id).where(
        SegmentMember.contact_id == contact.id, SegmentMember.left_at.is_(None)
    )
    listed = or_(Segment.type == "STATIC", Segment.track_membership)
    held = session.scalars(
        select(Segment)
        .where(Segment.id.in_(member_of), listed)
        .order_by(Segment.id)
        .with_for_update(key_share=True)
        .execution_options(populate_existing=True)
    )
    for segment in held:
        segment.member_count = max(0, segment.member_count - 1)
    session.flush()


def page(session: Session, project_id: str, query: ContactQuery) -> CursorPage[Contact]:
    """Return a stretch of the project's contacts; only the first page has a total."""
    matching = _matching(project_id, query)
    total = 0
    if query.cursor is None:
        total = totals.total(session, matching)
    ordered = _after(session, project_id, matching, query)
    if ordered is None:
        return CursorPage([], 0, None)
    rows = session.scalars(ordered.limit(query.limit + 1)).all()
    shown = rows[: query.limit]
    return CursorPage(shown, total, shown[-1].id if len(rows) > query.limit else None)


def lookup(
    session: Session, project_id: str, emails: Sequence[str]
) -> tuple[list[Contact], list[str]]:
    """Return the contacts with these addresses, and the addresses without one, in their order."""
    found = {
        contact.email: contact
        for contact in session.scalars(
            select(Contact).where(
                Contact.project_id == project_id,
                Contact.email.in_({normalise(email) for email in emails}),
            )
        )
    }
    known = [found[normalise(email)] for email in emails if normalise(email) in found]
    return known, [email for email in emails if normalise(email) not in found]


def lock_by_email(session: Session, project_id: str, email: str) -> Contact | None:
    """Return the contact with this stored address, locked against other writers, or None."""
    return _locked(session, LOCK_BY_EMAIL, project_id, email)


def set_subscribed(session: Session, contact: Contact, subscribed: bool, *, now: datetime) -> None:  # noqa: FBT001 - it is the new value
    """Write the subscription; a real flip emits its event, and any write ends a snooze."""
    _apply(session, contact, ContactChange(subscribed=subscribed), now=now)


def facts_of(contact: Contact) -> facts.Contact:
    """Return the contact as conditions and templates see it."""
    return facts.Contact(
        contact.id,
        contact.email,
        contact.subscribed,
        contact.data or {},
        contact.created_at,
        contact.updated_at,
    )


def _change_of(draft: ContactDraft) -> ContactChange:
    return ContactChange(
        subscribed=UNSET if draft.subscribed is None else draft.subscribed,
        data=UNSET if draft.data is None else draft.data,
    )


def _create(
    session: Session, project_id: str, draft: ContactDraft, *, subscribed: bool, now: datetime
) -> Contact | None:
    row = {
        "id": new_id(),
        "project_id": project_id,
        "email": draft.email,
        "data": contact_data.merge(None, draft.data or {}),
        "subscribed": subscribed,
        "created_at": now,
        "updated_at": now,
    }
    statement = insert_ignoring(session, Contact, ["project_id", "email"])
    return session.scalars(statement.returning(Contact), [row]).one_or_none()


def _locking(column: InstrumentedAttribute[str]) -> Select[Contact]:
    return (
        select(Contact)
        .where(Contact.project_id == bindparam("project_id"), column == bindparam("wanted"))
        .with_for_update(key_share=True)
        .execution_options(populate_existing=True)
    )


# Built once: tracking runs the first one for every event.
LOCK_BY_EMAIL, LOCK_BY_ID = _locking(Contact.email), _locking(Contact.id)


def _locked(
    session: Session, statement: Select[Contact], project_id: str, wanted: str
) -> Contact | None:
    """Return the contact with its row locked: the lock that orders all work on its runs (I4)."""
    found = session.scalars(statement, {"project_id": project_id, "wanted": wanted})
    return found.one_or_none()


def _move(session: Session, contact: Contact, email: str, *, now: datetime) -> bool:
    if email == contact.email:
        return False
    try:
        with session.begin_nested():
            contact.email, contact.updated_at = email, now
    except IntegrityError:  # the unique key decides: a question beforehand could be overtaken
        raise Conflict("Another contact of this project has this address.") from None
    return True


def _apply(
    session: Session,
    contact: Contact,
    wanted: ContactChange,
    *,
    is_moved: bool = False,
    is_told: bool = False,
    now: datetime,
) -> None:
    was_subscribed = contact.subscribed
    is_changed = put_all(contact, _columns(contact, wanted))
    if is_changed:
        contact.updated_at = now
    if contact.subscribed != was_subscribed:
        name = "contact.subscribed" if contact.subscribed else "contact.unsubscribed"
        event = NewEvent(name, contact=facts_of(contact))
        events.record(session, contact.project_id, [event], now=now)
    elif (is_changed or is_moved) and not is_told:
        session.flush()
        watching.reconsider(session, contact.project_id, [facts_of(contact)], now=now)


def _columns(contact: Contact, wanted: ContactChange) -> dict[str, object]:
    """Return what the columns are to hold; any write of the subscription ends a snooze."""
    columns: dict[str, object] = {}
    match wanted.data:
        case None:
            columns["data"] = None
        case Mapping():
            columns["data"] = contact_data.merge(contact.data, wanted.data)
    if isinstance(wanted.subscribed, bool):
        columns |= {"subscribed": wanted.subscribed, "snoozed_until": None}
    return columns


def _matching(project_id: str, query: ContactQuery) -> Select[Contact]:
    matching = select(Contact).where(Contact.project_id == project_id)
    if query.search:
        matching = matching.where(Contact.email.contains(normalise(query.search), autoescape=True))
    match query.status:
        case "subscribed":
            return matching.where(Contact.subscribed)
        case "snoozed":
            return matching.where(~Contact.subscribed, Contact.snoozed_until.is_not(None))
        case "unsubscribed":
            return matching.where(~Contact.subscribed, Contact.snoozed_until.is_(None))
    if query.subscribed is not None:
        matching = matching.where(Contact.subscribed == query.subscribed)
    return matching


def _after(
    session: Session, project_id: str, matching: Select[Contact], query: ContactQuery
) -> Select[Contact] | None:
    column = Contact.email if query.sort == "email" else Contact.created_at
    direction = desc if query.descending else asc
    ordered = matching.order_by(direction(column), desc(Contact.id))
    if query.cursor is None:
        return ordered
    last = session.execute(
        select(column, Contact.id).where(
            Contact.project_id == project_id, Contact.id == (parse_id(query.cursor) or NO_ID)
        )
    ).one_or_none()
    if last is None:
        return None
    beyond = column < last[0] if query.descending else column > last[0]
    return ordered.where(or_(beyond, and_(column == last[0], Contact.id < last[1])))
