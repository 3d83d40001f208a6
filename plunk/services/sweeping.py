"""The sweep: every violation of I9 and I10 found, and mended in small transactions on demand.

It may take hours beside workers that go on working, so each question is asked at its own time:
what was taken up since the sweep began is nobody's violation.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from sqlalchemy.orm import Session, sessionmaker

from plunk.clock import Clock
from plunk.db import begin_reading, transaction
from plunk.services import broken_others, broken_outboxes, broken_runs, broken_timeouts
from plunk.services.violation import Check

CHECKS = (
    *broken_runs.CHECKS,
    *broken_timeouts.CHECKS,
    *broken_outboxes.CHECKS,
    *broken_others.CHECKS,
)
MOST = 100_000
BATCH = 100


@dataclass(frozen=True, slots=True)
class Violation:
    """Rows that break one rule: their ids, and whether there are more of them."""

    check: Check
    ids: Sequence[str]
    is_truncated: bool = False


@dataclass(frozen=True, slots=True)
class Mended:
    """One row that was mended."""

    check: Check
    id: str


def sweep(sessions: sessionmaker[Session], clock: Clock, *, most: int = MOST) -> list[Violation]:
    """Return every kind of violation that there is, with up to `most` ids of each.

    It reads each table once for each kind, and locks nothing.
    """
    found = (_look(sessions, clock, check, None, most) for check in CHECKS)
    return [one for one in found if one.ids]


def mend(
    sessions: sessionmaker[Session],
    violations: Sequence[Violation],
    clock: Clock,
    *,
    batch: int = BATCH,
) -> Iterator[Mended]:
    """Mend what was found, as far as it is still wrong; yield what was committed.

    Each transaction mends at most `batch` rows, so that nobody waits for long. What cannot be
    mended is passed over, and left for the next sweep to tell.
    """
    for violation in violations:
        left = violation
        while left.ids:
            for start in range(0, len(left.ids), batch):
                with transaction(sessions) as session:
                    ids = left.ids[start : start + batch]
                    mended = left.check.mend(session, ids, clock.now())
                yield from (Mended(left.check, one) for one in mended)
            if not left.is_truncated:
                break
            left = _look(sessions, clock, left.check, left.ids[-1], len(violation.ids))


def _look(
    sessions: sessionmaker[Session], clock: Clock, check: Check, after: str | None, most: int
) -> Violation:
    """Return the rows behind this one that break the rule."""
    with sessions() as session:
        begin_reading(session)
        ids = check.find(session, clock.now(), after, most + 1)
    return Violation(check, ids[:most], len(ids) > most)
