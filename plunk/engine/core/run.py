"""A run: one subject's way through one workflow, as a value."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Literal, TypeAlias

from plunk.conditions.nodes import Condition

RunStatus: TypeAlias = Literal["RUNNING", "WAITING", "COMPLETED", "FAILED", "CANCELLED"]
LOOK_EVERY = timedelta(minutes=15)
TERMINAL: frozenset[RunStatus] = frozenset({"COMPLETED", "FAILED", "CANCELLED"})


@dataclass(frozen=True, slots=True)
class AwaitedEvent:
    """The run goes on when this event arrives and `where` holds, or at the deadline."""

    event_name: str
    where: Condition | None = None
    deadline: datetime | None = None


@dataclass(frozen=True, slots=True)
class AwaitedCall:
    """The run goes on when the web hook of this visit is answered, or fails at the deadline."""

    call: int
    deadline: datetime


@dataclass(frozen=True, slots=True)
class AwaitedCondition:
    """The run goes on when the condition holds, or at the deadline; `due_at` is the next look."""

    condition: Condition
    deadline: datetime | None = None

    def next_look(self, now: datetime) -> datetime:
        """Return when to look again, if nothing calls for it sooner."""
        look = now + LOOK_EVERY
        return look if self.deadline is None else min(look, self.deadline)


Awaiting: TypeAlias = AwaitedEvent | AwaitedCondition | AwaitedCall


@dataclass(frozen=True, slots=True)
class Run:
    """Where a subject stands.

    RUNNING with nothing awaited: about to enter `step_id` (the trigger when None). WAITING with
    nothing awaited: in the delay `step_id` until `due_at`; or, where `step_id` is no delay, before
    it until then. `visit` numbers the latest visit, `goals` are those reached so far, as far as
    the caller remembers them.
    `version` is the value to store; it is one more than the row's when something changed.
    """

    id: str
    workflow_id: str
    revision: int
    started_at: datetime
    status: RunStatus = "RUNNING"
    step_id: str | None = None
    visit: int = 0
    version: int = 0
    context: Mapping[str, object] | None = None
    variables: Mapping[str, object] = field(default_factory=dict)
    exit_reason: str | None = None
    due_at: datetime | None = None
    awaiting: Awaiting | None = None
    depth: int = 0
    completed_at: datetime | None = None
    goals: frozenset[str] = frozenset()

    @property
    def is_over(self) -> bool:
        """Whether the run has ended, for whatever reason."""
        return self.status in TERMINAL

    def park(
        self,
        step_id: str,
        visit: int,
        due_at: datetime | None,
        awaiting: Awaiting | None = None,
    ) -> Run:
        """Stand at a step until `due_at` or what is awaited; a web hook keeps it RUNNING."""
        return replace(
            self,
            status="RUNNING" if isinstance(awaiting, AwaitedCall) else "WAITING",
            step_id=step_id,
            visit=visit,
            version=self.version + 1,
            due_at=due_at,
            awaiting=awaiting,
        )

    def wait_again(self, now: datetime) -> Run:
        """Stand where it stands until its own time: nothing was to be done."""
        due_at = self.due_at
        match self.awaiting:
            case AwaitedCondition() as awaited:
                due_at = awaited.next_look(now)
            case AwaitedEvent(deadline=deadline) | AwaitedCall(deadline=deadline):
                due_at = deadline
        return replace(self, due_at=due_at, version=self.version + 1)

    def move(self, step_id: str, now: datetime) -> Run:
        """Stand before a step, to be entered as soon as a worker comes by."""
        return replace(
            self,
            status="RUNNING",
            step_id=step_id,
            version=self.version + 1,
            due_at=now,
            awaiting=None,
        )

    def finish(self, now: datetime, *, reason: str | None = None, visit: int | None = None) -> Run:
        """End well: at the end of the graph, or at an exit with its reason."""
        return self._end("COMPLETED", now, None, visit, reason)

    def fail(self, now: datetime, *, step_id: str | None, visit: int | None = None) -> Run:
        """End because a step failed; what went wrong is kept with the visit."""
        return self._end("FAILED", now, step_id, visit)

    def cancel(
        self, reason: str, now: datetime, *, step_id: str | None = None, visit: int | None = None
    ) -> Run:
        """End from outside, where the run stands."""
        return self._end("CANCELLED", now, step_id or self.step_id, visit, reason)

    def _end(
        self,
        status: RunStatus,
        now: datetime,
        step_id: str | None,
        visit: int | None,
        reason: str | None = None,
    ) -> Run:
        return replace(
            self,
            status=status,
            step_id=step_id,
            visit=self.visit if visit is None else visit,
            version=self.version + 1,
            exit_reason=reason,
            due_at=None,
            awaiting=None,
            completed_at=now,
        )
