"""Runs of workflows over HTTP."""

from __future__ import annotations

from flask import Blueprint

from plunk.http.endpoint import Answer, Call, Spec, endpoint
from plunk.schemas.executions import (
    CancelledOut,
    ExecutionInFullOut,
    ExecutionOut,
    ExecutionPageOut,
    RunQueryIn,
    StartIn,
    StepCountsOut,
)
from plunk.services import cancelling, starting
from plunk.services import executions as service
from plunk.services.executions import RunPath, RunQuery
from plunk.services.starting import Start

executions = Blueprint("executions", __name__, url_prefix="/workflows/<workflow_id>")


@endpoint(
    executions,
    "/executions",
    method="GET",
    spec=Spec(query=RunQueryIn(), answers={200: ExecutionPageOut()}, errors=(404,)),
)
def list_executions(call: Call, workflow_id: str, *, query: RunQuery) -> Answer:
    """List the runs of a workflow, newest first."""
    return service.page(call.session, call.project.id, workflow_id, query), 200


@endpoint(
    executions,
    "/executions",
    method="POST",
    spec=Spec(body=StartIn(), answers={201: ExecutionOut()}, errors=(400, 404, 409)),
)
def start_execution(call: Call, workflow_id: str, *, body: Start) -> Answer:
    """Send a contact through the workflow without an event."""
    return starting.start(call.session, call.project.id, workflow_id, body, now=call.now), 201


@endpoint(
    executions,
    "/executions/cancel-all",
    method="POST",
    spec=Spec(answers={200: CancelledOut()}, errors=(404,)),
)
def cancel_executions(call: Call, workflow_id: str) -> Answer:
    """Cancel every active run of the workflow."""
    cancelled = cancelling.cancel_all(call.session, call.project.id, workflow_id, now=call.now)
    return {"cancelled": cancelled}, 200


@endpoint(
    executions,
    "/executions/<execution_id>",
    method="GET",
    spec=Spec(answers={200: ExecutionInFullOut()}, errors=(404,)),
)
def show_execution(call: Call, workflow_id: str, execution_id: str) -> Answer:
    """Return one run with its timeline."""
    at = RunPath(workflow_id, execution_id)
    return service.show(call.session, call.project.id, at), 200


@endpoint(
    executions,
    "/executions/<execution_id>",
    method="DELETE",
    spec=Spec(answers={200: ExecutionOut()}, errors=(404, 409)),
)
def cancel_execution(call: Call, workflow_id: str, execution_id: str) -> Answer:
    """Cancel a run that has not ended; mails it has queued are still sent."""
    at = RunPath(workflow_id, execution_id)
    return cancelling.cancel(call.session, call.project.id, at, now=call.now), 200


@endpoint(
    executions,
    "/step-execution-counts",
    method="GET",
    spec=Spec(answers={200: StepCountsOut()}, errors=(404,)),
)
def count_executions(call: Call, workflow_id: str) -> Answer:
    """Tell how many active runs stand on each step."""
    return service.counts(call.session, call.project.id, workflow_id), 200
