"""How long lists are: counted exactly while they are short, remembered for a while when long.

Counting looks at every row, so it must not happen on every request. A remembered total is at least
a minute old before it is counted again, and so much older that counting takes a thousandth of the
time at most. Each process remembers for itself.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from weakref import WeakKeyDictionary

from sqlalchemy import Connection, Engine, Select, func, literal_column, select
from sqlalchemy.orm import Session
from sqlalchemy.sql.selectable import ScalarSelect

from plunk.db import take_time

EXACT = 10_000  # rows; so many are counted in about a millisecond
FRESH_SECONDS = 60.0
FRESH_PER_SECOND = 1_000.0  # seconds for each second that counting took
MOST = 1_000  # totals that are remembered

Key = tuple[str, str]


@dataclass(slots=True)
class _Known:
    count: int
    until: float


_known: WeakKeyDictionary[Engine | Connection, dict[Key, _Known]] = WeakKeyDictionary()


def total(
    session: Session, rows: Select[Any], *, timer: Callable[[], float] = time.monotonic
) -> int:
    """Return how many rows there are: exactly up to EXACT, of more as of the last count."""
    near = session.scalar(select(_up_to_exact(rows))) or 0
    return near if near <= EXACT else _remembered(session, rows, timer)


def totals(session: Session, lists: Mapping[str, Select[Any]]) -> dict[str, int]:
    """Return the totals of several lists by name, the short ones in one statement."""
    if not lists:
        return {}
    near: Sequence[int] = session.execute(select(*map(_up_to_exact, lists.values()))).one()
    return {
        name: count if count <= EXACT else _remembered(session, rows, time.monotonic)
        for (name, rows), count in zip(lists.items(), near, strict=True)
    }


def _up_to_exact(rows: Select[Any]) -> ScalarSelect[int]:
    some = _plain(rows).limit(EXACT + 1).subquery()
    return select(func.count()).select_from(some).scalar_subquery()


def _plain(rows: Select[Any]) -> Select[Any]:
    return rows.order_by(None).with_only_columns(literal_column("1"), maintain_column_froms=True)


def _remembered(session: Session, rows: Select[Any], timer: Callable[[], float]) -> int:
    bind, counting = session.get_bind(), select(func.count()).select_from(_plain(rows).subquery())
    compiled = counting.compile(bind)
    key = (str(compiled), repr(sorted(compiled.params.items())))
    known, now = _known.setdefault(bind, {}), timer()
    if (last := known.get(key)) is not None:
        if now < last.until:
            return last.count
        last.until = now + FRESH_SECONDS  # whoever asks while we count is told what was
    take_time(session)
    count = session.scalar(counting) or 0
    if len(known) >= MOST:
        known.clear()
    fresh = max(FRESH_SECONDS, (timer() - now) * FRESH_PER_SECOND)
    known[key] = _Known(count, timer() + fresh)
    return count
