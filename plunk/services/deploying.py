"""Deploying: `.flow` texts become templates, segments and workflows, all of them or none."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from plunk.errors import Conflict, FieldProblem, Invalid, InvalidCondition
from plunk.models import Project, Workflow
from plunk.services import (
    flow_faults,
    flow_reading,
    flow_segments,
    flow_targets,
    flow_templates,
    flow_texts,
    flow_writing,
    workflow_text,
)
from plunk.services.flow_names import Catalog
from plunk.services.flow_references import references, renamed
from plunk.services.flow_targets import Targets
from plunk.services.flow_writing import Made
from plunk.services.workflow_graph import (
    draw,
    lock_workflow,
    lock_workflows,
    refuse_stale,
)
from plunk.services.workflow_text import Json, Written


@dataclass(frozen=True, slots=True)
class Bundle:
    """Files to deploy together, and the revisions that are to be replaced, by workflow."""

    files: Mapping[str, str]
    expected_revision: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one declaration: `created`, `changed` or `unchanged`."""

    id: str
    name: str
    status: str
    revision: int | None = None


@dataclass(frozen=True, slots=True)
class Deployed:
    """What became of a bundle."""

    templates: Sequence[Outcome]
    segments: Sequence[Outcome]
    workflows: Sequence[Outcome]
    diagnostics: Sequence[Json]


def deploy(
    session: Session,
    project_id: str,
    written: Written,
    *,
    expected: Mapping[str, int],
    now: datetime,
) -> Deployed:
    """Create or update everything the bundle declares, by name.

    InvalidFlow lists what the project makes impossible; Conflict when a workflow has moved on
    from its expected revision. The same text again changes nothing.
    """
    _queue_up(session, project_id)
    _refuse_unknown(expected, {workflow["name"] for workflow in written.workflows})
    targets = flow_targets.find(session, project_id, written)
    workflows = _lock(session, project_id, targets)
    faults = [*flow_faults.taken(written, targets)]
    faults += flow_faults.find(written, targets, tolerated=_ids_in(session, workflows.values()))
    workflow_text.refuse([*faults, *written.warnings])
    for name, revision in expected.items():
        _refuse_moved(workflows.get(name), name, revision)
    return _Deployment(session, project_id, targets, now).carry_out(written, workflows)


def replace_one(
    session: Session,
    project_id: str,
    workflow_id: str,
    written: Written,
    *,
    expected: int | None,
    now: datetime,
) -> Deployed:
    """Make one workflow what the text says, whatever its name is so far."""
    if len(written.workflows) != 1:
        message = f"Must hold exactly one workflow, not {len(written.workflows)}"
        raise Invalid([FieldProblem("source", message, "custom")])
    _queue_up(session, project_id)
    workflow = lock_workflow(session, project_id, workflow_id, expected=expected)
    targets = flow_targets.find(session, project_id, written)
    faults = flow_faults.find(written, targets, tolerated=_ids_in(session, [workflow]))
    workflow_text.refuse([*faults, *written.warnings])
    workflows = {written.workflows[0]["name"]: workflow}
    return _Deployment(session, project_id, targets, now).carry_out(written, workflows)


def _queue_up(session: Session, project_id: str) -> None:
    """Let one deployment of a project follow the other, so that none creates a name twice."""
    session.execute(
        select(Project.id).where(Project.id == project_id).with_for_update(key_share=True)
    )


def _lock(session: Session, project_id: str, targets: Targets) -> dict[str, Workflow]:
    ids = {found[0]: name for name, found in targets.workflows.items()}
    return {ids[one.id]: one for one in lock_workflows(session, project_id, ids)}


def _ids_in(session: Session, workflows: Collection[Workflow]) -> set[str]:
    """Return the ids that stored workflows refer to, also those that lead nowhere any more."""
    graphs = (flow_reading.graph_of(draw(session, one)).to_json() for one in workflows)
    return {
        reference["id"]
        for graph in graphs
        for _, reference in references(graph)
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


class _Deployment:
    """One bundle on its way into a project; what it creates gets known by name on the way."""

    def __init__(self, session: Session, project_id: str, targets: Targets, now: datetime) -> None:
        self.session, self.project_id, self.targets, self.now = session, project_id, targets, now
        self.known: Catalog = targets.known

    def carry_out(self, written: Written, workflows: Mapping[str, Workflow]) -> Deployed:
        """Store everything, the things that others refer to first."""
        templates = [self._template(declared) for declared in written.templates]
        made = self.known.templates.including({one.name: one.id for one in templates})
        self.known = replace(self.known, templates=made)
        segments = {
            at: self._segment(written, at) for at in flow_segments.in_order(written.segments)
        }
        return Deployed(
            templates,
            [segments[at] for at in sorted(segments)],
            [
                self._workflow(workflow, workflows.get(workflow["name"]), source)
                for workflow, source in zip(written.workflows, written.sources, strict=True)
            ],
            written.warnings,
        )

    def _template(self, declared: Json) -> Outcome:
        template, status = flow_templates.store(
            self.session, self.project_id, declared, self.targets.shelf, now=self.now
        )
        return Outcome(template.id, template.name, status)

    def _segment(self, written: Written, at: int) -> Outcome:
        declared = written.segments[at]
        stored = self.targets.segment({"name": declared["name"]})
        wanted = workflow_text.canonical_segment(renamed(declared, self.known.to_id))
        if any("name" in reference for _, reference in references(wanted)):
            message = "segments ask about each other's members in a circle"
            workflow_text.refuse([written.fault("segment", at, message)])
        try:
            segment, status = flow_segments.store(
                self.session, self.project_id, wanted, stored, now=self.now
            )
        except InvalidCondition as error:
            workflow_text.refuse([written.fault("segment", at, error.message)])
            raise
        made = self.known.segments.including({segment.name: segment.id})
        self.known = replace(self.known, segments=made)
        return Outcome(segment.id, segment.name, status)

    def _workflow(self, workflow: Json, target: Workflow | None, source: str) -> Outcome:
        graph = flow_texts.resolved(workflow, self.known)
        made = Made(source, self.now)
        if target is None:
            target = flow_writing.create(self.session, self.project_id, graph, made)
            return Outcome(target.id, target.name, "created", target.revision)
        changed = flow_writing.write(self.session, target, graph, made)
        status = "changed" if changed else "unchanged"
        return Outcome(target.id, target.name, status, target.revision)
