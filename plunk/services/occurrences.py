"""Occurrences: schedules and dates that have come round send contacts into workflows.

A trigger row is its own progress report: `next_at` is the occurrence under way, `cursor` the last
contact it has reached. Each batch moves both in the transaction that enrols, so a crash repeats
nothing and loses nobody; a worker that comes second skips the locked row, and the unique entry key
would stop it all the same (I2).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from plunk.clock import iso
from plunk.engine.core import facts
from plunk.engine.core.zones import find_zone
from plunk.errors import InvalidExpression
from plunk.ids import new_id
from plunk.models import Contact, Execution, Segment, Trigger, Workflow
from plunk.services import audiences, contact_dates, contacts, notices, schedules
from plunk.services.row_sets import insert_rows
from plunk.services.schedules import GRACE, DateRule

BATCH = 500
UTC_ZONE = ZoneInfo("UTC")


@dataclass(frozen=True, slots=True)
class Guest:
    """A contact for whom a moment has come."""

    contact_id: str
    moment: datetime


def find_due(session: Session, project_id: str, *, now: datetime) -> str | None:
    """Return the trigger of the project that has been due for longest, or None."""
    return session.scalar(
        select(Trigger.id)
        .where(Trigger.project_id == project_id, Trigger.next_at <= now)
        .order_by(Trigger.next_at, Trigger.id)
        .limit(1)
    )


def fire(session: Session, trigger_id: str, *, batch: int = BATCH, now: datetime) -> bool:
    """Send the next batch of contacts on their way; False when somebody else has the trigger."""
    found = _lock(session, trigger_id, now)
    if found is None:
        return False
    trigger, workflow = found
    if trigger.cursor is None and not _is_worth_it(trigger, workflow, now):
        _finish(trigger, now)
        return True
    page = _page(session, trigger, batch, now)
    _enrol(session, workflow, trigger, _guests(trigger, workflow, page, now), now)
    if len(page) < batch:
        _finish(trigger, now)
    else:
        trigger.cursor = page[-1].id
    return True


def skip(session: Session, trigger_id: str, *, now: datetime) -> None:
    """Give an occurrence up, because it cannot be carried out; the next one gets its turn."""
    found = _lock(session, trigger_id, now)
    if found is not None:
        _finish(found[0], now)


def _lock(session: Session, trigger_id: str, now: datetime) -> tuple[Trigger, Workflow] | None:
    """Lock the workflow, then the trigger: in the order of those who edit a workflow."""
    workflow = session.scalars(
        select(Workflow)
        .join(Trigger, Trigger.workflow_id == Workflow.id)
        .where(Trigger.id == trigger_id)
        .with_for_update(read=True, key_share=True, of=Workflow)
        .execution_options(populate_existing=True)
    ).one_or_none()
    trigger = session.scalars(
        select(Trigger)
        .where(Trigger.id == trigger_id, Trigger.next_at <= now)
        .with_for_update(skip_locked=True)
        .execution_options(populate_existing=True)
    ).one_or_none()
    return None if workflow is None or trigger is None else (trigger, workflow)


def _is_worth_it(trigger: Trigger, workflow: Workflow, now: datetime) -> bool:
    """Move on to the latest missed occurrence; tell whether anybody is to be enrolled for it."""
    latest = (
        schedules.latest_cron(trigger.cron, _zone_name(trigger), now)
        if trigger.cron is not None
        else schedules.latest_look(now)
    )
    if latest is not None and trigger.next_at is not None:
        trigger.next_at = max(trigger.next_at, latest)
    is_late = trigger.cron is not None and _occurrence(trigger) <= now - GRACE
    return workflow.enabled and not is_late


def _finish(trigger: Trigger, now: datetime) -> None:
    """Note the occurrence down as done, and when the next one is."""
    done = _occurrence(trigger)
    trigger.fired_at, trigger.cursor = done, None
    if trigger.cron is not None:
        after = schedules.following_cron(trigger.cron, _zone_name(trigger), max(done, now - GRACE))
        trigger.next_at = after
    else:
        trigger.next_at = schedules.next_look(done)


def _page(session: Session, trigger: Trigger, batch: int, now: datetime) -> Sequence[Contact]:
    """Return the next contacts that may be meant, locked as all must be whose runs are moved."""
    statement = (
        select(Contact)
        .where(Contact.project_id == trigger.project_id)
        .order_by(Contact.id)
        .limit(batch)
        .with_for_update(key_share=True)
        .execution_options(populate_existing=True)
    )
    if trigger.cursor is not None:
        statement = statement.where(Contact.id > trigger.cursor)
    if trigger.segment_id is not None:
        segment = session.get_one(Segment, trigger.segment_id)
        statement = statement.where(audiences.members(session, segment, now=now))
    if trigger.date_config is not None:
        rule = DateRule.of(trigger.date_config)
        statement = statement.where(contact_dates.may_be_due(rule, *_window(trigger)))
    return session.scalars(statement).all()


def _guests(
    trigger: Trigger, workflow: Workflow, page: Sequence[Contact], now: datetime
) -> list[Guest]:
    """Return for whom of these contacts the moment has really come."""
    if trigger.date_config is None:
        return [Guest(contact.id, _occurrence(trigger)) for contact in page]
    rule = DateRule.of(trigger.date_config)
    start, end = _window(trigger)
    moments = (
        (contact, schedules.due(rule, value, here, start, end))
        for contact in page
        for known in [facts.Facts(contacts.facts_of(contact), now=now)]
        for here in [_zone(trigger, workflow, known)]
        for value in [known.get(("contact", *rule.field))]
    )
    return [Guest(contact.id, moment) for contact, moment in moments if moment is not None]


def _window(trigger: Trigger) -> tuple[datetime, datetime]:
    """Return between which instants a date has to come round for this look."""
    end = _occurrence(trigger)
    return max(trigger.fired_at or end, end - GRACE), end


def _zone(trigger: Trigger, workflow: Workflow, known: facts.Facts) -> ZoneInfo:
    """Return whose clocks count: the contact's own, where the workflow says how to know them."""
    default = find_zone(_zone_name(trigger)) or UTC_ZONE
    field = ((workflow.headers or {}).get("timezone") or {}).get("field")
    if field is None:
        return default
    try:
        name = known.evaluate(field.get("$expr"))
    except InvalidExpression:
        return default
    return find_zone(name) or default


def _enrol(
    session: Session,
    workflow: Workflow,
    trigger: Trigger,
    guests: Sequence[Guest],
    now: datetime,
) -> None:
    if not workflow.enabled:
        return
    out = _shut_out(session, workflow, [guest.contact_id for guest in guests], now)
    rows = [
        _run_row(workflow, trigger, guest, now) for guest in guests if guest.contact_id not in out
    ]
    if rows:
        insert_rows(session, Execution, rows, unique=["workflow_id", "entry_key"])
        notices.due(session, "runs")


def _shut_out(
    session: Session, workflow: Workflow, contact_ids: Sequence[str], now: datetime
) -> set[str]:
    """Return which of the contacts earlier runs keep out."""
    if not contact_ids or (workflow.allow_reentry and workflow.reentry_seconds is None):
        return set()
    earlier = select(Execution.contact_id).where(
        Execution.workflow_id == workflow.id, Execution.contact_id.in_(contact_ids)
    )
    if workflow.allow_reentry and workflow.reentry_seconds is not None:
        since = now - timedelta(seconds=workflow.reentry_seconds)
        earlier = earlier.where(Execution.started_at > since)
    return {contact_id for contact_id in session.scalars(earlier) if contact_id is not None}


def _run_row(workflow: Workflow, trigger: Trigger, guest: Guest, now: datetime) -> dict[str, Any]:
    occasion = f"{guest.moment:%Y%m%dT%H%M%S}:{guest.contact_id}"
    return {
        "id": new_id(),
        "project_id": workflow.project_id,
        "workflow_id": workflow.id,
        "dialect": workflow.dialect,
        "contact_id": guest.contact_id,
        "entry_key": occasion if workflow.allow_reentry else guest.contact_id,
        "revision": workflow.revision,
        "status": "RUNNING",
        "current_step_id": trigger.entry_step_id,
        "context": {"scheduledFor": iso(guest.moment)},
        "depth": 0,
        "due_at": now,
        "started_at": now,
        "created_at": now,
        "updated_at": now,
    }


def _occurrence(trigger: Trigger) -> datetime:
    if trigger.next_at is None:
        raise TypeError("a trigger that is due has a time")
    return trigger.next_at


def _zone_name(trigger: Trigger) -> str:
    return trigger.timezone or "UTC"
