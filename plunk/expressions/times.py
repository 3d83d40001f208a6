"""Times in expressions: ISO text, moved by durations."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta

from plunk.conditions.instants import UNIT_SECONDS, instant, iso
from plunk.errors import InvalidExpression
from plunk.expressions.showing import misused, shown

DAY = timedelta(days=1)
DATE_LENGTH = len("2026-03-01")
MILLISECONDS_FROM = 100_000_000_000  # as seconds that would be the year 5138


def duration(amount: object, unit: object) -> timedelta:
    """Return the length that a number and a unit name."""
    if isinstance(amount, bool) or not isinstance(amount, int | float):
        raise InvalidExpression(f"a duration needs a number, not {shown(amount)}")
    if not isinstance(unit, str) or unit not in UNIT_SECONDS:
        raise InvalidExpression(f"the unit of a duration is one of {', '.join(UNIT_SECONDS)}")
    try:
        return timedelta(seconds=amount * UNIT_SECONDS[unit])
    except (OverflowError, ValueError) as error:
        raise InvalidExpression(f"{shown(amount)} {unit} are too long") from error


def moved(sign: str, left: object, right: object) -> str:
    """Return a time that a duration is added to or taken from."""
    match sign, left, right:
        case "+", timedelta(), str():
            return _later(right, left, f"{shown(left)} + {shown(right)}")
        case "+" | "-", str(), timedelta():
            length = right if sign == "+" else -right
            return _later(left, length, f"{shown(left)} {sign} {shown(right)}")
    raise InvalidExpression(f"cannot compute {shown(left)} {sign} {shown(right)}")


def _later(time: str, length: timedelta, operation: str) -> str:
    start = instant(time)
    if start is None:
        raise InvalidExpression(f"{operation}: the text is not a time")
    try:
        if len(time) == DATE_LENGTH and length % DAY == timedelta():
            return (date.fromisoformat(time) + length).isoformat()
        return iso(start + length)
    except (OverflowError, ValueError) as error:
        raise InvalidExpression(f"{operation}: outside the calendar") from error


def to_time(values: Sequence[object]) -> str:
    """Return a time that is ISO text or a count of seconds or milliseconds since 1970."""
    match values:
        case [str() as text] if (at := instant(text)) is not None:
            return text if len(text) == DATE_LENGTH else iso(at)
        case [(int() | float()) as count] if not isinstance(count, bool):
            return _since_1970(count)
    raise misused("date", values)


def _since_1970(count: float) -> str:
    seconds = count / 1000 if abs(count) >= MILLISECONDS_FROM else count
    try:
        return iso(datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds))
    except (OverflowError, ValueError) as error:
        raise misused("date", [count]) from error
