"""Dates and times as texts: the same that the engine can read."""

from __future__ import annotations

import re
from datetime import UTC, datetime

_TIME = r"\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:?\d\d)?"
_ISO = re.compile(rf"\d{{4}}-\d\d-\d\d([T ]{_TIME})?", re.ASCII)
_CLOCK = re.compile(r"([01]?\d|2[0-3]):[0-5]\d", re.ASCII)


def moment(written: str) -> datetime | None:
    """Return what an ISO date or date and time says, in UTC where no zone is named."""
    if not _ISO.fullmatch(written):
        return None
    try:
        at = datetime.fromisoformat(written)
        return (at if at.tzinfo else at.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):  # 30 February; or year 1 east of Greenwich
        return None


def is_moment(written: str) -> bool:
    """Tell whether the text is an ISO date or date and time."""
    return moment(written) is not None


def is_clock(written: str) -> bool:
    """Tell whether a clock can show this: 0:00 to 23:59."""
    return _CLOCK.fullmatch(written) is not None
