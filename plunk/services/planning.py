"""Planning: what deploying a bundle would do, as data; nothing is stored.

A plan is a rehearsal: the deployment is carried out, looked at, and taken back. So it meets the
same objections, and says just what the deployment would do.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from plunk.services import deploying, flow_digests, flow_locating, flow_people
from plunk.services.deploying import Bundle, Deployed, Outcome
from plunk.services.flow_differences import (
    HeaderDifference,
    HeaderText,
    StepDifference,
    header_text,
    headers_of,
    steps_of,
)
from plunk.services.in_flight import Policy
from plunk.services.member_differences import MemberDifference
from plunk.services.workflow_text import Json, Written


@dataclass(frozen=True, slots=True)
class PlannedThing:
    """What would become of a template or segment, and which members of it would change."""

    id: str | None
    name: str
    status: str
    changes: Sequence[str]
    differences: Sequence[MemberDifference]


@dataclass(frozen=True, slots=True)
class PlannedWorkflow:
    """What would become of a workflow; a new one has no id and no revision yet."""

    id: str | None
    name: str
    status: str
    revision: int | None
    headers: Sequence[HeaderDifference]
    header_text: HeaderText
    steps: Sequence[StepDifference]


@dataclass(frozen=True, slots=True)
class Plan:
    """What a deployment would do; `digest` stands for it and for the state it was made from."""

    digest: str
    in_flight: Policy
    diagnostics: Sequence[Json]
    templates: Sequence[PlannedThing]
    segments: Sequence[PlannedThing]
    workflows: Sequence[PlannedWorkflow]


def plan(
    session: Session, project_id: str, written: Written, bundle: Bundle, *, now: datetime
) -> Plan:
    """Say what deploying the bundle would do; it is refused for what deploying would be."""
    with session.begin_nested() as rehearsal:
        located = flow_locating.locate(
            session, project_id, written, bundle.expected_revision, is_rehearsal=True
        )
        digest = flow_digests.digest(located, bundle.files, bundle.in_flight)
        revisions = {one.id: one.revision for one in located.workflows.values()}
        deployed = deploying.carry_out(
            session, project_id, located, in_flight=bundle.in_flight, now=now
        )
        rehearsal.rollback()
    people = flow_people.standing(session, revisions)  # nobody waits for us any more
    return Plan(
        digest=digest,
        in_flight=bundle.in_flight,
        diagnostics=deployed.diagnostics,
        templates=[_thing(one) for one in deployed.templates],
        segments=[_thing(one) for one in deployed.segments],
        workflows=[_workflow(one, deployed, revisions, people) for one in deployed.workflows],
    )


def _thing(one: Outcome) -> PlannedThing:
    names = [difference.name for difference in one.differences]
    return PlannedThing(_id(one), one.name, one.status, names, one.differences)


def _workflow(
    one: Outcome, deployed: Deployed, revisions: Mapping[str, int], people: Mapping[str, int]
) -> PlannedWorkflow:
    headers: Sequence[HeaderDifference] = ()
    text = HeaderText()
    steps: Sequence[StepDifference] = ()
    if one.rewrite is not None:
        headers = headers_of(one.rewrite, deployed.known)
        text = header_text(one.rewrite, deployed.known)
        steps = steps_of(one.rewrite, deployed.known, people)
    revision = revisions.get(one.id)
    return PlannedWorkflow(_id(one), one.name, one.status, revision, headers, text, steps)


def _id(one: Outcome) -> str | None:
    """Return the id of what exists; what the rehearsal made is gone again."""
    return None if one.status == "created" else one.id
