"""Workflows listed: searched, sorted, with how many steps and runs each has."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import ColumnElement, Select, collate, func, or_, select
from sqlalchemy.orm import Session

from plunk.db import is_postgres
from plunk.models import Execution, Step, Workflow
from plunk.paging import Page, PageRequest
from plunk.services import totals
from plunk.services.workflow_graph import DIALECT


@dataclass(frozen=True, slots=True)
class WorkflowQuery:
    """Which workflows to list, and in which order."""

    paging: PageRequest = field(default_factory=PageRequest)
    search: str | None = None
    status: str | None = None
    sort: str = "createdAt"
    descending: bool = True


@dataclass(frozen=True, slots=True)
class Listed:
    """A workflow and the size of it."""

    workflow: Workflow
    steps: int
    executions: int


def page(session: Session, project_id: str, query: WorkflowQuery) -> Page[Listed]:
    """Return a numbered page of the project's workflows."""
    matching = _matching(project_id, query)
    total = totals.total(session, matching)
    key = _sort_key(session, query.sort)
    rows = session.scalars(
        matching.order_by(key.desc() if query.descending else key, Workflow.id.desc())
        .offset(query.paging.offset)
        .limit(query.paging.page_size)
    ).all()
    return Page(_counted(session, rows), total, query.paging.page, query.paging.page_size)


def _matching(project_id: str, query: WorkflowQuery) -> Select[Workflow]:
    matching = select(Workflow).where(
        Workflow.project_id == project_id, Workflow.dialect == DIALECT
    )
    if query.search:
        columns = (Workflow.name, Workflow.description)
        found = (column.icontains(query.search, autoescape=True) for column in columns)
        matching = matching.where(or_(*found))
    match query.status:
        case "active":
            return matching.where(Workflow.enabled)
        case "disabled":
            return matching.where(~Workflow.enabled)
    return matching


def _sort_key(session: Session, sort: str) -> ColumnElement[Any]:
    match sort:
        case "name":
            # Both databases compare bytes then, whatever the locale of the server.
            plain = "C" if is_postgres(session) else "BINARY"
            return collate(func.lower(collate(Workflow.name, plain)), plain)
        case "updatedAt":
            return Workflow.updated_at.expression
        case "steps":
            return (
                select(func.count())
                .where(Step.workflow_id == Workflow.id, Step.deleted_at.is_(None))
                .correlate(Workflow)
                .scalar_subquery()
            )
    return Workflow.created_at.expression


def _counted(session: Session, rows: Sequence[Workflow]) -> list[Listed]:
    ids = [workflow.id for workflow in rows]
    owner = Step.workflow_id
    live = select(owner, func.count()).where(owner.in_(ids), Step.deleted_at.is_(None))
    steps = {row[0]: row[1] for row in session.execute(live.group_by(owner))}
    runs = totals.totals(
        session, {id_: select(Execution).where(Execution.workflow_id == id_) for id_ in ids}
    )
    return [Listed(row, steps.get(row.id, 0), runs[row.id]) for row in rows]
