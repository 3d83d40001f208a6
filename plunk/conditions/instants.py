"""Instants in JSON: ISO 8601 text in, ISO 8601 text out."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from functools import lru_cache

TIME = r"\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:?\d\d)?"
ISO_DATE = re.compile(rf"\d{{4}}-\d\d-\d\d([T ]{TIME})?\Z", re.ASCII)
UNIT_SECONDS = {"seconds": 1, "minutes": 60, "hours": 3_600, "days": 86_400, "weeks": 604_800}


@lru_cache(maxsize=1_024)  # what happens together happens at one time
def iso(at: datetime) -> str:
    """Return an instant as JSON has it: UTC, milliseconds, `Z`."""
    return at.astimezone(UTC).isoformat(timespec="milliseconds").removesuffix("+00:00") + "Z"


def milliseconds(at: datetime) -> datetime:
    """Return an instant in whole milliseconds, which is all that JSON shows of it."""
    return at.replace(microsecond=at.microsecond // 1_000 * 1_000)


def instant(value: object) -> datetime | None:
    """Return what an ISO date or date-time says; without a zone it is UTC. Else None."""
    if not isinstance(value, str) or not ISO_DATE.match(value):
        return None
    try:
        at = datetime.fromisoformat(value)
        return (at if at.tzinfo else at.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):  # 30 February; or year 1 east of Greenwich
        return None


def before(now: datetime, amount: float, unit: str) -> datetime | None:
    """Return the instant so many units before now, or None when no calendar reaches it."""
    try:
        return now - timedelta(seconds=amount * UNIT_SECONDS[unit])
    except (ValueError, OverflowError):
        return None
