"""Pinned runs: what they still need, and their steps as they were in their own revisions."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from sqlalchemy import Select, String, cast, exists, inspect, or_, select
from sqlalchemy.orm import Session

from plunk.models import Execution, Revision, Step, Workflow
from plunk.models.execution import ACTIVE_STATUSES

StepsById = Mapping[str, Mapping[str, Any]]
SHOWN = ("type", "name", "label", "config")


def needing(project_id: str, ids: Collection[str]) -> Select[str]:
    """Return the query for workflows whose pinned runs may still use one of these things.

    What a revision speaks of is found by its id; nothing else looks like one.
    """
    graph = cast(Revision.graph, String)
    return (
        select(Revision.workflow_id)
        .join(Workflow, Workflow.id == Revision.workflow_id)
        .where(
            Workflow.project_id == project_id,
            Workflow.pinned_revision > 0,
            Revision.number <= Workflow.pinned_revision,
            or_(*(graph.contains(one) for one in ids)),
            exists().where(
                Execution.workflow_id == Revision.workflow_id,
                Execution.status.in_(ACTIVE_STATUSES),
                Execution.revision == Revision.number,
            ),
        )
        .distinct()
    )


def was_pinned(workflow: Workflow, run: Execution) -> bool:
    """Tell whether no later revision than its own will ever be, or was, for this run."""
    return run.revision <= workflow.pinned_revision


def steps(session: Session, workflow: Workflow, numbers: Collection[int]) -> dict[int, StepsById]:
    """Return the steps of these revisions as they were, in one query or none."""
    if not numbers:
        return {}
    rows = session.execute(
        select(Revision.number, Revision.graph).where(
            Revision.workflow_id == workflow.id, Revision.number.in_(numbers)
        )
    )
    return {number: {step["id"]: step for step in graph["steps"]} for number, graph in rows}


def as_it_was(step: Step, then: StepsById) -> Step:
    """Return a step as a revision has it, beside the session; one it does not have stays so."""
    if step.id not in then:
        return step
    old = then[step.id]
    columns = {column.key: getattr(step, column.key) for column in inspect(Step).column_attrs}
    shown = {name: old[name] for name in SHOWN}
    return Step(**{**columns, **shown, "template_id": old["templateId"]})
