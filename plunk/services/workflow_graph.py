"""A workflow's graph as it is edited now: found, locked, read, and asked about its shape."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from plunk.errors import Conflict, NotFound, WorkflowNotFound
from plunk.ids import NO_ID, parse_id
from plunk.models import Step, Transition, Workflow

DIALECT = "plunk"


@dataclass(frozen=True, slots=True)
class Drawing:
    """A workflow with its live steps, oldest first, and its edges in the order of trying them."""

    workflow: Workflow
    steps: Sequence[Step]
    transitions: Sequence[Transition]

    def step(self, step_id: str) -> Step:
        """Return a live step; NotFound when the workflow has no such step."""
        wanted = parse_id(step_id)
        for step in self.steps:
            if step.id == wanted:
                return step
        raise NotFound(step_id, resource="Step")

    def transition(self, transition_id: str) -> Transition:
        """Return an edge; NotFound when the workflow has no such edge."""
        wanted = parse_id(transition_id)
        for transition in self.transitions:
            if transition.id == wanted:
                return transition
        raise NotFound(transition_id, resource="Transition")

    @property
    def trigger(self) -> Step | None:
        """Return the step where runs begin."""
        return next((step for step in self.steps if step.type == "TRIGGER"), None)

    def ways_out(self, step_id: str) -> list[Transition]:
        """Return the edges that leave a step."""
        return [edge for edge in self.transitions if edge.from_step_id == step_id]

    def ways_in(self, step_id: str) -> list[Transition]:
        """Return the edges that lead to a step."""
        return [edge for edge in self.transitions if edge.to_step_id == step_id]

    def reachable(self, starts: Iterable[str], *, avoiding: Collection[str] = ()) -> set[str]:
        """Return the starts and what can be reached from them without entering `avoiding`."""
        found: set[str] = set()
        queue = [start for start in starts if start not in avoiding]
        while queue:
            step_id = queue.pop()
            if step_id not in found:
                found.add(step_id)
                targets = (edge.to_step_id for edge in self.ways_out(step_id))
                queue.extend(target for target in targets if target not in avoiding)
        return found

    def downstream(self, step_id: str) -> set[str]:
        """Return the step and every step that can be reached from it."""
        return self.reachable([step_id])


def get_workflow(session: Session, project_id: str, workflow_id: str) -> Workflow:
    """Return the workflow; WorkflowNotFound when the project has no such workflow."""
    return _one(session, _named(project_id, workflow_id), workflow_id)


def hold_workflow(session: Session, project_id: str, workflow_id: str) -> Workflow:
    """Return the workflow as it is; nobody edits it until this transaction ends."""
    held = _named(project_id, workflow_id).with_for_update(read=True, key_share=True)
    return _one(session, held.execution_options(populate_existing=True), workflow_id)


def lock_workflows(
    session: Session, project_id: str, ids: Iterable[str], *, is_rehearsal: bool = False
) -> list[Workflow]:
    """Return these workflows of the project, oldest id first, with their rows locked.

    Writers of one workflow queue here, so revision numbers never collide; and nobody can enter
    the workflow meanwhile, so what was found about its active runs stays true. Who is going to
    take everything back, in a rehearsal, keeps other writers out but lets people enter.
    """
    wanted = sorted({parse_id(one) or NO_ID for one in ids})
    return list(
        session.scalars(
            select(Workflow)
            .where(
                Workflow.project_id == project_id,
                Workflow.id.in_(wanted),
                Workflow.dialect == DIALECT,
            )
            .order_by(Workflow.id)
            .with_for_update(key_share=is_rehearsal)
            .execution_options(populate_existing=True)
        )
    )


def lock_workflow(
    session: Session, project_id: str, workflow_id: str, *, expected: int | None = None
) -> Workflow:
    """Return the workflow, locked; Conflict when it has moved on from the expected revision."""
    found = lock_workflows(session, project_id, [workflow_id])
    if not found:
        raise WorkflowNotFound(workflow_id)
    refuse_stale(found[0], expected)
    return found[0]


def refuse_stale(workflow: Workflow, expected: int | None) -> None:
    """Raise Conflict when somebody changed the workflow since the caller read it."""
    if expected is not None and expected != workflow.revision:
        raise Conflict(
            f"The workflow is at revision {workflow.revision}, not {expected}; read it again.",
            details={"revision": workflow.revision},
        )


def open_drawing(
    session: Session, project_id: str, workflow_id: str, *, expected: int | None = None
) -> Drawing:
    """Return the workflow's graph for editing, with the workflow locked."""
    return draw(session, lock_workflow(session, project_id, workflow_id, expected=expected))


def draw(session: Session, workflow: Workflow) -> Drawing:
    """Return the workflow's graph as it is now."""
    return draw_all(session, [workflow])[0]


def draw_all(session: Session, workflows: Sequence[Workflow]) -> list[Drawing]:
    """Return the graphs of several workflows, in two queries."""
    ids = [workflow.id for workflow in workflows]
    steps: dict[str, list[Step]] = {one: [] for one in ids}
    transitions: dict[str, list[Transition]] = {one: [] for one in ids}
    for step in session.scalars(
        select(Step)
        .where(Step.workflow_id.in_(ids), Step.deleted_at.is_(None))
        .order_by(Step.created_at, Step.id)
    ):
        steps[step.workflow_id].append(step)
    for edge in session.scalars(
        select(Transition)
        .where(Transition.workflow_id.in_(ids))
        .order_by(Transition.priority, Transition.created_at, Transition.id)
    ):
        transitions[edge.workflow_id].append(edge)
    return [Drawing(one, steps[one.id], transitions[one.id]) for one in workflows]


def next_instant(rows: Iterable[Step | Transition], now: datetime) -> datetime:
    """Return a time of creation that sorts after these rows, whatever the clock's resolution."""
    later = (row.created_at + timedelta(microseconds=1) for row in rows)
    return max(now, *later, now)


def _named(project_id: str, workflow_id: str) -> Select[Workflow]:
    return select(Workflow).where(
        Workflow.project_id == project_id,
        Workflow.id == (parse_id(workflow_id) or NO_ID),
        Workflow.dialect == DIALECT,
    )


def _one(session: Session, statement: Select[Workflow], workflow_id: str) -> Workflow:
    found = session.scalars(statement).one_or_none()
    if found is None:
        raise WorkflowNotFound(workflow_id)
    return found
