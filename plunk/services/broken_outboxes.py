"""Messages and calls that break I9: what waits has a deadline, and every lease ends."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, and_, case, or_

from plunk.config import MAX_LEASE_SECONDS
from plunk.delivery.retry import MAIL
from plunk.engine.core.enter import CALL_LIMIT
from plunk.models import Email, WebhookCall
from plunk.services.violation import SLACK, Broken, Check, Outbox, by_update

LONGEST_LEASE = timedelta(seconds=MAX_LEASE_SECONDS)


def _checks(table: Outbox, one: str, many: str, pause: timedelta) -> tuple[Check, ...]:
    due, lease = table.next_attempt_at, table.lease_until

    def timeless(now: datetime) -> ColumnElement[bool]:
        return or_(due.is_(None), due > now + pause + SLACK)

    def undue(now: datetime) -> ColumnElement[bool]:
        return and_(table.status == "PENDING", or_(timeless(now), lease.is_not(None)))

    def endless(now: datetime) -> ColumnElement[bool]:
        return or_(lease.is_(None), lease > now + LONGEST_LEASE + SLACK)

    def unending(now: datetime) -> ColumnElement[bool]:
        return and_(table.status == "SENDING", or_(endless(now), due.is_not(None)))

    def over(_now: datetime) -> ColumnElement[bool]:
        is_left = or_(due.is_not(None), lease.is_not(None))
        return and_(table.status.not_in(("PENDING", "SENDING")), is_left)

    def fall_due(now: datetime) -> dict[str, Any]:
        return {"next_attempt_at": case((timeless(now), now), else_=due), "lease_until": None}

    def end_lease(now: datetime) -> dict[str, Any]:
        return {"lease_until": case((endless(now), now), else_=lease), "next_attempt_at": None}

    return (
        by_update(
            f"{one}-never-due",
            f"{many} that wait without a time, or for longer than any attempt is put off",
            "due now, or when they were to be",
            Broken(table, undue),
            fall_due,
        ),
        by_update(
            f"{one}-held-for-ever",
            f"{many} that a worker holds without an end",
            "their lease ends, and a worker takes them up",
            Broken(table, unending),
            end_lease,
        ),
        by_update(
            f"{one}-due-after-its-end",
            f"{many} that are over, and due or held all the same",
            "they stay as they are, and are taken up no more",
            Broken(table, over),
            lambda _: {"next_attempt_at": None, "lease_until": None},
        ),
    )


CHECKS = (
    *_checks(Email, "email", "e-mails", MAIL.longest),
    *_checks(WebhookCall, "call", "web hook calls", CALL_LIMIT),
)
