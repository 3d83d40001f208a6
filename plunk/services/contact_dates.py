"""Dates of contacts in SQL: who may have one that comes round, to be looked at more closely."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta

from sqlalchemy import ColumnElement, and_, extract, func, or_, true
from sqlalchemy.orm import InstrumentedAttribute

from plunk.models import Contact
from plunk.services.schedules import AROUND, DateRule, candidates

COLUMNS: dict[str, InstrumentedAttribute[datetime]] = {
    "createdAt": Contact.created_at,
    "updatedAt": Contact.updated_at,
}
DAY, MONTH_AND_DAY = (1, 10), (6, 5)  # where they stand in ISO text: first character, length


def may_be_due(rule: DateRule, start: datetime, end: datetime) -> ColumnElement[bool]:
    """Return what is true of every contact whose date comes round then, and of few others."""
    days = candidates(rule, start, end)
    match rule.field:
        case ["data", *keys]:
            return _written(keys, rule, days)
        case [name]:
            return _stored(COLUMNS[name], rule, days)
    return true()


def _written(
    keys: Sequence[str | int], rule: DateRule, days: Sequence[date]
) -> ColumnElement[bool]:
    if any('"' in str(key) for key in keys):  # SQLite's paths have no way to write it
        return true()
    text = Contact.data[tuple(keys)].as_string()
    if rule.every_year:
        return func.substr(text, *MONTH_AND_DAY).in_({f"{day:%m-%d}" for day in days})
    return func.substr(text, *DAY).in_({day.isoformat() for day in days})


def _stored(
    column: InstrumentedAttribute[datetime], rule: DateRule, days: Sequence[date]
) -> ColumnElement[bool]:
    if rule.every_year:
        marks = sorted({(day.month, day.day) for day in days})
        return or_(
            *(and_(extract("month", column) == m, extract("day", column) == d) for m, d in marks)
        )
    first = datetime.combine(min(days), datetime.min.time())
    return column.between(_utc(first) - AROUND, _utc(first) + timedelta(days=len(days)) + AROUND)


def _utc(local: datetime) -> datetime:
    return local.replace(tzinfo=UTC)
