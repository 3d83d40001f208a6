"""Workflows and their graphs over HTTP."""

from __future__ import annotations

from typing import Any

from flask import Blueprint

from plunk.http.endpoint import Answer, Call, Spec, endpoint
from plunk.schemas.workflows import (
    BulkIn,
    BulkOut,
    EdgeDraftIn,
    FieldsIn,
    FieldsOut,
    ForceIn,
    GuardIn,
    RemovalIn,
    StepChangeIn,
    StepDraftIn,
    StepOut,
    TransitionOut,
    WorkflowChangedOut,
    WorkflowChangeIn,
    WorkflowDraftIn,
    WorkflowInFullOut,
    WorkflowOut,
    WorkflowPageOut,
    WorkflowQueryIn,
)
from plunk.services import (
    step_removal,
    workflow_copies,
    workflow_edges,
    workflow_fields,
    workflow_list,
    workflow_removal,
    workflow_steps,
)
from plunk.services import workflows as service
from plunk.services.workflow_edges import EdgeDraft, EdgePath
from plunk.services.workflow_list import WorkflowQuery
from plunk.services.workflow_steps import StepChange, StepDraft, StepPath
from plunk.services.workflows import WorkflowChange, WorkflowDraft

workflows = Blueprint("workflows", __name__, url_prefix="/workflows")


@endpoint(
    workflows,
    "",
    method="GET",
    spec=Spec(query=WorkflowQueryIn(), answers={200: WorkflowPageOut()}),
)
def list_workflows(call: Call, *, query: WorkflowQuery) -> Answer:
    """List workflows, newest first unless told otherwise, with their numbers of steps and runs."""
    return workflow_list.page(call.session, call.project.id, query), 200


@endpoint(
    workflows,
    "/fields",
    method="GET",
    spec=Spec(query=FieldsIn(), answers={200: FieldsOut()}),
)
def list_fields(call: Call, *, query: dict[str, str | None]) -> Answer:
    """List the fields that conditions can ask about, with their types."""
    found = workflow_fields.known(call.session, call.project.id, **query)
    names = [one.field for one in found]
    return {"names": names, "typed": found, "count": len(found)}, 200


@endpoint(
    workflows,
    "",
    method="POST",
    spec=Spec(body=WorkflowDraftIn(), answers={201: WorkflowOut()}, errors=(400,)),
)
def create_workflow(call: Call, *, body: WorkflowDraft) -> Answer:
    """Create a workflow that an event starts; it is switched off unless told otherwise."""
    return service.create(call.session, call.project.id, body, now=call.now), 201


@endpoint(
    workflows,
    "/bulk-update",
    method="POST",
    spec=Spec(body=BulkIn(), answers={200: BulkOut()}, errors=(404, 409)),
)
def update_workflows(call: Call, *, body: dict[str, Any]) -> Answer:
    """Delete up to 1,000 workflows, all of them or none."""
    if not body["delete"]:
        return {"updated": 0}, 200
    removed = workflow_removal.remove_all(call.session, call.project.id, body["ids"])
    return {"deleted": removed}, 200


@endpoint(
    workflows,
    "/<workflow_id>",
    method="GET",
    spec=Spec(answers={200: WorkflowInFullOut()}, errors=(404,)),
)
def show_workflow(call: Call, workflow_id: str) -> Answer:
    """Return one workflow with its steps and edges."""
    return service.show(call.session, call.project.id, workflow_id), 200


@endpoint(
    workflows,
    "/<workflow_id>",
    method="PATCH",
    spec=Spec(body=WorkflowChangeIn(), answers={200: WorkflowChangedOut()}, errors=(404, 409)),
)
def change_workflow(call: Call, workflow_id: str, *, body: WorkflowChange) -> Answer:
    """Change a workflow; its trigger stays as it is while it is enabled and has active runs."""
    changed = service.change(call.session, call.project.id, workflow_id, body, now=call.now)
    return {"workflow": changed, "project": call.project.name}, 200


@endpoint(
    workflows,
    "/<workflow_id>",
    method="DELETE",
    spec=Spec(query=ForceIn(), answers={204: None}, errors=(404, 409)),
)
def delete_workflow(call: Call, workflow_id: str, *, query: dict[str, bool]) -> Answer:
    """Delete a workflow with its history; with active runs only when `force` is true."""
    workflow_removal.remove(
        call.session, call.project.id, workflow_id, force=query["force"], now=call.now
    )
    return None, 204


@endpoint(
    workflows,
    "/<workflow_id>/duplicate",
    method="POST",
    spec=Spec(answers={201: WorkflowOut()}, errors=(404,)),
)
def duplicate_workflow(call: Call, workflow_id: str) -> Answer:
    """Copy a workflow with its steps and edges; the copy is switched off."""
    copied = workflow_copies.duplicate(call.session, call.project.id, workflow_id, now=call.now)
    return copied, 201


@endpoint(
    workflows,
    "/<workflow_id>/steps",
    method="POST",
    spec=Spec(body=StepDraftIn(), answers={201: StepOut()}, errors=(400, 404, 409)),
)
def add_step(call: Call, workflow_id: str, *, body: StepDraft) -> Answer:
    """Add a step, connected to the newest loose end unless `autoConnect` is false."""
    return workflow_steps.add(call.session, call.project.id, workflow_id, body, now=call.now), 201


@endpoint(
    workflows,
    "/<workflow_id>/steps/<step_id>",
    method="PATCH",
    spec=Spec(body=StepChangeIn(), answers={200: StepOut()}, errors=(404, 409)),
)
def change_step(call: Call, workflow_id: str, step_id: str, *, body: StepChange) -> Answer:
    """Change a step; what it does stays while the workflow is enabled and has active runs."""
    at = StepPath(workflow_id, step_id)
    return workflow_steps.change(call.session, call.project.id, at, body, now=call.now), 200


@endpoint(
    workflows,
    "/<workflow_id>/steps/<step_id>",
    method="DELETE",
    spec=Spec(query=RemovalIn(), answers={204: None}, errors=(400, 404, 409)),
)
def delete_step(call: Call, workflow_id: str, step_id: str, *, query: dict[str, Any]) -> Answer:
    """Remove a step and its edges; `splice` joins its neighbours, `cascade` follows it down."""
    at = StepPath(workflow_id, step_id)
    step_removal.remove(call.session, call.project.id, at, **query, now=call.now)
    return None, 204


@endpoint(
    workflows,
    "/<workflow_id>/transitions",
    method="POST",
    spec=Spec(body=EdgeDraftIn(), answers={201: TransitionOut()}, errors=(400, 404, 409)),
)
def add_transition(call: Call, workflow_id: str, *, body: EdgeDraft) -> Answer:
    """Connect two steps; cycles and a second edge out of a step without branches are refused."""
    edge = workflow_edges.connect(call.session, call.project.id, workflow_id, body, now=call.now)
    return edge, 201


@endpoint(
    workflows,
    "/<workflow_id>/transitions/<transition_id>",
    method="DELETE",
    spec=Spec(query=GuardIn(), answers={204: None}, errors=(404, 409)),
)
def delete_transition(
    call: Call, workflow_id: str, transition_id: str, *, query: int | None
) -> Answer:
    """Remove an edge; the steps at its ends stay."""
    at = EdgePath(workflow_id, transition_id)
    workflow_edges.disconnect(call.session, call.project.id, at, expected=query, now=call.now)
    return None, 204


@endpoint(
    workflows,
    "/<workflow_id>/transitions/<transition_id>/insert-step",
    method="POST",
    spec=Spec(body=StepDraftIn(), answers={201: StepOut()}, errors=(400, 404, 409)),
)
def insert_step(call: Call, workflow_id: str, transition_id: str, *, body: StepDraft) -> Answer:
    """Put a step into an edge."""
    at = EdgePath(workflow_id, transition_id)
    return workflow_steps.insert(call.session, call.project.id, at, body, now=call.now), 201
