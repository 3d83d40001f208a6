"""Watching: stops and goals of the runs that are under way, wherever they stand.

The core looks at them before every step; here they are met by what happens to a contact while its
runs stand still. Whoever calls holds the lock on the contacts concerned (I4).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any, NamedTuple

from sqlalchemy import bindparam, exists, or_, select
from sqlalchemy.orm import Session

from plunk.db import insert_ignoring
from plunk.engine.core import facts
from plunk.engine.core.run import Run
from plunk.engine.core.signals import event_context
from plunk.engine.core.watching import STOPPED, goal_reason
from plunk.ids import new_id
from plunk.models import Conversion, Execution, Trigger
from plunk.models.execution import ACTIVE_STATUSES
from plunk.models.workflow import ANYTHING
from plunk.services import ending, waking
from plunk.services.listening import Judge, Listener, listeners

if TYPE_CHECKING:
    from plunk.services.events import NewEvent

# Whether there is anything at all that a change of these contacts may make hold: one statement,
# and the only one where nobody uses such conditions.
CONCERNED = select(
    or_(
        exists().where(
            Execution.contact_id.in_(bindparam("contacts", expanding=True)),
            Execution.awaited_event == ANYTHING,
        ),
        exists().where(
            Trigger.project_id == bindparam("project_id"), Trigger.event_name == ANYTHING
        ),
    )
)


class Walker(NamedTuple):
    """A run under way."""

    id: str
    workflow_id: str
    revision: int
    started_at: datetime
    contact_id: str
    context: dict[str, Any] | None
    variables: dict[str, Any] | None

    def run(self) -> Run:
        """Return the run as conditions see it."""
        return Run(
            self.id,
            self.workflow_id,
            self.revision,
            self.started_at,
            context=self.context,
            variables=self.variables or {},
        )


@dataclass(frozen=True, slots=True)
class Watchers:
    """Who watches, and what has happened to whom."""

    judge: Judge
    watches: Mapping[str, Sequence[Listener]]  # by workflow
    contacts: Mapping[str, facts.Contact]
    happened: Mapping[str, Sequence[NewEvent]] = field(default_factory=dict)  # by contact


@dataclass(slots=True)
class Met:
    """What was met: reasons to end by run, and goals that runs have reached."""

    reasons: dict[str, str] = field(default_factory=dict)
    goals: list[tuple[Walker, str]] = field(default_factory=list)


def meet(
    session: Session,
    project_id: str,
    happened: Sequence[NewEvent],
    watches: Iterable[Listener],
    *,
    now: datetime,
) -> None:
    """End the runs that these events stop, and count the goals that they reach."""
    contacts: dict[str, facts.Contact] = {}
    events: dict[str, list[NewEvent]] = {}
    for event in happened:
        if event.contact:
            contacts[event.contact.id] = event.contact
            events.setdefault(event.contact.id, []).append(event)
    judge = Judge(session, project_id, now)
    _meet(Watchers(judge, _by_workflow(watches), contacts, events))


def reconsider(
    session: Session,
    project_id: str,
    changed: Iterable[facts.Contact],
    *,
    depth: int = 0,
    now: datetime,
) -> None:
    """Look at everything that waits or watches for a condition on these changed contacts."""
    contacts = {contact.id: contact for contact in changed}
    known = {"project_id": project_id, "contacts": sorted(contacts)}
    if not contacts or not session.connection().execute(CONCERNED, known).scalar():
        return
    watches = listeners(session, project_id, [ANYTHING])
    _meet(Watchers(Judge(session, project_id, now), _by_workflow(watches), contacts))
    waking.look(session, project_id, contacts, depth=depth, now=now)


def _by_workflow(watches: Iterable[Listener]) -> dict[str, list[Listener]]:
    found: dict[str, list[Listener]] = {}
    for watch in watches:
        found.setdefault(watch.workflow_id, []).append(watch)
    return found


def _meet(around: Watchers) -> None:
    if not around.watches or not around.contacts:
        return
    met = Met()
    for walker in _under_way(around):
        _judge(around, walker, met)
    _store(around, met)


def _under_way(around: Watchers) -> list[Walker]:
    """Return the runs concerned, locked in the order in which everybody locks runs."""
    rows = around.judge.session.execute(
        select(*(getattr(Execution, name) for name in Walker._fields))
        .where(
            Execution.contact_id.in_(around.contacts),
            Execution.workflow_id.in_(around.watches),
            Execution.status.in_(ACTIVE_STATUSES),
        )
        .order_by(Execution.id)
        .with_for_update(key_share=True)
    )
    return [Walker(*row) for row in rows]


def _judge(around: Watchers, walker: Walker, met: Met) -> None:
    """Note what one run has met; a stop counts for more than a goal that also ends it."""
    for watch in around.watches[walker.workflow_id]:
        if not watch.watches(walker.revision) or not _is_met(around, walker, watch):
            continue
        if watch.kind == "stop":
            met.reasons[walker.id] = STOPPED
            continue
        goal = watch.goal
        met.goals.append((walker, goal["name"]))
        if goal.get("exit"):
            met.reasons.setdefault(walker.id, goal_reason(goal["name"]))


def _is_met(around: Watchers, walker: Walker, watch: Listener) -> bool:
    contact = around.contacts[walker.contact_id]
    is_met = around.judge.is_met
    if watch.event_name == ANYTHING:
        return is_met(watch.condition, contact, walker.context, walker.run())
    return any(
        is_met(watch.condition, contact, event_context(event.data), walker.run())
        for event in around.happened.get(contact.id, ())
        if event.cause != walker.id  # the core has seen what the run itself did
        and watch.hears(event)
    )


def _store(around: Watchers, met: Met) -> None:
    session, now = around.judge.session, around.judge.now
    count(
        session,
        around.judge.project_id,
        [(walker.workflow_id, walker.id, goal) for walker, goal in met.goals],
        now=now,
    )
    for reason in sorted(set(met.reasons.values())):
        ids = [run_id for run_id, why in met.reasons.items() if why == reason]
        ending.end(session, ids, status="COMPLETED", reason=reason, now=now)


def count(
    session: Session, project_id: str, reached: Iterable[tuple[str, str, str]], *, now: datetime
) -> None:
    """Store goals that were reached, as (workflow, run, goal); each counts once for a run."""
    rows = [
        {
            "id": new_id(),
            "project_id": project_id,
            "workflow_id": workflow_id,
            "execution_id": run_id,
            "goal": goal,
            "reached_at": now,
        }
        for workflow_id, run_id, goal in reached
    ]
    if rows:
        session.execute(insert_ignoring(session, Conversion, ["execution_id", "goal"]), rows)
