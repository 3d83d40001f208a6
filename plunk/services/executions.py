"""Executions: the runs of a workflow, listed and looked into."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from sqlalchemy import ColumnElement, Select, and_, func, or_, select
from sqlalchemy import Row as SqlRow
from sqlalchemy.orm import Session

from plunk.errors import NotFound
from plunk.ids import NO_ID, parse_id
from plunk.models import Contact, Execution, Step, StepExecution, Workflow
from plunk.models.execution import ACTIVE_STATUSES, RUN_STATUSES, VISIT_STATUSES
from plunk.paging import Page, PageRequest
from plunk.services import pinned_runs, totals
from plunk.services.in_flight import is_pinned
from plunk.services.workflow_graph import get_workflow

STATUSES, ASKED = RUN_STATUSES, ("PENDING", *RUN_STATUSES)
VISITS = VISIT_STATUSES
MAX_VISITS = 1_000
OldSteps: TypeAlias = Mapping[int, pinned_runs.StepsById]
Row: TypeAlias = SqlRow[Execution, Contact | None, Step | None]


@dataclass(frozen=True, slots=True)
class RunPath:
    """A run of a workflow, as a path names it."""

    workflow_id: str
    execution_id: str


@dataclass(frozen=True, slots=True)
class RunQuery:
    """Which runs to list."""

    paging: PageRequest = field(default_factory=PageRequest)
    status: str | None = None


@dataclass(frozen=True, slots=True)
class RunView:
    """A run with its contact and the step it stands on, and whether it is pinned.

    The steps of a pinned run are those of its own revision, also when it has ended.
    """

    run: Execution
    contact: Contact | None
    step: Step | None
    is_pinned: bool


@dataclass(frozen=True, slots=True)
class RunDetail:
    """A run with its workflow and its newest MAX_VISITS visits, oldest first."""

    view: RunView
    workflow: Workflow
    visits: Sequence[tuple[StepExecution, Step]]


def page(session: Session, project_id: str, workflow_id: str, query: RunQuery) -> Page[RunView]:
    """Return a numbered page of a workflow's runs, newest first."""
    workflow = get_workflow(session, project_id, workflow_id)
    wanted = and_(Execution.workflow_id == workflow.id, *_has_status(query.status))
    total = totals.total(session, select(Execution).where(wanted))
    rows: Sequence[Row] = session.execute(
        _views()
        .where(wanted)
        .order_by(Execution.started_at.desc(), Execution.id.desc())
        .offset(query.paging.offset)
        .limit(query.paging.page_size)
    ).all()
    then = _pinned_steps(session, workflow, [row[0] for row in rows])
    views = [_view(workflow, row, then) for row in rows]
    return Page(views, total, query.paging.page, query.paging.page_size)


def show(session: Session, project_id: str, at: RunPath) -> RunDetail:
    """Return a run with its timeline; NotFound when the workflow has no such run."""
    workflow = get_workflow(session, project_id, at.workflow_id)
    view, then = _found(session, workflow, at.execution_id)
    visits = session.execute(
        select(StepExecution, Step)
        .join(Step, Step.id == StepExecution.step_id)
        .where(StepExecution.execution_id == view.run.id)
        .order_by(StepExecution.visit.desc())
        .limit(MAX_VISITS)
    ).all()[::-1]
    return RunDetail(
        view, workflow, [(visit, _as_it_was(step, view.run, then)) for visit, step in visits]
    )


def view(session: Session, project_id: str, at: RunPath) -> RunView:
    """Return a run without its timeline; NotFound when the workflow has no such run."""
    workflow = get_workflow(session, project_id, at.workflow_id)
    return _found(session, workflow, at.execution_id)[0]


def counts(session: Session, project_id: str, workflow_id: str) -> dict[str, int]:
    """Return how many active runs stand on each step; steps without any are left out."""
    workflow = get_workflow(session, project_id, workflow_id)
    rows = session.execute(
        select(Execution.current_step_id, func.count())
        .where(
            Execution.workflow_id == workflow.id,
            Execution.status.in_(ACTIVE_STATUSES),
            Execution.current_step_id.is_not(None),
        )
        .group_by(Execution.current_step_id)
    )
    return {step_id: count for step_id, count in rows if step_id}


def _found(session: Session, workflow: Workflow, run_id: str) -> tuple[RunView, OldSteps]:
    found = _views().where(is_run(workflow.id, run_id))
    row = session.execute(found.execution_options(populate_existing=True)).one_or_none()
    if row is None:
        raise NotFound(run_id, resource="Execution")
    then = _pinned_steps(session, workflow, [row[0]])
    return _view(workflow, row, then), then


def _pinned_steps(session: Session, workflow: Workflow, runs: Iterable[Execution]) -> OldSteps:
    pinned = {run.revision for run in runs if pinned_runs.was_pinned(workflow, run)}
    return pinned_runs.steps(session, workflow, pinned)


def _view(workflow: Workflow, row: Row, then: OldSteps) -> RunView:
    run, contact, step = row
    shown = None if step is None else _as_it_was(step, run, then)
    return RunView(run, contact, shown, is_pinned(workflow, run))


def _as_it_was(step: Step, run: Execution, then: OldSteps) -> Step:
    return pinned_runs.as_it_was(step, then[run.revision]) if run.revision in then else step


def _views() -> Select[Execution, Contact, Step]:
    return (
        select(Execution, Contact, Step)
        .outerjoin(Contact, Contact.id == Execution.contact_id)
        .outerjoin(Step, Step.id == Execution.current_step_id)
    )


def is_run(workflow_id: str, execution_id: str) -> ColumnElement[bool]:
    """Return the condition that finds one run of a workflow."""
    return and_(
        Execution.workflow_id == workflow_id, Execution.id == (parse_id(execution_id) or NO_ID)
    )


def _has_status(status: str | None) -> list[ColumnElement[bool]]:
    match status:
        case None:
            return []
        case "EXITED":  # a run that ended in an EXIT step is COMPLETED and keeps the reason
            ended = and_(Execution.status == "COMPLETED", Execution.exit_reason.is_not(None))
            return [or_(Execution.status == "EXITED", ended)]
    return [Execution.status == status]
