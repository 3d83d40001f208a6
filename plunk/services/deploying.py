"""Deploying: `.flow` texts become templates and workflows, all of them or none."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from plunk.errors import Conflict, FieldProblem, Invalid
from plunk.ids import parse_id
from plunk.models import Project, Workflow
from plunk.services import flow_templates, flow_writing, workflow_text
from plunk.services.flow_plans import excesses, plan_of, templates_by_id, templates_named
from plunk.services.flow_templates import Shelf
from plunk.services.flow_writing import Made
from plunk.services.workflow_graph import DIALECT, lock_workflow, lock_workflows, refuse_stale
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
    stored = _stored_workflows(session, project_id, written)
    names = {workflow["name"] for workflow in written.workflows}
    _refuse_unknown(expected, names)
    shelf = _shelf(session, project_id, written, list(_name_faults(written, stored)))
    targets = _lock(session, project_id, stored)
    for name, revision in expected.items():
        _refuse_moved(targets.get(name), name, revision)
    return _carry_out(session, project_id, written, shelf, targets=targets, now=now)


def replace(
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
    shelf = _shelf(session, project_id, written, [])
    targets = {written.workflows[0]["name"]: workflow}
    return _carry_out(session, project_id, written, shelf, targets=targets, now=now)


def _queue_up(session: Session, project_id: str) -> None:
    """Let one deployment of a project follow the other, so that none creates a name twice."""
    session.execute(
        select(Project.id).where(Project.id == project_id).with_for_update(key_share=True)
    )


def _stored_workflows(session: Session, project_id: str, written: Written) -> dict[str, list[str]]:
    stored = defaultdict(list)
    names = {workflow["name"] for workflow in written.workflows}
    rows = session.execute(
        select(Workflow.name, Workflow.id)
        .where(
            Workflow.project_id == project_id,
            Workflow.name.in_(names),
            Workflow.dialect == DIALECT,
        )
        .order_by(Workflow.id)
    )
    for name, workflow_id in rows:
        stored[name].append(workflow_id)
    return stored


def _name_faults(written: Written, stored: Mapping[str, list[str]]) -> Iterator[Json]:
    for at, workflow in enumerate(written.workflows):
        if len(stored.get(workflow["name"], ())) > 1:
            message = "several workflows of the project have this name; rename all but one"
            yield written.workflow_fault(at, message, is_taken=True)


def _lock(
    session: Session, project_id: str, stored: Mapping[str, list[str]]
) -> dict[str, Workflow]:
    ids = [workflow_id for found in stored.values() for workflow_id in found]
    by_id = {one.id: one for one in lock_workflows(session, project_id, ids)}
    return {name: by_id[found[0]] for name, found in stored.items() if found[0] in by_id}


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


def _shelf(session: Session, project_id: str, written: Written, faults: Sequence[Json]) -> Shelf:
    """Return the stored templates that the bundle is about; InvalidFlow lists every fault."""
    declared = {template["name"] for template in written.templates}
    used = {name for workflow in written.workflows for name in templates_named(workflow)}
    shelf = flow_templates.find(session, project_id, declared | used)
    found = [*faults, *_template_faults(written, shelf), *_workflow_faults(written)]
    found += _id_faults(session, project_id, written)
    unknown = used - declared - shelf.unique.keys()
    if unknown:
        known = flow_templates.names(session, project_id)
        found += written.unknown_templates(known, shelf.ambiguous - declared)
    workflow_text.refuse([*found, *written.warnings])
    return shelf


def _template_faults(written: Written, shelf: Shelf) -> Iterator[Json]:
    for at, template in enumerate(written.templates):
        if template["name"] in shelf.ambiguous:
            message = "several templates of the project have this name; rename all but one"
            yield written.template_fault(at, message, is_taken=True)
        for fault in flow_templates.faults(template):
            yield written.template_fault(at, fault)


def _workflow_faults(written: Written) -> Iterator[Json]:
    for at, workflow in enumerate(written.workflows):
        for excess in excesses(workflow):
            yield written.workflow_fault(at, excess)


def _id_faults(session: Session, project_id: str, written: Written) -> Iterator[Json]:
    for at, workflow in enumerate(written.workflows):
        named = templates_by_id(workflow)
        ids = {one: parse_id(one) for one in named}
        known = flow_templates.known_ids(session, project_id, filter(None, ids.values()))
        for one in sorted(named):
            if ids[one] not in known:
                yield written.workflow_fault(at, f"the project has no template with the id {one!r}")


def _carry_out(
    session: Session,
    project_id: str,
    written: Written,
    shelf: Shelf,
    *,
    targets: Mapping[str, Workflow],
    now: datetime,
) -> Deployed:
    ids, templates = dict(shelf.unique), []
    for declared in written.templates:
        template, status = flow_templates.store(session, project_id, declared, shelf, now=now)
        ids[template.name] = template.id
        templates.append(Outcome(template.id, template.name, status))
    workflows = []
    for workflow, source in zip(written.workflows, written.sources, strict=True):
        plan, made = plan_of(workflow, ids), Made(source, now)
        target = targets.get(plan.name)
        if target is None:
            target, status = flow_writing.create(session, project_id, plan, made), "created"
        else:
            changed = flow_writing.write(session, target, plan, made)
            status = "changed" if changed else "unchanged"
        workflows.append(Outcome(target.id, target.name, status, target.revision))
    return Deployed(templates, workflows, written.warnings)
