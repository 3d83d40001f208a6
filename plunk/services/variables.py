"""What templates may use: a contact, its data, the event and links to the hosted pages."""

from __future__ import annotations

from collections.abc import Mapping

from plunk.clock import iso
from plunk.engine.core.facts import Contact
from plunk.services import contact_data

HOSTED_PAGES = ("unsubscribe", "subscribe", "manage")


def send_variables(
    contact: Contact, data: Mapping[str, object] | None, dashboard_url: str
) -> dict[str, object]:
    """Return what a message sent through the API may use.

    `data` came with the request and wins over what the contact has stored; its one-off values
    count like all others, and reserved keys do not count.
    """
    given = {
        key: value
        for key, value in contact_data.unwrapped(data or {}).items()
        if key not in contact_data.RESERVED
    }
    merged = {**contact.data, **given}
    return {
        **_own_fields(contact),
        **merged,
        "data": merged,
        "contact": _contact_object(contact),
        **dashboard_links(contact.id, dashboard_url),
    }


def workflow_variables(
    contact: Contact,
    context: Mapping[str, object] | None,
    variables: Mapping[str, object],
    dashboard_url: str,
) -> dict[str, object]:
    """Return what a step of a workflow may use in its texts.

    A bare name means a result that an earlier step bound, else a member of the event's data, else
    of the contact's.
    """
    return {
        **_own_fields(contact),
        **contact.data,
        **(context or {}),
        **variables,
        "data": dict(contact.data),
        "event": dict(context or {}),
        "contact": _contact_object(contact),
        **dashboard_links(contact.id, dashboard_url),
    }


def dashboard_links(contact_id: str, dashboard_url: str) -> dict[str, object]:
    """Return the addresses of the pages on which a contact manages its subscription."""
    return {f"{page}Url": f"{dashboard_url}/{page}/{contact_id}" for page in HOSTED_PAGES}


def _own_fields(contact: Contact) -> dict[str, object]:
    """Return what stands under bare names unless the contact's data has the same name."""
    return {
        "id": contact.id,
        "email": contact.email,
        "plunk_id": contact.id,
        "plunk_email": contact.email,
        "subscribed": contact.subscribed,
        "locale": None,
    }


def _contact_object(contact: Contact) -> dict[str, object]:
    return {
        **contact.data,
        "id": contact.id,
        "email": contact.email,
        "subscribed": contact.subscribed,
        "createdAt": iso(contact.created_at),
        "updatedAt": iso(contact.updated_at),
        "data": dict(contact.data),
    }
