"""Segments and their members, coming in and going out."""

from __future__ import annotations

from typing import Any

from marshmallow import Schema, post_dump, pre_dump

from plunk.schemas.contacts import ContactOut
from plunk.schemas.fields import (
    Choice,
    ConditionField,
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
from plunk.schemas.pages import PageOut, columns_of
from plunk.services.condition_texts import extension_text
from plunk.services.segment_members import MembersDraft
from plunk.services.segments import TYPES, SegmentChange, SegmentDraft

MAX_NAME, MAX_DESCRIPTION, MAX_EMAILS = 100, 500, 500
CONDITION = {
    "example": {
        "logic": "AND",
        "groups": [{"filters": [{"field": "data.plan", "operator": "equals", "value": "pro"}]}],
    }
}
EMAILS = frozenset({("emails", "invalid_type"), ("emails", "too_small"), ("emails", "too_big")})


class SegmentDraftIn(Input):
    """A segment to create; a DYNAMIC one needs a condition, as a filter tree or as text."""

    makes = SegmentDraft
    bad_requests = frozenset(
        {("name", "invalid_type"), ("name", "too_small"), ("condition", "invalid_type")}
    )
    name = Text(low=1, high=MAX_NAME, required=True)
    description = Text(high=MAX_DESCRIPTION, allow_none=True)
    type = Choice(*TYPES)
    condition = ConditionField(allow_none=True, metadata=CONDITION)
    trackMembership = Flag(attribute="track_membership")


class SegmentChangeIn(Input):
    """What to change about a segment; a STATIC one has no condition to change."""

    makes = SegmentChange
    bad_requests = frozenset({("condition", "invalid_type")})
    name = Text(low=1, high=MAX_NAME)
    description = Text(high=MAX_DESCRIPTION, allow_none=True)
    condition = ConditionField(metadata=CONDITION)
    trackMembership = Flag(attribute="track_membership")


class MembersIn(Input):
    """Contacts to add by their addresses; those that no contact has can be created."""

    makes = MembersDraft
    bad_requests = EMAILS
    emails = ListOf(Text(), low=1, high=MAX_EMAILS, required=True)
    createMissing = Flag(attribute="create_missing")
    subscribed = Flag()


class LeaversIn(Input):
    """Contacts to take out, by their addresses."""

    bad_requests = EMAILS
    emails = ListOf(Text(), low=1, high=MAX_EMAILS, required=True)


class ConditionText(Text):
    """The text of a condition that says more than Plunk's own filters can."""

    def _serialize(self, value: Any, attr: str | None, obj: Any, **kwargs: Any) -> str | None:
        return extension_text(value)


class SegmentOut(Schema):
    """A segment; `memberCount` is as of the last count, a few minutes ago at most.

    `conditionText` is there when the condition says what Plunk's own filters cannot.
    """

    id = IdText()
    name = Text()
    description = Text(allow_none=True)
    type = Choice(*TYPES)
    condition = JsonObject(allow_none=True)
    conditionText = ConditionText(
        attribute="condition", dump_only=True, metadata={"optional": True}
    )
    trackMembership = Flag(attribute="track_membership")
    memberCount = Whole(attribute="member_count")
    projectId = IdText(attribute="project_id")
    createdAt = Time(attribute="created_at")
    updatedAt = Time(attribute="updated_at")

    @post_dump
    def leave_out(self, values: dict[str, Any], **_: object) -> dict[str, Any]:
        """Leave the text out where Plunk's own filters say it."""
        if values.get("conditionText") is None:
            values.pop("conditionText", None)
        return values


class ProjectNameOut(Schema):
    """The name of a project."""

    name = Text()


class SegmentCreatedOut(SegmentOut):
    """A segment that was just created, with the name of its project."""

    project = Sub(ProjectNameOut)

    @pre_dump
    def flatten(self, made: dict[str, Any], **_: object) -> dict[str, Any]:
        """Put the segment's own members beside the project."""
        return {**columns_of(made["segment"]), "project": {"name": made["project"]}}


class SegmentContactsOut(PageOut):
    """A page of a segment's members."""

    data = ListOf(Sub(ContactOut), attribute="items")


class MembersAddedOut(Schema):
    """How many contacts the addresses led to, how many were created, and what led nowhere."""

    added = Whole()
    created = Whole()
    notFound = ListOf(Text(), attribute="not_found")


class MembersRemovedOut(Schema):
    """How many contacts the addresses led to."""

    removed = Whole()


class ComputedOut(Schema):
    """How many contacts entered and left, and how many members there are now."""

    added = Whole()
    removed = Whole()
    total = Whole()


class CountOut(Schema):
    """How many members there are now."""

    memberCount = Whole(attribute="member_count")
