"""Templates, coming in and going out."""

from __future__ import annotations

from typing import Any

from marshmallow import Schema, post_load

from plunk.paging import PageRequest
from plunk.schemas.fields import (
    Address,
    Choice,
    Flag,
    IdText,
    Input,
    ListOf,
    Query,
    Sub,
    Text,
    Time,
    Whole,
)
from plunk.schemas.pages import PageOut, PageQueryIn
from plunk.services.templates import (
    MAX_NAME,
    SORT_COLUMNS,
    TYPES,
    BulkRequest,
    TemplateChange,
    TemplateDraft,
    TemplateQuery,
)

MAX_DESCRIPTION = 500
MAX_SUBJECT = 998
MAX_BULK = 1000


class TemplateDraftIn(Input):
    """A template to create."""

    makes = TemplateDraft
    bad_requests = frozenset(
        (name, code)
        for name in ("name", "subject", "body", "from")
        for code in ("invalid_type", "too_small")
    )
    name = Text(low=1, high=MAX_NAME, required=True)
    subject = Text(low=1, high=MAX_SUBJECT, single_line=True, required=True)
    body = Text(low=1, required=True)
    sender = Address(data_key="from", attribute="from_address", required=True)
    description = Text(high=MAX_DESCRIPTION, allow_none=True)
    fromName = Text(high=MAX_NAME, single_line=True, allow_none=True, attribute="from_name")
    replyTo = Address(allow_none=True, attribute="reply_to")
    type = Choice(*TYPES)


class TemplateChangeIn(Input):
    """What to change about a template."""

    makes = TemplateChange
    name = Text(low=1, high=MAX_NAME)
    subject = Text(low=1, high=MAX_SUBJECT, single_line=True)
    body = Text(low=1)
    sender = Address(data_key="from", attribute="from_address")
    description = Text(high=MAX_DESCRIPTION, allow_none=True)
    fromName = Text(high=MAX_NAME, single_line=True, allow_none=True, attribute="from_name")
    replyTo = Address(allow_none=True, attribute="reply_to")
    type = Choice(*TYPES)


class TemplateBulkIn(Input):
    """Templates to delete together; without `delete` nothing happens to them."""

    makes = BulkRequest
    ids = ListOf(IdText(), low=1, high=MAX_BULK, required=True)
    delete = Flag()


class TemplateQueryIn(PageQueryIn):
    """Which templates to list; an unknown order is ignored."""

    bad_requests = frozenset({("type", "invalid_enum_value")})
    search = Query(lambda text: text or None)
    type = Choice(*TYPES)
    sort = Query(
        lambda text: text if text in SORT_COLUMNS else "createdAt",
        metadata={"enum": sorted(SORT_COLUMNS)},
    )
    dir = Query(
        lambda text: text if text in {"asc", "desc"} else "desc", metadata={"enum": ["asc", "desc"]}
    )

    @post_load
    def make(self, values: dict[str, Any], **_: object) -> TemplateQuery:
        """Return the query with its page and its direction as values."""
        paging = PageRequest(values.pop("page"), values.pop("page_size"))
        descending = values.pop("dir") == "desc"
        return TemplateQuery(paging, descending=descending, **values)


class TemplateOut(Schema):
    """A template."""

    id = IdText()
    name = Text()
    description = Text(allow_none=True)
    subject = Text()
    body = Text()
    sender = Text(data_key="from", attribute="from_address")
    fromName = Text(attribute="from_name", allow_none=True)
    replyTo = Text(attribute="reply_to", allow_none=True)
    type = Choice(*TYPES)
    projectId = IdText(attribute="project_id")
    createdAt = Time(attribute="created_at")
    updatedAt = Time(attribute="updated_at")


class TemplatePageOut(PageOut):
    """A page of templates."""

    data = ListOf(Sub(TemplateOut), attribute="items")


class TemplateUsageOut(Schema):
    """Where a template is used."""

    workflowSteps = Whole(attribute="workflow_steps")
    emailsSent = Whole(attribute="emails_sent")


class TemplateBulkOut(Schema):
    """How many templates were deleted, or 0 updated when nothing was asked for."""

    deleted = Whole(metadata={"optional": True})
    updated = Whole(metadata={"optional": True})
