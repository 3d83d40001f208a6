"""When to try again: a decision about values, with the randomness handed in."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

_SPREAD = 0.2


@dataclass(frozen=True, slots=True)
class Schedule:
    """The waits between attempts; there is one attempt more than there are waits."""

    waits: tuple[timedelta, ...]

    @property
    def attempts(self) -> int:
        """Return how often is tried in all."""
        return len(self.waits) + 1

    @property
    def longest(self) -> timedelta:
        """Return how long one pause may last."""
        return max(self.waits) * (1 + _SPREAD)


def _minutes(*values: float) -> Schedule:
    return Schedule(tuple(timedelta(minutes=value) for value in values))


MAIL = _minutes(1, 5, 15, 60, 180, 420, 720)  # 8 attempts within about a day
HOOKS = _minutes(1 / 6, 0.5, 2, 5)  # 5 attempts within about 8 minutes


def next_attempt(
    attempt: int, now: datetime, jitter: float, schedule: Schedule = MAIL
) -> datetime | None:
    """Return when to follow up failed attempt number `attempt` (from 1), or None to give up.

    `jitter` lies in [0, 1) and adds up to a fifth, so that what failed together does not come
    back together.
    """
    if attempt >= schedule.attempts:
        return None
    return now + schedule.waits[max(attempt, 1) - 1] * (1 + _SPREAD * jitter)
