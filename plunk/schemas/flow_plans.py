"""What a deployment would do, going out."""

from __future__ import annotations

from marshmallow import Schema

from plunk.schemas.fields import AnyJson, Choice, IdText, JsonObject, ListOf, Sub, Text, Whole
from plunk.schemas.flows import STATUSES, DiagnosticOut
from plunk.services.in_flight import POLICIES
from plunk.services.workflow_steps import TYPES


class MemberDifferenceOut(Schema):
    """A member of a template or segment, before and after."""

    name = Text()
    old = AnyJson(allow_none=True)
    new = AnyJson(allow_none=True)


class PlannedThingOut(Schema):
    """What would become of a template or segment, and which members of it would change."""

    id = IdText(allow_none=True)
    name = Text()
    status = Choice(*STATUSES)
    changes = ListOf(Text())
    differences = ListOf(Sub(MemberDifferenceOut))


class HeaderDifferenceOut(Schema):
    """A header of a workflow, before and after."""

    name = Text()
    old = AnyJson(allow_none=True)
    new = AnyJson(allow_none=True)


class StepTextOut(Schema):
    """What a step says, before and after, in lines of the language."""

    old = ListOf(Text())
    new = ListOf(Text())


class StepDifferenceOut(Schema):
    """What would become of a step: the members that differ, or where its ways lead."""

    change = Choice("added", "removed", "changed", "rerouted")
    label = Text(allow_none=True)
    name = Text()
    type = Choice(*TYPES)
    people = Whole()
    old = JsonObject(allow_none=True)
    new = JsonObject(allow_none=True)
    text = Sub(StepTextOut)
    goesOn = Text(allow_none=True, attribute="goes_on")


class HeaderTextOut(Schema):
    """What is said about a workflow as a whole, in lines of the language."""

    removed = ListOf(Text())
    added = ListOf(Text())


class PlannedWorkflowOut(Schema):
    """What would become of a workflow; a new one has no id and no revision yet."""

    id = IdText(allow_none=True)
    name = Text()
    status = Choice(*STATUSES)
    revision = Whole(allow_none=True)
    headers = ListOf(Sub(HeaderDifferenceOut))
    headerText = Sub(HeaderTextOut, attribute="header_text")
    steps = ListOf(Sub(StepDifferenceOut))


class PlanOut(Schema):
    """What deploying a bundle would do; the diagnostics are warnings."""

    digest = Text()
    inFlight = Choice(*POLICIES, attribute="in_flight")
    diagnostics = ListOf(Sub(DiagnosticOut))
    templates = ListOf(Sub(PlannedThingOut))
    segments = ListOf(Sub(PlannedThingOut))
    workflows = ListOf(Sub(PlannedWorkflowOut))
