"""Contacts over HTTP."""

from __future__ import annotations

from flask import Blueprint

from plunk.http.endpoint import Answer, Call, Spec, endpoint
from plunk.schemas.contacts import (
    ContactChangeIn,
    ContactDraftIn,
    ContactLookupIn,
    ContactLookupOut,
    ContactOut,
    ContactPageOut,
    ContactQueryIn,
    ContactSavedOut,
)
from plunk.services import contacts as service
from plunk.services.contacts import ContactChange, ContactDraft, ContactQuery

contacts = Blueprint("contacts", __name__)


@endpoint(
    contacts,
    "/contacts",
    method="GET",
    spec=Spec(query=ContactQueryIn(), answers={200: ContactPageOut()}),
)
def list_contacts(call: Call, *, query: ContactQuery) -> Answer:
    """List contacts, newest first unless told otherwise; follow `cursor` for more."""
    return service.page(call.session, call.project.id, query), 200


@endpoint(
    contacts,
    "/contacts",
    method="POST",
    spec=Spec(body=ContactDraftIn(), answers={201: ContactSavedOut(), 200: ContactSavedOut()}),
)
def save_contact(call: Call, *, body: ContactDraft) -> Answer:
    """Create the contact, or merge into the one that has this address."""
    saved = service.save(call.session, call.project.id, body, now=call.now)
    return saved, 201 if saved.is_new else 200


@endpoint(
    contacts,
    "/contacts/lookup",
    method="POST",
    spec=Spec(body=ContactLookupIn(), answers={200: ContactLookupOut()}),
)
def look_up_contacts(call: Call, *, body: dict[str, list[str]]) -> Answer:
    """Tell which of up to 500 addresses belong to contacts."""
    found, missing = service.lookup(call.session, call.project.id, body["emails"])
    return {"found": found, "not_found": missing}, 200


@endpoint(contacts, "/contacts/<contact_id>", method="GET", spec=Spec(answers={200: ContactOut()}))
def show_contact(call: Call, contact_id: str) -> Answer:
    """Return one contact."""
    return service.get(call.session, call.project.id, contact_id), 200


@endpoint(
    contacts,
    "/contacts/<contact_id>",
    method="PATCH",
    spec=Spec(body=ContactChangeIn(), answers={200: ContactOut()}, errors=(409,)),
)
def change_contact(call: Call, contact_id: str, *, body: ContactChange) -> Answer:
    """Change a contact's address, subscription or data."""
    return service.change(call.session, call.project.id, contact_id, body, now=call.now), 200


@endpoint(contacts, "/contacts/<contact_id>", method="DELETE", spec=Spec(answers={204: None}))
def delete_contact(call: Call, contact_id: str) -> Answer:
    """Delete a contact with its e-mails, events and workflow runs."""
    service.remove(call.session, call.project.id, contact_id)
    return None, 204
