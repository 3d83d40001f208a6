"""Retention: what is old enough goes, in small batches, and nothing goes that is still asked for.

How far each rule has come is stored, and the next turn goes on from there, whichever worker takes
it. Once a day a walk begins anew, for what had to stay until then.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from plunk.config import Settings
from plunk.db import insert_ignoring
from plunk.ids import NO_ID
from plunk.models import RetentionWalk
from plunk.services import idempotency
from plunk.services.asked_events import Questions
from plunk.services.old_rows import drop_events, empty_emails, forget_keys
from plunk.services.old_runs import drop_runs
from plunk.services.walks import Walk

AGAIN = timedelta(days=1)
Turn = Callable[[Session, Walk], bool]


@dataclass(frozen=True, slots=True)
class Rule:
    """What goes once it is so old; its turn takes one batch, and is False at the walk's end."""

    name: str
    turn: Turn
    kept: timedelta


def rules(settings: Settings) -> tuple[Rule, ...]:
    """Return what these settings let go; by default only what nobody can ask for any more."""
    days = (
        ("events", drop_events, settings.retention_events_days),
        ("runs", drop_runs, settings.retention_runs_days),
        ("emails", empty_emails, settings.retention_emails_days),
    )
    old = (Rule(name, turn, timedelta(days=count)) for name, turn, count in days if count)
    return (Rule("keys", forget_keys, idempotency.KEPT), *old)


def take(session: Session, rule: Rule, questions: Questions, *, now: datetime) -> bool:
    """Take a turn; False when there is nothing more to do, or another worker is doing it.

    `questions` keeps what conditions ask from turn to turn.
    """
    stored = _stored(session, rule, now)
    if stored is None:
        return False
    walk = Walk(stored.after, now - rule.kept, now, questions)
    goes_on = rule.turn(session, walk)
    stored.after = walk.after
    if goes_on or now - stored.began_at < AGAIN:
        return goes_on
    stored.after, stored.began_at = NO_ID, now
    return True


def _stored(session: Session, rule: Rule, now: datetime) -> RetentionWalk | None:
    """Return how far the rule has come, locked; None while another worker is at it."""
    found = _locked(session, rule)
    if found is None:
        beginning = {"rule": rule.name, "after": NO_ID, "began_at": now}
        session.execute(insert_ignoring(session, RetentionWalk, ["rule"]).values(beginning))
        found = _locked(session, rule)
    return found


def _locked(session: Session, rule: Rule) -> RetentionWalk | None:
    statement = select(RetentionWalk).where(RetentionWalk.rule == rule.name)
    return session.scalars(statement.with_for_update(skip_locked=True)).one_or_none()
