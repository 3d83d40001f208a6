"""Runs of workflows over HTTP."""

from __future__ import annotations

from flask import Blueprint

from plunk.http.endpoint import Answer, Call, Spec, endpoint
from plunk.http.runtime import runtime
from plunk.schemas.executions import (
    CancelledOut,
    ExecutionInFullOut,
    ExecutionListedOut,
    ExecutionOut,
    ExecutionPageOut,
    RunQueryIn,
    StartIn,
    StepCountsOut,
)
from plunk.schemas.repairs import MoveIn, RepairedOut, RepairManyIn, RetryIn, SkipIn
from plunk.services import cancelling, repairing, starting
from plunk.services import executions as service
from plunk.services.executions import RunPath, RunQuery
from plunk.services.repairing import Choice, Order
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
    """Cancel every active run of the workflow, a batch in each transaction."""
    total = 0
    while cancelled := cancelling.cancel_some(
        call.session, call.project.id, workflow_id, now=runtime().clock.now()
    ):
        total += cancelled
        call.session.commit()
    return {"cancelled": total}, 200


@endpoint(
    executions,
    "/executions/repair",
    method="POST",
    spec=Spec(body=RepairManyIn(), answers={200: RepairedOut()}, errors=(400, 404, 409)),
)
def repair_executions(call: Call, workflow_id: str, *, body: Choice) -> Answer:
    """Retry, skip or move a batch of runs, the oldest first, or count them with `dryRun`.

    A batch is one short transaction. Runs that are not in a state for it are told and left alone.
    """
    return repairing.repair_many(
        call.session, call.project.id, workflow_id, body, now=call.now
    ), 200


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
    "/executions/<execution_id>/retry",
    method="POST",
    spec=Spec(body=RetryIn(), answers={200: ExecutionListedOut()}, errors=(404, 409)),
)
def retry_execution(call: Call, workflow_id: str, execution_id: str, *, body: Order) -> Answer:
    """Try the step again at which a run has failed; it goes on from there."""
    return _repaired(call, RunPath(workflow_id, execution_id), body)


@endpoint(
    executions,
    "/executions/<execution_id>/skip",
    method="POST",
    spec=Spec(body=SkipIn(), answers={200: ExecutionListedOut()}, errors=(404, 409)),
)
def skip_execution(call: Call, workflow_id: str, execution_id: str, *, body: Order) -> Answer:
    """Let a run go on from where it waits: a delay, an event, a condition or a web hook.

    A wait ends as with its time-out, unless `outcome` says `EVENT`.
    """
    return _repaired(call, RunPath(workflow_id, execution_id), body)


@endpoint(
    executions,
    "/executions/<execution_id>/move",
    method="POST",
    spec=Spec(body=MoveIn(), answers={200: ExecutionListedOut()}, errors=(404, 409)),
)
def move_execution(call: Call, workflow_id: str, execution_id: str, *, body: Order) -> Answer:
    """Let a run that is under way or has failed go on with any step of the workflow.

    A pinned run can only be moved within its own revision.
    """
    return _repaired(call, RunPath(workflow_id, execution_id), body)


@endpoint(
    executions,
    "/step-execution-counts",
    method="GET",
    spec=Spec(answers={200: StepCountsOut()}, errors=(404,)),
)
def count_executions(call: Call, workflow_id: str) -> Answer:
    """Tell how many active runs stand on each step."""
    return service.counts(call.session, call.project.id, workflow_id), 200


def _repaired(call: Call, at: RunPath, order: Order) -> Answer:
    repairing.repair(call.session, call.project.id, at, order, now=call.now)
    return service.view(call.session, call.project.id, at), 200
