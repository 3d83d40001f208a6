"""Runs of workflows, coming in and going out."""

from __future__ import annotations

from typing import Any

from marshmallow import INCLUDE, Schema, post_dump, post_load, pre_dump, pre_load

from plunk.paging import PageRequest
from plunk.schemas.fields import (
    Choice,
    Flag,
    IdText,
    Input,
    JsonObject,
    ListOf,
    Sub,
    Text,
    Time,
    Whole,
)
from plunk.schemas.pages import PageQueryIn, columns_of
from plunk.schemas.workflows import NEEDED, StepOut, WorkflowOut
from plunk.services.executions import ASKED, STATUSES, VISITS, RunDetail, RunQuery, RunView
from plunk.services.starting import Start
from plunk.services.workflow_steps import TYPES

OPTIONAL = {"optional": True}
MAX_CONTEXT_BYTES = 256 * 1024


class StartIn(Input):
    """Whom to send through the workflow; `contactId` is required."""

    makes = Start
    contactId = IdText(attribute="contact_id", allow_none=True, metadata=NEEDED)
    context = JsonObject(max_bytes=MAX_CONTEXT_BYTES, allow_none=True)


class RunQueryIn(PageQueryIn):
    """Which runs to list."""

    status = Choice(*ASKED)

    @pre_load
    def drop_empty(self, values: dict[str, Any], **_: object) -> dict[str, Any]:
        """Read `status=` as no status."""
        return {name: value for name, value in values.items() if value}

    @post_load
    def make(self, values: dict[str, Any], **_: object) -> RunQuery:
        """Return the query with its page."""
        paging = PageRequest(values["page"], values["page_size"])
        return RunQuery(paging, values.get("status"))


class ExecutionOut(Schema):
    """A run."""

    id = IdText()
    workflowId = IdText(attribute="workflow_id")
    contactId = IdText(attribute="contact_id", allow_none=True)
    status = Choice(*STATUSES)
    currentStepId = IdText(attribute="current_step_id", allow_none=True)
    exitReason = Text(attribute="exit_reason", allow_none=True)
    context = JsonObject(allow_none=True)
    startedAt = Time(attribute="started_at")
    completedAt = Time(attribute="completed_at", allow_none=True)
    createdAt = Time(attribute="created_at")
    updatedAt = Time(attribute="updated_at")


class ContactNameOut(Schema):
    """A contact by its address."""

    id = IdText()
    email = Text()


class StepNameOut(Schema):
    """A step by its name."""

    id = IdText()
    name = Text()
    type = Choice(*TYPES)


class ExecutionListedOut(ExecutionOut):
    """A run in a list."""

    contact = Sub(ContactNameOut, allow_none=True)
    currentStep = Sub(StepNameOut, attribute="step", allow_none=True)
    pinned = Flag(metadata=OPTIONAL)

    @pre_dump
    def flatten(self, view: RunView, **_: object) -> dict[str, Any]:
        """Put the run's own members beside its contact and step."""
        around = {"contact": view.contact, "step": view.step, **_pinned(view)}
        return {**columns_of(view.run), **around}


class ExecutionPageOut(Schema):
    """A page of runs."""

    executions = ListOf(Sub(ExecutionListedOut), attribute="items")
    total = Whole()
    page = Whole()
    pageSize = Whole(attribute="page_size")
    totalPages = Whole(attribute="total_pages")


class VisitOut(Schema):
    """One visit of a run to a step."""

    id = IdText()
    executionId = IdText(attribute="execution_id")
    stepId = IdText(attribute="step_id")
    status = Choice(*VISITS)
    scheduledFor = Time(attribute="scheduled_for", allow_none=True)
    executeAfter = Time(attribute="execute_after", allow_none=True)
    output = JsonObject(allow_none=True)
    error = Text(allow_none=True)
    startedAt = Time(attribute="started_at", allow_none=True)
    completedAt = Time(attribute="completed_at", allow_none=True)
    createdAt = Time(attribute="created_at")
    updatedAt = Time(attribute="updated_at")
    step = Sub(StepNameOut)


class ExecutionInFullOut(ExecutionOut):
    """A run with its timeline."""

    workflow = Sub(WorkflowOut)
    contact = Sub(ContactNameOut, allow_none=True)
    currentStep = Sub(StepOut, attribute="step", allow_none=True)
    pinned = Flag(metadata=OPTIONAL)
    stepExecutions = ListOf(Sub(VisitOut), attribute="visits")

    @pre_dump
    def flatten(self, detail: RunDetail, **_: object) -> dict[str, Any]:
        """Put the run's own members beside everything around it."""
        return {
            **columns_of(detail.view.run),
            "workflow": detail.workflow,
            "contact": detail.view.contact,
            "step": detail.view.step,
            **_pinned(detail.view),
            "visits": [{**columns_of(visit), "step": step} for visit, step in detail.visits],
        }


def _pinned(view: RunView) -> dict[str, bool]:
    """Say that a run is pinned; of all others there is nothing to say."""
    return {"pinned": True} if view.is_pinned else {}


class CancelledOut(Schema):
    """How many runs were cancelled."""

    cancelled = Whole()


class StepCountsOut(Schema):
    """The number of active runs by the id of the step they stand on."""

    class Meta:
        """Any step id may occur."""

        unknown = INCLUDE

    @post_dump(pass_original=True)
    def keep(self, _dumped: object, counts: dict[str, int], **_: object) -> dict[str, int]:
        """Return the numbers as they are."""
        return counts
