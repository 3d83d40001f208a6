"""What one advance did: the run as it stands now, and the visits it made on the way."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, TypeAlias

from plunk.engine.core.effects import Effect
from plunk.engine.core.facts import Facts
from plunk.engine.core.run import Run

VisitStatus: TypeAlias = Literal["RUNNING", "WAITING", "COMPLETED", "FAILED", "SKIPPED"]


@dataclass(frozen=True, slots=True)
class Visit:
    """One visit of the run to a step.

    `is_new` False means: complete the row that was written when the run parked there, and leave
    its start, which is then None here, as it is.
    """

    number: int
    step_id: str
    status: VisitStatus
    output: Mapping[str, object] | None = None
    error: str | None = None
    started_at: datetime | None = None
    completed_at: datetime | None = None
    execute_after: datetime | None = None
    effects: tuple[Effect, ...] = ()
    is_new: bool = True


@dataclass(frozen=True, slots=True)
class Progress:
    """The result of an advance; without visits and with the same run, nothing happened.

    `goals` are those that were reached on the way, each for the first time.
    """

    run: Run
    visits: tuple[Visit, ...]
    facts: Facts
    goals: tuple[str, ...] = ()


def abandoned(run: Run, now: datetime) -> tuple[Visit, ...]:
    """Return the visit that ends because the run leaves in the middle of it, if there is one."""
    if run.awaiting is None or run.step_id is None:
        return ()
    return (Visit(run.visit, run.step_id, "SKIPPED", completed_at=now, is_new=False),)
