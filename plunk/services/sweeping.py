"""The sweep: every violation of I9 and I10 found, and mended in small transactions on demand."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session, sessionmaker

from plunk.db import begin_reading, transaction
from plunk.services import broken_others, broken_outboxes, broken_runs
from plunk.services.violation import Check

CHECKS = (*broken_runs.CHECKS, *broken_outboxes.CHECKS, *broken_others.CHECKS)
MOST = 1_000
BATCH = 100


@dataclass(frozen=True, slots=True)
class Violation:
    """Rows that break one rule: their ids, up to MOST of them."""

    check: Check
    ids: Sequence[str]

    @property
    def has_more(self) -> bool:
        """Tell whether there may be more of them than ids."""
        return len(self.ids) == MOST


@dataclass(frozen=True, slots=True)
class Mended:
    """One row that was mended."""

    check: Check
    id: str


def sweep(sessions: sessionmaker[Session], *, now: datetime) -> list[Violation]:
    """Return every kind of violation that there is; it reads whole tables and locks nothing."""
    found = []
    for check in CHECKS:
        with sessions() as session:
            begin_reading(session)
            found.append(Violation(check, check.find(session, now, MOST)))
    return [one for one in found if one.ids]


def mend(
    sessions: sessionmaker[Session],
    violations: Sequence[Violation],
    *,
    batch: int = BATCH,
    now: datetime,
) -> Iterator[Mended]:
    """Mend what was found and what is found of its kinds meanwhile; yield what was committed.

    Each transaction mends at most `batch` rows, so that nobody waits for long. What cannot be
    mended is left for the next sweep to tell.
    """
    for check in (violation.check for violation in violations):
        left: Sequence[str] = ()
        while True:
            with sessions() as session:
                begin_reading(session)
                ids = check.find(session, now, batch)
            if not ids or ids == left:
                break
            left = ids
            with transaction(sessions) as session:
                mended = check.mend(session, ids, now)
            yield from (Mended(check, one) for one in mended)
