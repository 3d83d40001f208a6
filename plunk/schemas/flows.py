"""`.flow` texts and their diagnostics, coming in and going out."""

from __future__ import annotations

from typing import Any

from marshmallow import Schema, post_load

from plunk.schemas.fields import (
    Choice,
    Flag,
    IdText,
    Input,
    ListOf,
    MapOf,
    Query,
    Sub,
    Text,
    Whole,
)
from plunk.schemas.problems import at
from plunk.services.deploying import Bundle
from plunk.services.in_flight import POLICIES

MAX_PATH = 255
MAIN = "workflow.flow"
STATUSES = ("created", "changed", "unchanged")


class BundleIn(Input):
    """Texts by path: `.flow` files, and others that they refer to."""

    files = MapOf(Text(low=1, high=MAX_PATH), Text(), required=True)


class PlanIn(BundleIn):
    """Texts to deploy, the revisions they were written against, and what becomes of runs."""

    makes = Bundle
    expectedRevision = MapOf(Text(), Whole(), attribute="expected_revision")
    inFlight = Choice(*POLICIES, attribute="in_flight")


class DeployIn(PlanIn):
    """Texts to deploy; with a plan's digest only as long as they do just what the plan says."""

    planDigest = Text(attribute="plan_digest", allow_none=True)


class FlowIn(Input):
    """The text of one workflow, as `source`, `text` or `flow`, and files it refers to."""

    alternatives = (("source",), ("text",), ("flow",))
    source = Text()
    text = Text()
    flow = Text()
    files = MapOf(Text(low=1, high=MAX_PATH), Text(), load_default=dict)
    expectedRevision = Whole(attribute="expected_revision", allow_none=True)
    inFlight = Choice(*POLICIES, attribute="in_flight", load_default=POLICIES[0])

    @post_load
    def make(self, values: dict[str, Any], **_: object) -> dict[str, Any]:
        """Return all the files together, and how to store them."""
        given = [values[name] for name in ("source", "text", "flow") if name in values]
        if not given:
            raise at("source", "Required", "invalid_type")
        if MAIN in values["files"]:
            raise at("files", f"{MAIN} is the path of the source itself")
        files = {**values["files"], MAIN: given[0]}
        expected, in_flight = values.get("expected_revision"), values["in_flight"]
        return {"files": files, "expected": expected, "in_flight": in_flight}


class PullQueryIn(Input):
    """Which workflows to write, by id and separated by commas; without, the whole project."""

    workflows = Query(lambda text: text.split(",") if text else None)

    @post_load
    def make(self, values: dict[str, Any], **_: object) -> list[str] | None:
        """Return the ids."""
        chosen: list[str] | None = values["workflows"]
        return chosen


class PositionOut(Schema):
    """A place in a text; lines and columns count from 1."""

    line = Whole()
    column = Whole()


class RangeOut(Schema):
    """A piece of a text."""

    start = Sub(PositionOut)
    end = Sub(PositionOut)


class RelatedOut(Schema):
    """A second place that explains the first."""

    message = Text()
    file = Text()
    range = Sub(RangeOut)


class FixOut(Schema):
    """An edit that mends a mistake."""

    title = Text()
    range = Sub(RangeOut)
    text = Text()


class DiagnosticOut(Schema):
    """One mistake or doubt about a text."""

    code = Text()
    severity = Choice("error", "warning")
    message = Text()
    file = Text()
    range = Sub(RangeOut)
    related = ListOf(Sub(RelatedOut))
    notes = ListOf(Text())
    fixes = ListOf(Sub(FixOut))


class CheckedOut(Schema):
    """What was found in a bundle; valid means without errors."""

    diagnostics = ListOf(Sub(DiagnosticOut))
    valid = Flag()


class OutcomeOut(Schema):
    """What became of a template or a segment."""

    id = IdText()
    name = Text()
    status = Choice(*STATUSES)


class WorkflowOutcomeOut(OutcomeOut):
    """What became of a workflow."""

    revision = Whole()


class DeployedOut(Schema):
    """What became of a bundle; the diagnostics are warnings."""

    templates = ListOf(Sub(OutcomeOut))
    segments = ListOf(Sub(OutcomeOut))
    workflows = ListOf(Sub(WorkflowOutcomeOut))
    diagnostics = ListOf(Sub(DiagnosticOut))


class LeftOutOut(Schema):
    """Something that no file can hold, and why."""

    kind = Choice("workflow", "template", "segment")
    id = IdText()
    name = Text()
    reason = Text()


class PulledOut(Schema):
    """A project as files, by path; deploying them changes nothing."""

    files = MapOf(Text(), Text())
    leftOut = ListOf(Sub(LeftOutOut), attribute="left_out")


class FlowOut(Schema):
    """A workflow as text."""

    flow = Text()
    revision = Whole()
