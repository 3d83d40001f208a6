"""`.flow` texts over HTTP."""

from __future__ import annotations

from typing import Any

from flask import Blueprint

from plunk.http.endpoint import Answer, Call, Spec, endpoint
from plunk.schemas.flow_plans import PlanOut
from plunk.schemas.flows import (
    BundleIn,
    CheckedOut,
    DeployedOut,
    DeployIn,
    FlowIn,
    FlowOut,
    PlanIn,
    PulledOut,
    PullQueryIn,
)
from plunk.schemas.simulations import SimulatedOut, SimulateIn
from plunk.services import (
    deploying,
    flow_bundle,
    flow_checking,
    flow_names,
    flow_texts,
    planning,
    simulating,
    workflow_text,
)
from plunk.services.deploying import Bundle
from plunk.services.simulating import Scenario

flows = Blueprint("flows", __name__)
LIMIT = 20 * 1024 * 1024


@endpoint(
    flows,
    "/flows/check",
    method="POST",
    spec=Spec(body=BundleIn(), answers={200: CheckedOut()}, body_limit=LIMIT),
)
def check_flows(call: Call, *, body: dict[str, dict[str, str]]) -> Answer:
    """List everything that is wrong or doubtful in a bundle; nothing is stored."""
    known = flow_names.catalog(call.session, call.project.id)
    call.session.rollback()  # reading a text takes time that no other writer should wait for
    found = flow_checking.check(
        body["files"], known.templates.known.names, known.segments.known.names
    )
    return {"diagnostics": found, "valid": workflow_text.is_valid(found)}, 200


@endpoint(
    flows,
    "/flows/plan",
    method="POST",
    spec=Spec(body=PlanIn(), answers={200: PlanOut()}, body_limit=LIMIT, errors=(409,)),
)
def plan_flows(call: Call, *, body: Bundle) -> Answer:
    """Say what deploying a bundle would do, and how many people stand where; nothing is stored."""
    call.session.rollback()
    written = workflow_text.read(body.files)
    return planning.plan(call.session, call.project.id, written, body, now=call.now), 200


@endpoint(
    flows,
    "/flows/deploy",
    method="POST",
    spec=Spec(body=DeployIn(), answers={200: DeployedOut()}, body_limit=LIMIT, errors=(409,)),
)
def deploy_flows(call: Call, *, body: Bundle) -> Answer:
    """Create or update templates, segments and workflows by name, all of the bundle or none."""
    call.session.rollback()
    written = workflow_text.read(body.files)
    return deploying.deploy(call.session, call.project.id, written, body, now=call.now), 200


@endpoint(
    flows,
    "/flows/simulate",
    method="POST",
    spec=Spec(body=SimulateIn(), answers={200: SimulatedOut()}, body_limit=LIMIT, errors=(400,)),
)
def simulate_flows(call: Call, *, body: Scenario) -> Answer:
    """Play what texts, or the project's own workflows, would do to one contact; store nothing."""
    files = simulating.cast(call.session, call.project.id, body.files)
    call.session.rollback()
    return simulating.play(workflow_text.read(files), body, now=call.now), 200


@endpoint(
    flows,
    "/flows/bundle",
    method="GET",
    spec=Spec(query=PullQueryIn(), answers={200: PulledOut()}, errors=(404,)),
)
def pull_flows(call: Call, *, query: list[str] | None) -> Answer:
    """Return the project's workflows, templates and segments as files that deploy as a no-op."""
    return flow_bundle.pull(call.session, call.project.id, query), 200


@endpoint(
    flows,
    "/workflows/<workflow_id>/flow",
    method="GET",
    spec=Spec(answers={200: FlowOut()}, errors=(404, 409)),
)
def show_flow(call: Call, workflow_id: str) -> Answer:
    """Return a workflow as text; 409 when it is too large for one file."""
    return flow_texts.show(call.session, call.project.id, workflow_id), 200


@endpoint(
    flows,
    "/workflows/<workflow_id>/flow",
    method="PUT",
    spec=Spec(body=FlowIn(), answers={200: DeployedOut()}, body_limit=LIMIT, errors=(404, 409)),
)
def replace_flow(call: Call, workflow_id: str, *, body: dict[str, Any]) -> Answer:
    """Make a workflow what a text says; steps that stay keep their runs."""
    call.session.rollback()
    written = workflow_text.read(body["files"])
    replaced = deploying.replace_one(
        call.session,
        call.project.id,
        workflow_id,
        written,
        expected=body["expected"],
        in_flight=body["in_flight"],
        now=call.now,
    )
    return replaced, 200
