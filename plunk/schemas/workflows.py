"""Workflows and their graphs, coming in and going out."""

from __future__ import annotations

import json
from typing import Any

from marshmallow import Schema, post_load, pre_dump

from plunk.paging import PageRequest
from plunk.schemas.fields import (
    AnyJson,
    Choice,
    Flag,
    IdText,
    Input,
    JsonObject,
    ListOf,
    Query,
    Sub,
    Text,
    Time,
    Whole,
)
from plunk.schemas.pages import PageOut, PageQueryIn, columns_of
from plunk.schemas.problems import at, problem
from plunk.schemas.workflow_headers import (
    GOALS,
    MAX_ITEMS,
    QUIET,
    STOPS,
    TIMEZONE,
    GoalIn,
    GoalOut,
    QuietHoursIn,
    QuietHoursOut,
    TimezoneIn,
    TimezoneOut,
    WatchIn,
    WatchOut,
)
from plunk.services.step_removal import Removal
from plunk.services.triggers import MAX_EVENT_NAME
from plunk.services.workflow_edges import OUTCOMES, EdgeDraft
from plunk.services.workflow_list import Listed, WorkflowQuery
from plunk.services.workflow_steps import TYPES, StepChange, StepDraft
from plunk.services.workflows import KINDS, StepView, WorkflowChange, WorkflowDraft, WorkflowView

MAX_NAME, MAX_DESCRIPTION, MAX_BRANCH = 100, 500, 100
MAX_CONFIG_BYTES = 64 * 1024
MAX_POSITION_BYTES, MAX_POSITION_DEPTH = 2 * 1024, 8
MAX_BULK = 1_000
# Documented as required; its absence has a message of its own.
NEEDED = {"needed": True}
NEEDED_TEXT = {**NEEDED, "minLength": 1}
NEEDED_ID = {**NEEDED, "format": "uuid"}
SORTS = {"name", "createdAt", "updatedAt", "steps"}


class Position(AnyJson):
    """Where a step stands on the canvas: any small JSON value."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Any:
        if len(json.dumps(value)) > MAX_POSITION_BYTES:
            raise problem(f"Position must take at most {MAX_POSITION_BYTES} bytes", "too_big")
        if _depth(value) > MAX_POSITION_DEPTH:
            message = f"Position must be nested at most {MAX_POSITION_DEPTH} deep"
            raise problem(message, "too_big")
        return super()._deserialize(value, attr, data, **kwargs)


def _depth(value: object) -> int:
    match value:
        case dict():
            return 1 + max(map(_depth, value.values()), default=0)
        case list():
            return 1 + max(map(_depth, value), default=0)
    return 0


class Guarded(Input):
    """A change that may name the revision it was made against."""

    expectedRevision = Whole(attribute="expected_revision", allow_none=True)


class GuardIn(Input):
    """The revision a removal was decided on, in the query string."""

    expectedRevision = Text(metadata={"type": "integer", "minimum": 0})

    @post_load
    def make(self, values: dict[str, Any], **_: object) -> int | None:
        """Return the number; a text that is none is an error, or it would guard nothing."""
        text = values.get("expectedRevision")
        if text is None:
            return None
        if not (text.isascii() and text.isdecimal() and len(text) <= len(str(2**31))):
            raise at("expectedRevision", "Expected a revision number", "invalid_type")
        return int(text)


class WorkflowDraftIn(Input):
    """A workflow to create; `name` and `eventName` are required."""

    makes = WorkflowDraft
    name = Text(high=MAX_NAME, allow_none=True, metadata=NEEDED_TEXT)
    eventName = Text(
        high=MAX_EVENT_NAME, attribute="event_name", allow_none=True, metadata=NEEDED_TEXT
    )
    description = Text(high=MAX_DESCRIPTION, allow_none=True)
    enabled = Flag()
    allowReentry = Flag(attribute="allow_reentry")
    stops = ListOf(Sub(WatchIn), high=MAX_ITEMS, allow_none=True, metadata=STOPS)
    goals = ListOf(Sub(GoalIn), high=MAX_ITEMS, allow_none=True, metadata=GOALS)
    timezone = Sub(TimezoneIn, allow_none=True, metadata=TIMEZONE)
    quietHours = Sub(QuietHoursIn, attribute="quiet_hours", allow_none=True, metadata=QUIET)


class WorkflowChangeIn(Guarded):
    """What to change about a workflow; `eventName` is short for a `triggerConfig`."""

    makes = WorkflowChange
    name = Text(low=1, high=MAX_NAME)
    description = Text(high=MAX_DESCRIPTION, allow_none=True)
    triggerType = Choice(*KINDS, attribute="trigger_type")
    triggerConfig = JsonObject(
        max_bytes=MAX_CONFIG_BYTES, attribute="trigger_config", allow_none=True
    )
    eventName = Text(low=1, high=MAX_EVENT_NAME, attribute="event_name")
    enabled = Flag()
    allowReentry = Flag(attribute="allow_reentry")
    stops = ListOf(Sub(WatchIn), high=MAX_ITEMS, allow_none=True, metadata=STOPS)
    goals = ListOf(Sub(GoalIn), high=MAX_ITEMS, allow_none=True, metadata=GOALS)
    timezone = Sub(TimezoneIn, allow_none=True, metadata=TIMEZONE)
    quietHours = Sub(QuietHoursIn, attribute="quiet_hours", allow_none=True, metadata=QUIET)


class WorkflowQueryIn(PageQueryIn):
    """Which workflows to list; what cannot be read is ignored."""

    search = Query(lambda text: text or None)
    status = Query(lambda text: text or None)
    sort = Query(
        lambda text: text if text in SORTS else "createdAt", metadata={"enum": sorted(SORTS)}
    )
    dir = Query(
        lambda text: text if text in {"asc", "desc"} else "desc", metadata={"enum": ["asc", "desc"]}
    )

    @post_load
    def make(self, values: dict[str, Any], **_: object) -> WorkflowQuery:
        """Return the query with its page and its direction."""
        paging = PageRequest(values.pop("page"), values.pop("page_size"))
        direction = values.pop("dir")
        return WorkflowQuery(paging, **values, descending=direction == "desc")


class BulkIn(Input):
    """Workflows to change together; so far they can only be deleted."""

    ids = ListOf(IdText(), low=1, high=MAX_BULK, required=True)
    delete = Flag(load_default=False)


class ForceIn(Input):
    """Whether active runs are cancelled rather than respected."""

    force = Query(lambda text: text == "true")


class FieldsIn(Input):
    """The event whose data is asked about."""

    eventName = Query(lambda text: text or None, attribute="event_name")


class StepDraftIn(Guarded):
    """A step to add; `type`, `name`, `position` and `config` are required.

    DELAY also takes {"until": {"time", "offset", "whenPast"}} or {"until": {"timeOfDay", "days"}};
    WAIT_FOR_EVENT {"condition", "timeout"}; SPLIT {"branches": [{"id", "name", "weight"}]} with
    weights up to 100 together, the rest goes the branch `default`; TRACK {"eventName", "data"};
    SEGMENT {"action": "add" | "remove", "segmentId"}.
    """

    makes = StepDraft
    type = Choice(*TYPES, allow_none=True, metadata=NEEDED)
    name = Text(high=MAX_NAME, allow_none=True, metadata=NEEDED_TEXT)
    position = Position(allow_none=True, metadata=NEEDED)
    config = JsonObject(max_bytes=MAX_CONFIG_BYTES, allow_none=True, metadata=NEEDED)
    templateId = IdText(attribute="template_id", allow_none=True)
    autoConnect = Flag(attribute="auto_connect")


class StepChangeIn(Guarded):
    """What to change about a step; a null templateId takes the template away."""

    makes = StepChange
    name = Text(low=1, high=MAX_NAME)
    position = Position()
    config = JsonObject(max_bytes=MAX_CONFIG_BYTES)
    templateId = IdText(attribute="template_id", allow_none=True)


class RemovalIn(GuardIn):
    """What happens around a removed step: `splice` joins its neighbours, `cascade` follows it."""

    splice = Query(lambda text: text == "true")
    cascade = Query(lambda text: text == "true")

    @post_load
    def make(self, values: dict[str, Any], **kwargs: object) -> dict[str, Any]:
        """Return how to remove, and the expected revision."""
        if values["splice"] and values["cascade"]:
            raise at("splice", "splice and cascade exclude each other")
        how = Removal.SPLICE if values["splice"] else Removal.PLAIN
        how = Removal.CASCADE if values["cascade"] else how
        return {"how": how, "expected": super().make(values, **kwargs)}


class EdgeDraftIn(Guarded):
    """An edge to add; `branch` is short for a condition with that branch."""

    makes = EdgeDraft
    fromStepId = Text(attribute="from_step_id", allow_none=True, metadata=NEEDED_ID)
    toStepId = Text(attribute="to_step_id", allow_none=True, metadata=NEEDED_ID)
    condition = JsonObject(max_bytes=MAX_CONFIG_BYTES, allow_none=True)
    branch = Text(low=1, high=MAX_BRANCH, allow_none=True)
    waitOutcome = Choice(*OUTCOMES, attribute="wait_outcome", allow_none=True)
    priority = Whole()


class WorkflowOut(Schema):
    """A workflow."""

    id = IdText()
    projectId = IdText(attribute="project_id")
    name = Text()
    description = Text(allow_none=True)
    enabled = Flag()
    triggerType = Choice(*KINDS, attribute="trigger_type")
    triggerConfig = JsonObject(attribute="trigger_config", allow_none=True)
    allowReentry = Flag(attribute="allow_reentry")
    stops = ListOf(Sub(WatchOut), attribute="headers.stops", dump_default=[], metadata=STOPS)
    goals = ListOf(Sub(GoalOut), attribute="headers.goals", dump_default=[], metadata=GOALS)
    timezone = Sub(
        TimezoneOut,
        attribute="headers.timezone",
        dump_default=None,
        allow_none=True,
        metadata=TIMEZONE,
    )
    quietHours = Sub(
        QuietHoursOut,
        attribute="headers.quietHours",
        dump_default=None,
        allow_none=True,
        metadata=QUIET,
    )
    revision = Whole()
    createdAt = Time(attribute="created_at")
    updatedAt = Time(attribute="updated_at")


class NameOut(Schema):
    """Something's name."""

    name = Text()


class WorkflowChangedOut(WorkflowOut):
    """A workflow after a change, with the name of its project."""

    project = Sub(NameOut)

    @pre_dump
    def flatten(self, changed: dict[str, Any], **_: object) -> dict[str, Any]:
        """Put the workflow's own members beside the project."""
        return {**columns_of(changed["workflow"]), "project": {"name": changed["project"]}}


class CountsOut(Schema):
    """How much belongs to a workflow."""

    steps = Whole()
    executions = Whole()


class WorkflowListedOut(WorkflowOut):
    """A workflow in a list."""

    _count = Sub(CountsOut)

    @pre_dump
    def flatten(self, listed: Listed, **_: object) -> dict[str, Any]:
        """Put the workflow's own members beside the counts."""
        counts = {"steps": listed.steps, "executions": listed.executions}
        return {**columns_of(listed.workflow), "_count": counts}


class WorkflowPageOut(PageOut):
    """A page of workflows."""

    data = ListOf(Sub(WorkflowListedOut), attribute="items")


class TransitionOut(Schema):
    """An edge from one step to another."""

    id = IdText()
    fromStepId = IdText(attribute="from_step_id")
    toStepId = IdText(attribute="to_step_id")
    condition = JsonObject(allow_none=True)
    priority = Whole()
    waitOutcome = Choice(*OUTCOMES, attribute="wait_outcome", allow_none=True)
    createdAt = Time(attribute="created_at")
    updatedAt = Time(attribute="updated_at")


class StepOut(Schema):
    """A step."""

    id = IdText()
    workflowId = IdText(attribute="workflow_id")
    type = Choice(*TYPES)
    name = Text()
    position = AnyJson(allow_none=True)
    config = JsonObject()
    templateId = IdText(attribute="template_id", allow_none=True)
    createdAt = Time(attribute="created_at")
    updatedAt = Time(attribute="updated_at")


class TemplateNameOut(NameOut):
    """A template by its name."""

    id = IdText()


class StepInGraphOut(StepOut):
    """A step with its edges."""

    template = Sub(TemplateNameOut, allow_none=True)
    outgoingTransitions = ListOf(Sub(TransitionOut), attribute="outgoing")
    incomingTransitions = ListOf(Sub(TransitionOut), attribute="incoming")

    @pre_dump
    def flatten(self, view: StepView, **_: object) -> dict[str, Any]:
        """Put the step's own members beside its edges."""
        return {
            **columns_of(view.step),
            "template": view.template,
            "outgoing": view.outgoing,
            "incoming": view.incoming,
        }


class WorkflowInFullOut(WorkflowOut):
    """A workflow with its graph."""

    steps = ListOf(Sub(StepInGraphOut))

    @pre_dump
    def flatten(self, view: WorkflowView, **_: object) -> dict[str, Any]:
        """Put the workflow's own members beside its steps."""
        return {**columns_of(view.workflow), "steps": view.steps}


class BulkOut(Schema):
    """How many workflows were deleted, or changed otherwise."""

    deleted = Whole(metadata={"optional": True})
    updated = Whole(metadata={"optional": True})


class FieldOut(Schema):
    """A field that conditions can ask about."""

    field = Text()
    type = Choice("string", "number", "boolean", "date")
    category = Text()


class FieldsOut(Schema):
    """The fields that conditions can ask about."""

    names = ListOf(Text(), data_key="fields")
    typedFields = ListOf(Sub(FieldOut), attribute="typed")
    count = Whole()
