"""Where a bundle goes: the stored things it is about, held while we look and until we are done."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from plunk.errors import Conflict, FieldProblem, Invalid
from plunk.models import Project, Workflow
from plunk.services import flow_faults, flow_stored, flow_targets, workflow_text
from plunk.services.flow_graphs import FlowGraph
from plunk.services.flow_references import references
from plunk.services.flow_stored import Stored
from plunk.services.flow_targets import Targets
from plunk.services.workflow_graph import lock_workflow, lock_workflows, refuse_stale
from plunk.services.workflow_text import Written


@dataclass(frozen=True, slots=True)
class Located:
    """A bundle and what it meets: workflows by name, locked, and their graphs as they are."""

    written: Written
    targets: Targets
    stored: Mapping[str, Stored]

    @property
    def workflows(self) -> Mapping[str, Workflow]:
        """The workflows by name."""
        return {name: one.workflow for name, one in self.stored.items()}

    @property
    def graphs(self) -> Mapping[str, FlowGraph]:
        """Their graphs by name."""
        return {name: one.graph for name, one in self.stored.items()}


def locate(
    session: Session,
    project_id: str,
    written: Written,
    expected: Mapping[str, int],
    *,
    is_rehearsal: bool = False,
) -> Located:
    """Find by name what a bundle is about; InvalidFlow lists what the project makes impossible.

    Conflict when a workflow has moved on from its expected revision. In a rehearsal, which is
    taken back, people may enter the workflows meanwhile.
    """
    _queue_up(session, project_id)
    _refuse_unknown(expected, {workflow["name"] for workflow in written.workflows})
    targets = flow_targets.find(session, project_id, written)
    ids = {found[0]: name for name, found in targets.workflows.items()}
    locked = lock_workflows(session, project_id, ids, is_rehearsal=is_rehearsal)
    workflows = {ids[one.id]: one for one in locked}
    located = _located(session, written, targets, workflows)
    for name, revision in expected.items():
        _refuse_moved(workflows.get(name), name, revision)
    return located


def locate_one(
    session: Session, project_id: str, workflow_id: str, written: Written, expected: int | None
) -> Located:
    """Find what a text is about that becomes this workflow, whatever its name is so far."""
    if len(written.workflows) != 1:
        message = f"Must hold exactly one workflow, not {len(written.workflows)}"
        raise Invalid([FieldProblem("source", message, "custom")])
    _queue_up(session, project_id)
    targets = flow_targets.find(session, project_id, written)  # first, as whoever fills segments
    workflow = lock_workflow(session, project_id, workflow_id, expected=expected)
    return _located(
        session, written, targets, {written.workflows[0]["name"]: workflow}, is_named=True
    )


def _located(
    session: Session,
    written: Written,
    targets: Targets,
    workflows: Mapping[str, Workflow],
    *,
    is_named: bool = False,
) -> Located:
    found = flow_stored.read(session, list(workflows.values()))
    located = Located(written, targets, dict(zip(workflows, found, strict=True)))
    faults = [] if is_named else [*flow_faults.taken(written, targets)]
    faults += flow_faults.find(written, targets, tolerated=_ids_in(located.graphs))
    workflow_text.refuse([*faults, *written.warnings])
    return located


def _queue_up(session: Session, project_id: str) -> None:
    """Let one deployment of a project follow the other, so that none creates a name twice."""
    session.execute(
        select(Project.id).where(Project.id == project_id).with_for_update(key_share=True)
    )


def _ids_in(graphs: Mapping[str, FlowGraph]) -> set[str]:
    """Return the ids that stored workflows refer to, also those that lead nowhere any more."""
    return {
        reference["id"]
        for graph in graphs.values()
        for _, reference in references(graph.to_json())
        if "id" in reference
    }


def _refuse_unknown(expected: Mapping[str, int], names: set[str]) -> None:
    problems = [
        FieldProblem(f"expectedRevision.{name}", "The bundle has no such workflow", "custom")
        for name in expected
        if name not in names
    ]
    if problems:
        raise Invalid(problems)


def _refuse_moved(workflow: Workflow | None, name: str, revision: int) -> None:
    if workflow is not None:
        refuse_stale(workflow, revision)
    elif revision:
        raise Conflict(f"There is no workflow {name!r} any more.", details={"workflow": name})
