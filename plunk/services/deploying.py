"""Deploying: `.flow` texts become templates, segments and workflows, all of them or none."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from sqlalchemy.orm import Session

from plunk.errors import Conflict, InvalidCondition
from plunk.services import (
    flow_digests,
    flow_locating,
    flow_segments,
    flow_templates,
    flow_texts,
    flow_writing,
    member_differences,
    workflow_text,
)
from plunk.services.flow_locating import Located
from plunk.services.flow_names import Catalog
from plunk.services.flow_references import references, renamed
from plunk.services.flow_writing import Made, Rewrite
from plunk.services.in_flight import Policy
from plunk.services.member_differences import MemberDifference
from plunk.services.workflow_text import Json, Written

STALE = (
    "This plan is out of date: the project or the files have changed since it was made,"
    " or it was made for another project; make a new plan."
)


@dataclass(frozen=True, slots=True)
class Bundle:
    """Files to deploy together, and how.

    `expected_revision` are the revisions that are to be replaced, by workflow; `in_flight` says
    what becomes of runs that are under way.
    """

    files: Mapping[str, str]
    expected_revision: Mapping[str, int] = field(default_factory=dict)
    plan_digest: str | None = None
    in_flight: Policy = "follow"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one declaration: `created`, `changed` or `unchanged`.

    `differences` are the members of a template or segment that changed.
    """

    id: str
    name: str
    status: str
    revision: int | None = None
    differences: Sequence[MemberDifference] = ()
    rewrite: Rewrite | None = None


@dataclass(frozen=True, slots=True)
class Deployed:
    """What became of a bundle; `known` are the names there are now."""

    templates: Sequence[Outcome]
    segments: Sequence[Outcome]
    workflows: Sequence[Outcome]
    diagnostics: Sequence[Json]
    known: Catalog


def deploy(
    session: Session, project_id: str, written: Written, bundle: Bundle, *, now: datetime
) -> Deployed:
    """Create or update everything the bundle declares, by name.

    InvalidFlow lists what the project makes impossible; Conflict when a workflow has moved on
    from its expected revision, or when this is no longer what the plan was made from. The same
    text again changes nothing.
    """
    located = flow_locating.locate(session, project_id, written, bundle.expected_revision)
    if bundle.plan_digest not in (
        None,
        flow_digests.digest(located, bundle.files, bundle.in_flight),
    ):
        raise Conflict(STALE, details={"planDigest": bundle.plan_digest})
    return carry_out(session, project_id, located, in_flight=bundle.in_flight, now=now)


def replace_one(
    session: Session,
    project_id: str,
    workflow_id: str,
    written: Written,
    *,
    expected: int | None,
    in_flight: Policy = "follow",
    now: datetime,
) -> Deployed:
    """Make one workflow what the text says, whatever its name is so far."""
    located = flow_locating.locate_one(session, project_id, workflow_id, written, expected)
    return carry_out(session, project_id, located, in_flight=in_flight, now=now)


def carry_out(
    session: Session, project_id: str, located: Located, *, in_flight: Policy, now: datetime
) -> Deployed:
    """Store everything, the things that others refer to first."""
    return _Deployment(session, project_id, located, in_flight, now).carry_out()


class _Deployment:
    """One bundle on its way into a project; what it creates gets known by name on the way."""

    def __init__(
        self,
        session: Session,
        project_id: str,
        located: Located,
        in_flight: Policy,
        now: datetime,
    ) -> None:
        self.session, self.project_id, self.located = session, project_id, located
        self.in_flight, self.now = in_flight, now
        self.written, self.targets = located.written, located.targets
        self.known: Catalog = located.targets.known

    def carry_out(self) -> Deployed:
        """Store everything, the things that others refer to first."""
        written = self.written
        templates = [self._template(declared) for declared in written.templates]
        made = self.known.templates.including({one.name: one.id for one in templates})
        self.known = replace(self.known, templates=made)
        segments = {at: self._segment(at) for at in flow_segments.in_order(written.segments)}
        workflows = [
            self._workflow(workflow, source)
            for workflow, source in zip(written.workflows, written.sources, strict=True)
        ]
        ordered = [segments[at] for at in sorted(segments)]
        return Deployed(templates, ordered, workflows, written.warnings, self.known)

    def _template(self, declared: Json) -> Outcome:
        shelf = self.targets.shelf
        differences = [
            one
            for stored in shelf.by_name.get(declared["name"], ())
            for one in member_differences.of_template(stored, declared)
        ]
        template, status = flow_templates.store(
            self.session, self.project_id, declared, shelf, now=self.now
        )
        return Outcome(template.id, template.name, status, differences=differences)

    def _segment(self, at: int) -> Outcome:
        declared = self.written.segments[at]
        stored = self.targets.segment({"name": declared["name"]})
        wanted = workflow_text.canonical_segment(renamed(declared, self.known.to_id))
        if any("name" in reference for _, reference in references(wanted)):
            message = "segments ask about each other's members in a circle"
            workflow_text.refuse([self.written.fault("segment", at, message)])
        told = member_differences.of_segment(stored, wanted, self.known) if stored else []
        try:
            segment, status = flow_segments.store(
                self.session, self.project_id, wanted, stored, now=self.now
            )
        except InvalidCondition as error:
            workflow_text.refuse([self.written.fault("segment", at, error.message)])
            raise
        made = self.known.segments.including({segment.name: segment.id})
        self.known = replace(self.known, segments=made)
        return Outcome(segment.id, segment.name, status, differences=told)

    def _workflow(self, workflow: Json, source: str) -> Outcome:
        graph = flow_texts.resolved(workflow, self.known)
        made = Made(source, self.now, self.in_flight)
        stored = self.located.stored.get(workflow["name"])
        if stored is None:
            target = flow_writing.create(self.session, self.project_id, graph, made)
            rewrite = Rewrite.of_new(graph)
            return Outcome(target.id, target.name, "created", target.revision, rewrite=rewrite)
        rewrite = flow_writing.write(self.session, stored, graph, made)
        target = stored.workflow
        status = "changed" if rewrite.changes else "unchanged"
        return Outcome(target.id, target.name, status, target.revision, rewrite=rewrite)
