"""Retention: what is old enough goes, in small batches, and nothing goes that is still asked for.

Ids are ordered by time, so the oldest rows are at the beginning of the primary key, and walking
along it needs no index of its own. A walk remembers where it is; what has to stay is passed once
in a walk, not once in a batch.

* Events stay when a condition of their project asks about events of their name.
* A run's row stays as long as it keeps somebody from entering again (I2), or counts as a
  conversion; its visits and calls go. Runs that have not ended stay as they are.
* Of messages the body, the headers and the attachments go. Their rows answer conditions on mail.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, delete, or_, select, update
from sqlalchemy.orm import InstrumentedAttribute, Session

from plunk.conditions.history_json import events_named
from plunk.config import Settings
from plunk.ids import NO_ID, first_id
from plunk.models import (
    AttachmentSet,
    Conversion,
    Email,
    Event,
    Execution,
    Segment,
    Step,
    StepExecution,
    Transition,
    Trigger,
    WebhookCall,
    Workflow,
)
from plunk.models.execution import ACTIVE_STATUSES

EVENTS, RUNS, EMAILS = 500, 100, 200  # in one transaction, which is to last less than 100 ms
ON_ITS_WAY = ("PENDING", "SENDING")
CONDITIONS: tuple[InstrumentedAttribute[object], ...] = (
    Segment.condition,
    Workflow.headers,
    Workflow.trigger_config,
    Step.config,
    Transition.condition,
    Trigger.condition,
    Trigger.pinned,
)


@dataclass
class Walk:
    """How far a walk over one table has come; `asked` keeps what conditions ask, by project."""

    after: str = NO_ID
    asked: dict[str, Collection[str]] = field(default_factory=dict)


Turn = Callable[[Session, Walk, datetime, datetime], bool]


@dataclass(frozen=True, slots=True)
class Rule:
    """What goes once it is so old."""

    turn: Turn
    kept: timedelta


def rules(settings: Settings) -> tuple[Rule, ...]:
    """Return what these settings let go; by default everything is kept."""
    days = (
        (drop_events, settings.retention_events_days),
        (drop_runs, settings.retention_runs_days),
        (empty_emails, settings.retention_emails_days),
    )
    return tuple(Rule(turn, timedelta(days=count)) for turn, count in days if count)


def drop_events(session: Session, walk: Walk, before: datetime, _now: datetime) -> bool:
    """Delete one batch of old events; False when the walk is at its end."""
    rows = session.execute(
        select(Event.id, Event.project_id, Event.name)
        .where(Event.id > walk.after, Event.id < first_id(before))
        .order_by(Event.id)
        .limit(EVENTS)
    ).all()
    old = [row.id for row in rows if row.name not in _asked(session, walk, row.project_id)]
    going = _locked(session, Event.id, old, Event.created_at < before)
    session.execute(delete(Event).where(Event.id.in_(going)))
    return _walked(walk, [row.id for row in rows], EVENTS)


def drop_runs(session: Session, walk: Walk, before: datetime, now: datetime) -> bool:
    """Delete what is left of one batch of old runs; False when the walk is at its end."""
    ids = session.scalars(
        select(Execution.id)
        .where(Execution.id > walk.after, Execution.id < first_id(before))
        .order_by(Execution.id)
        .limit(RUNS)
    ).all()
    has_ended = Execution.status.not_in(ACTIVE_STATUSES) & (Execution.updated_at < before)
    ended = _locked(session, Execution.id, ids, has_ended)
    session.execute(delete(StepExecution).where(StepExecution.execution_id.in_(ended)))
    session.execute(delete(WebhookCall).where(WebhookCall.execution_id.in_(ended)))
    going = _not_needed(session, ended, now)
    # Their messages stay: only the run that they came from is not known any more.
    session.execute(
        update(Email).where(Email.execution_id.in_(going)).values(execution_id=None, visit=None)
    )
    session.execute(delete(Execution).where(Execution.id.in_(going)))
    return _walked(walk, ids, RUNS)


def empty_emails(session: Session, walk: Walk, before: datetime, now: datetime) -> bool:
    """Empty one batch of old messages; False when the walk is at its end."""
    rows = session.execute(
        select(Email.id, Email.attachment_set_id)
        .where(Email.id > walk.after, Email.id < first_id(before))
        .order_by(Email.id)
        .limit(EMAILS)
    ).all()
    is_full = or_(Email.body != "", Email.attachment_set_id.is_not(None))
    is_settled = Email.status.not_in(ON_ITS_WAY) & (Email.created_at < before)
    full = _locked(session, Email.id, [row.id for row in rows], is_full & is_settled)
    session.execute(
        update(Email)
        .where(Email.id.in_(full))
        .values(body="", headers=None, attachment_set_id=None, updated_at=now)
    )
    sets = {row.attachment_set_id for row in rows} - {None}
    used = select(Email.id).where(Email.attachment_set_id == AttachmentSet.id)
    session.execute(
        delete(AttachmentSet)
        .where(AttachmentSet.id.in_(sets), ~used.exists())
        .execution_options(synchronize_session=False)
    )
    return _walked(walk, [row.id for row in rows], EMAILS)


def _walked(walk: Walk, ids: Sequence[str], most: int) -> bool:
    walk.after = ids[-1] if ids else walk.after
    return len(ids) == most


def _asked(session: Session, walk: Walk, project_id: str) -> Collection[str]:
    if project_id not in walk.asked:
        walk.asked[project_id] = {
            name
            for column in CONDITIONS
            for raw in session.scalars(
                select(column).where(column.class_.project_id == project_id, column.is_not(None))
            )
            for name in events_named(raw)
        }
    return walk.asked[project_id]


def _locked(
    session: Session,
    column: InstrumentedAttribute[str],
    ids: Sequence[str],
    wanted: ColumnElement[bool],
) -> list[str]:
    """Return those of the rows that are wanted, locked; what somebody else holds is left alone."""
    statement = select(column).where(column.in_(ids), wanted).order_by(column)
    return list(session.scalars(statement.with_for_update(skip_locked=True)))


def _not_needed(session: Session, ids: Sequence[str], now: datetime) -> list[str]:
    """Return the runs whose contacts may enter again anyway, and that count as nothing."""
    rows = session.execute(
        select(Execution.id, Execution.started_at, Workflow.reentry_seconds)
        .join(Workflow, Workflow.id == Execution.workflow_id)
        .where(Execution.id.in_(ids), Workflow.allow_reentry)
        .where(~select(Conversion.id).where(Conversion.execution_id == Execution.id).exists())
    )
    return [
        row.id for row in rows if row.started_at + timedelta(seconds=row.reentry_seconds or 0) < now
    ]
