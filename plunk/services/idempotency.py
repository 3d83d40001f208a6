"""Idempotency keys: claimed before a request's work, settled after it."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import NamedTuple

from sqlalchemy import ColumnElement, and_, delete, insert, select, tuple_, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from plunk.clock import iso
from plunk.errors import IdempotencyKeyReused
from plunk.models import IdempotencyKey

KEPT = timedelta(hours=24)


class Claim(NamedTuple):
    """One request's claim to a key. Its time tells it from a later one to the same key."""

    project_id: str
    key: str
    at: datetime


def claim(session: Session, wanted: Claim, *, request: str) -> None:
    """Spend the key; IdempotencyKeyReused tells what it was spent on."""
    project_id, key, at = wanted
    row = {"project_id": project_id, "key": key, "request": request, "created_at": at}
    try:
        with session.begin_nested():
            session.execute(insert(IdempotencyKey), row)
    except IntegrityError:
        raise _reused(session, project_id, key) from None


def settle(session: Session, claimed: Claim, status: int) -> None:
    """Note how the claim's request ended."""
    session.execute(update(IdempotencyKey).where(_is_of(claimed)).values(status=status))


def release(session: Session, claimed: Claim) -> None:
    """Give the key back: the claim's request was refused and did nothing."""
    session.execute(delete(IdempotencyKey).where(_is_of(claimed)))


def sweep(session: Session, *, before: datetime, most: int) -> int:
    """Forget the oldest keys that are older than this; return how many."""
    columns = (IdempotencyKey.project_id, IdempotencyKey.key)
    old = (
        select(*columns)
        .where(IdempotencyKey.created_at < before)
        .order_by(IdempotencyKey.created_at)
        .limit(most)
        .with_for_update(skip_locked=True)
        .cte("old")
    )
    ours = tuple_(*columns).in_(select(old))
    gone = delete(IdempotencyKey).where(ours).returning(IdempotencyKey.key)
    return len(session.scalars(gone.execution_options(synchronize_session=False)).all())


def _reused(session: Session, project_id: str, key: str) -> IdempotencyKeyReused:
    first = session.scalars(select(IdempotencyKey).where(_is(project_id, key))).one_or_none()
    details: dict[str, object] = {"key": key}
    if first is not None:
        details |= {
            "originalRequest": first.request,
            "originalRequestAt": iso(first.created_at),
            "originalStatusCode": first.status,
        }
    return IdempotencyKeyReused("This Idempotency-Key was already used.", details=details)


def _is(project_id: str, key: str) -> ColumnElement[bool]:
    return and_(IdempotencyKey.project_id == project_id, IdempotencyKey.key == key)


def _is_of(claimed: Claim) -> ColumnElement[bool]:
    return and_(_is(claimed.project_id, claimed.key), IdempotencyKey.created_at == claimed.at)
