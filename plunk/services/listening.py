"""Listening: what an event may set going, and whether it meets the condition of who listens."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import TYPE_CHECKING, Any

import structlog
from sqlalchemy import Select, bindparam, or_, select
from sqlalchemy.orm import Session

from plunk.conditions.matches import matches
from plunk.conditions.operators.workflow import OPERATORS
from plunk.conditions.tree import from_json
from plunk.db import is_postgres, table_of
from plunk.engine.core import facts
from plunk.engine.core.facts import Facts
from plunk.engine.core.run import Run
from plunk.engine.core.signals import canonical_name
from plunk.errors import InvalidCondition, InvalidExpression
from plunk.models import Trigger, Workflow
from plunk.services import histories
from plunk.services.row_sets import is_one_of

if TYPE_CHECKING:
    from plunk.services.events import NewEvent

log = structlog.get_logger()


@cache
def _listening(*, arrays: bool) -> Select[*tuple[Any, ...]]:
    trigger, workflow = table_of(Trigger), table_of(Workflow)
    return (
        select(
            trigger.c.workflow_id,
            trigger.c.kind,
            trigger.c.position,
            trigger.c.entry_step_id,
            trigger.c.event_name,
            trigger.c.condition,
            workflow.c.dialect,
            workflow.c.revision,
            workflow.c.allow_reentry,
            workflow.c.reentry_seconds,
            workflow.c.headers,
            workflow.c.pinned_revision,
            trigger.c.pinned,
            trigger.c.segment_id,
        )
        .join_from(trigger, workflow, workflow.c.id == trigger.c.workflow_id)
        .where(
            trigger.c.project_id == bindparam("project_id"),
            is_one_of(trigger.c.event_name, "names", arrays=arrays),
            # Nobody enters a workflow that is switched off; who is inside may still be stopped.
            or_(trigger.c.kind != "start", workflow.c.enabled),
        )
        .order_by(trigger.c.workflow_id, trigger.c.id)
        # Whoever edits or deletes a workflow waits for us here, or we for them: never half-way.
        .with_for_update(read=True, key_share=True, of=workflow)
    )


@dataclass(frozen=True, slots=True)
class Listener:
    """A workflow that listens for an event, to start runs, to stop them or to count a goal."""

    workflow_id: str
    kind: str
    position: int
    entry_step_id: str
    event_name: str
    condition: dict[str, Any] | None
    dialect: str
    revision: int
    allow_reentry: bool
    reentry_seconds: int | None
    headers: dict[str, Any] | None
    pinned_revision: int
    pinned: dict[str, Any] | None
    segment_id: str | None

    def hears(self, event: NewEvent) -> bool:
        """Tell whether it listens for this event: for a segment's by its id, else by the name.

        A segment may be called like the id of another one, so the two are kept apart.
        """
        if self.segment_id is not None:
            return self.event_name in event.also
        return self.event_name == canonical_name(event.name)

    def watches(self, revision: int) -> bool:
        """Tell whether this stop or goal is one of a run that last followed the revision."""
        if self.pinned is None:
            return revision > self.pinned_revision
        return bool(self.pinned["after"] < revision <= self.pinned["through"])

    @property
    def goal(self) -> Mapping[str, Any]:
        """The goal that this listens for, as it stands in the headers."""
        headers = self.headers if self.pinned is None else self.pinned["headers"]
        goal: Mapping[str, Any] = (headers or {})["goals"][self.position]
        return goal


def listeners(session: Session, project_id: str, names: Collection[str]) -> list[Listener]:
    """Return who listens for one of these names; their workflows stay as they are until we end."""
    known = {"project_id": project_id, "names": sorted(names)}
    statement = _listening(arrays=is_postgres(session))
    return [Listener(*row) for row in session.connection().execute(statement, known)]


def names_of(happened: Iterable[NewEvent]) -> set[str]:
    """Return the names under which workflows may listen for the events."""
    return {name for event in happened for name in (canonical_name(event.name), *event.also)}


@dataclass(frozen=True, slots=True)
class Judge:
    """Judges conditions of one project at one time; history is read when somebody asks for it."""

    session: Session
    project_id: str
    now: datetime

    def is_met(
        self,
        condition: Mapping[str, Any] | None,
        contact: facts.Contact,
        event: Mapping[str, object] | None,
        run: Run | None = None,
    ) -> bool:
        """Tell whether a stored condition holds; one that cannot be computed does not.

        An event is never refused because somebody's filter divides by zero.
        """
        if condition is None:
            return True
        past = histories.Lookup(self.session, self.project_id, contact, self.now)
        known = Facts(contact, run=run, event=event, now=self.now, answers=past)
        try:
            return matches(from_json(condition), known, OPERATORS)
        except (InvalidCondition, InvalidExpression) as error:
            log.warning("condition.failed", reason=error.message)
            return False
