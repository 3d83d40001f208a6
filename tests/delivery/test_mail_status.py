"""How notices move an e-mail, and when a failed one is tried again."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest

from plunk.delivery.retry import HOOKS, MAIL, Schedule, next_attempt
from plunk.delivery.status import RANK, EmailStatus, Notice, next_status

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)

STEPS = [
    ("PENDING", "claimed", "SENDING"),
    ("SENDING", "claimed", None),
    ("SENDING", "accepted", "SENT"),
    ("SENDING", "deferred", "PENDING"),
    ("SENDING", "refused", "FAILED"),
    ("SENT", "refused", None),
    ("SENT", "deferred", None),
    ("SENT", "accepted", "SENT"),
    ("SENT", "delivery", "DELIVERED"),
    ("SENDING", "delivery", "DELIVERED"),
    ("DELIVERED", "accepted", None),
    ("OPENED", "delivery", None),
    ("DELIVERED", "click", "CLICKED"),
    ("CLICKED", "open", None),
    ("CLICKED", "hard_bounce", "BOUNCED"),
    ("DELIVERED", "soft_bounce", None),
    ("BOUNCED", "click", None),
    ("BOUNCED", "complaint", "COMPLAINED"),
    ("COMPLAINED", "hard_bounce", None),
    ("FAILED", "claimed", None),
    ("FAILED", "delivery", "DELIVERED"),
]


@pytest.mark.parametrize(("status", "notice", "expected"), STEPS)
def test_a_notice_moves_a_status(status: str, notice: str, expected: str | None) -> None:
    assert next_status(EmailStatus(status), Notice(notice)) == expected


def test_reports_never_lower_the_rank() -> None:
    for status in EmailStatus:
        for notice in set(Notice) - {Notice.CLAIMED, Notice.DEFERRED, Notice.REFUSED}:
            after = next_status(status, notice)
            assert after is None or RANK[after] >= RANK[status]


@pytest.mark.parametrize(("schedule", "attempts", "hours"), [(MAIL, 8, 24), (HOOKS, 5, 0.2)])
def test_attempts_spread_out_and_end(schedule: Schedule, attempts: int, hours: float) -> None:
    times = [NOON]
    while following := next_attempt(len(times), times[-1], 0.0, schedule):
        times.append(following)
    waits = [later - earlier for earlier, later in pairwise(times)]
    assert len(times) == attempts == schedule.attempts
    assert waits == sorted(waits)
    assert times[-1] - NOON <= timedelta(hours=hours)


def test_jitter_adds_up_to_a_fifth() -> None:
    first = next_attempt(1, NOON, 0.0)
    last = next_attempt(1, NOON, 0.999)
    assert first == NOON + timedelta(minutes=1)
    assert last is not None
    assert timedelta(seconds=71) < last - NOON < timedelta(seconds=72)
