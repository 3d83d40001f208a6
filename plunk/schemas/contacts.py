"""Contacts, coming in and going out."""

from __future__ import annotations

from typing import Any

from marshmallow import Schema, post_load, pre_dump

from plunk.paging import MAX_PAGE_SIZE, lenient_int
from plunk.schemas.fields import (
    Address,
    Flag,
    IdText,
    Input,
    JsonObject,
    ListOf,
    Query,
    Sub,
    Text,
    Time,
)
from plunk.schemas.pages import CursorPageOut, columns_of
from plunk.services.contacts import ContactChange, ContactDraft, ContactQuery, Saved

MAX_CUSTOM_BYTES = 256 * 1024


class ContactDraftIn(Input):
    """A contact to create or to merge into."""

    makes = ContactDraft
    bad_requests = frozenset({("email", "invalid_type")})
    email = Address(required=True)
    subscribed = Flag(allow_none=True)
    data = JsonObject(allow_none=True, max_bytes=MAX_CUSTOM_BYTES)


class ContactChangeIn(Input):
    """What to change about a contact; null data clears all of it."""

    makes = ContactChange
    bad_requests = frozenset({("data", "invalid_type")})
    email = Address()
    subscribed = Flag()
    data = JsonObject(allow_none=True, max_bytes=MAX_CUSTOM_BYTES)


class ContactLookupIn(Input):
    """Addresses to look up."""

    bad_requests = frozenset(
        {("emails", "invalid_type"), ("emails", "too_small"), ("emails", "too_big")}
    )
    emails = ListOf(Text(), low=1, high=500, required=True)


class ContactQueryIn(Input):
    """Which contacts to list; what cannot be read is ignored."""

    limit = Query(lambda text: lenient_int(text, 20, high=MAX_PAGE_SIZE))
    cursor = Query(lambda text: text or None)
    search = Query(lambda text: text or None)
    subscribed = Query(lambda text: {"true": True, "false": False}.get(text or ""))
    status = Query(
        lambda text: text or None, metadata={"enum": ["subscribed", "unsubscribed", "snoozed"]}
    )
    sort = Query(
        lambda text: text if text in {"email", "createdAt"} else "createdAt",
        metadata={"enum": ["email", "createdAt"]},
    )
    dir = Query(
        lambda text: text if text in {"asc", "desc"} else "desc", metadata={"enum": ["asc", "desc"]}
    )

    @post_load
    def make(self, values: dict[str, Any], **_: object) -> ContactQuery:
        """Return the query with its direction as a flag."""
        direction = values.pop("dir")
        return ContactQuery(**values, descending=direction == "desc")


class ContactOut(Schema):
    """A contact."""

    id = IdText()
    email = Text()
    data = JsonObject(allow_none=True)
    subscribed = Flag()
    snoozedUntil = Time(attribute="snoozed_until", allow_none=True)
    projectId = IdText(attribute="project_id")
    createdAt = Time(attribute="created_at")
    updatedAt = Time(attribute="updated_at")


class SavedMeta(Schema):
    """Whether an upsert created the contact."""

    isNew = Flag(attribute="is_new")
    isUpdate = Flag(attribute="is_update")


class ContactSavedOut(ContactOut):
    """A contact after an upsert."""

    _meta = Sub(SavedMeta)

    @pre_dump
    def flatten(self, saved: Saved, **_: object) -> dict[str, Any]:
        """Put the contact's own members beside `_meta`."""
        meta = {"is_new": saved.is_new, "is_update": not saved.is_new}
        return {**columns_of(saved.contact), "_meta": meta}


class ContactPageOut(CursorPageOut):
    """A stretch of contacts."""

    data = ListOf(Sub(ContactOut), attribute="items")


class ContactLookupOut(Schema):
    """Which of the addresses belong to contacts."""

    found = ListOf(Sub(ContactOut))
    notFound = ListOf(Text(), attribute="not_found")
