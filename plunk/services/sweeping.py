"""The sweep: every violation of I9 and I10 found, and mended in small transactions on demand.

It may take hours beside workers that go on working, so each question is asked at its own time:
what was taken up since the sweep began is nobody's violation.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

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
PAGE = 1_000
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

    It reads whole tables and locks nothing.
    """
    found = []
    for check in CHECKS:
        pages = _pages(sessions, clock, check, PAGE)
        ids = list(islice((one for page in pages for one in page), most + 1))
        found.append(Violation(check, ids[:most], len(ids) > most))
    return [one for one in found if one.ids]


def mend(
    sessions: sessionmaker[Session],
    violations: Sequence[Violation],
    clock: Clock,
    *,
    batch: int = BATCH,
) -> Iterator[Mended]:
    """Mend what was found and what is found of its kinds meanwhile; yield what was committed.

    Each transaction mends at most `batch` rows, so that nobody waits for long. What cannot be
    mended is passed over, and left for the next sweep to tell.
    """
    for check in (violation.check for violation in violations):
        for ids in _pages(sessions, clock, check, batch):
            with transaction(sessions) as session:
                mended = check.mend(session, ids, clock.now())
            yield from (Mended(check, one) for one in mended)


def _pages(
    sessions: sessionmaker[Session], clock: Clock, check: Check, size: int
) -> Iterator[list[str]]:
    """Yield the ids of all rows that break the rule, in their order: one walk through the table."""
    after = None
    while True:
        with sessions() as session:
            begin_reading(session)
            ids = check.find(session, clock.now(), after, size)
        if ids:
            yield ids
        if len(ids) < size:
            return
        after = ids[-1]
