"""Sending: an application writes to people through the API."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from plunk.addresses import normalise
from plunk.config import Settings
from plunk.delivery.headers import UnsendableMessage, check_headers, check_text
from plunk.engine.core import facts
from plunk.errors import BadRequest, FieldProblem, Invalid
from plunk.ids import new_id
from plunk.models import AttachmentSet, Contact
from plunk.models.email import LANE_TRANSACTIONAL
from plunk.rendering import render
from plunk.services import contacts, emails, templates
from plunk.services.contacts import ContactDraft
from plunk.services.emails import EmailDraft
from plunk.services.variables import send_variables

MEGABYTE = 1024 * 1024
MOST_RECIPIENTS = 1_000
MOST_TEXT = 50 * MEGABYTE


@dataclass(frozen=True, slots=True)
class Party:
    """Somebody with an address and perhaps a name."""

    email: str
    name: str | None = None


@dataclass(frozen=True, slots=True)
class NewAttachment:
    """A file to send; `content` is base64."""

    filename: str
    content: str
    content_type: str
    content_id: str | None = None
    disposition: str = "attachment"


@dataclass(frozen=True, slots=True)
class SendRequest:
    """A message to everybody in `to`; what is missing comes from the template."""

    to: tuple[Party, ...]
    subject: str | None = None
    body: str | None = None
    template_id: str | None = None
    sender: Party | None = None
    sender_name: str | None = None
    reply_to: str | None = None
    subscribed: bool | None = None
    headers: Mapping[str, str] | None = None
    data: Mapping[str, Any] | None = None
    attachments: Sequence[NewAttachment] = ()


@dataclass(frozen=True, slots=True)
class Recipient:
    """The contact that a message goes to."""

    contact_id: str
    address: str


@dataclass(frozen=True, slots=True)
class QueuedEmail:
    """One message that waits to be sent."""

    recipient: Recipient
    email_id: str


@dataclass(frozen=True, slots=True)
class Sent:
    """The messages of one request, in the order of its recipients."""

    emails: tuple[QueuedEmail, ...]
    timestamp: datetime


@dataclass(frozen=True, slots=True)
class Letter:
    """The message before it is rendered for anybody."""

    subject: str
    body: str
    sender: Party
    reply_to: str | None
    type: str
    template_id: str | None
    attachment_set_id: str | None


def send(
    session: Session, project_id: str, request: SendRequest, *, settings: Settings, now: datetime
) -> Sent:
    """Queue one message for each recipient, whose contacts are created or updated.

    All or nothing: one recipient who cannot be written to refuses the whole request.
    """
    _check_size(request)
    _check_headers(request.headers or {})
    _check_attachments(request.attachments, settings)
    letter = _write(session, project_id, request, now=now)
    drafts: dict[int, EmailDraft] = {}
    _lock_recipients(session, project_id, request)
    for index, party in sorted(enumerate(request.to), key=lambda item: normalise(item[1].email)):
        contact = _save_contact(session, project_id, request, party, now=now)
        drafts[index] = _address(letter, request, party, contact, settings)
    rows = [emails.new_row(project_id, drafts[index], now=now) for index in sorted(drafts)]
    emails.store(session, rows)
    return Sent(
        tuple(
            QueuedEmail(Recipient(row["contact_id"], row["to_address"]), row["id"]) for row in rows
        ),
        now,
    )


def _lock_recipients(session: Session, project_id: str, request: SendRequest) -> None:
    """Lock those who are known, by id as everywhere, so that no two requests block each other.

    Those who are not are created in the order of their addresses.
    """
    if len(request.to) > 1:
        wanted = {normalise(party.email) for party in request.to}
        session.execute(
            select(Contact.id)
            .where(Contact.project_id == project_id, Contact.email.in_(wanted))
            .order_by(Contact.id)
            .with_for_update()
        )


def _check_size(request: SendRequest) -> None:
    """Refuse what would hold up everybody else: every recipient gets a row with the whole body."""
    if len(request.to) > MOST_RECIPIENTS:
        message = f"Array must contain at most {MOST_RECIPIENTS} element(s)"
        raise Invalid([FieldProblem("to", message, "too_big")])
    if len(request.to) * len(request.body or "") > MOST_TEXT:
        message = f"Recipients times body may take at most {MOST_TEXT // MEGABYTE} MB; split them"
        raise Invalid([FieldProblem("to", message, "too_big")])


def _check_headers(headers: Mapping[str, str]) -> None:
    problems = []
    for name, value in headers.items():
        try:
            check_headers([(name, value)])
        except UnsendableMessage as error:
            problems.append(FieldProblem(f"headers.{name}", error.message, "invalid_string"))
    if problems:
        raise Invalid(problems)


def _check_attachments(attachments: Sequence[NewAttachment], settings: Settings) -> None:
    most, megabytes = settings.email_max_attachments, settings.email_max_attachment_mb
    if len(attachments) > most:
        message = f"Array must contain at most {most} element(s)"
        raise Invalid([FieldProblem("attachments", message, "too_big")])
    if sum(len(item.content) for item in attachments) > megabytes * MEGABYTE * 4 // 3:
        message = f"Attachments may take at most {megabytes} MB in all"
        raise Invalid([FieldProblem("attachments", message, "custom")])


def _write(session: Session, project_id: str, request: SendRequest, *, now: datetime) -> Letter:
    """Return the letter: what the request says, and the template where it says nothing."""
    if request.template_id is None:
        sender = _sender(request, None, None)
        subject, body = request.subject or "", request.body or ""
        reply_to, kind = request.reply_to, "TRANSACTIONAL"
    else:
        template = templates.get_locked(session, project_id, request.template_id)
        sender = _sender(request, template.from_address, template.from_name)
        subject, body = request.subject or template.subject, request.body or template.body
        reply_to, kind = request.reply_to or template.reply_to, template.type
    attached = _store_attachments(session, project_id, request, now=now)
    return Letter(subject, body, sender, reply_to, kind, request.template_id, attached)


def _sender(request: SendRequest, address: str | None, name: str | None) -> Party:
    given = request.sender or Party(address or "")
    if not given.email:
        message = "A sender is required: give `from`, or a template that has one"
        problem = FieldProblem("from", message, "required")
        raise Invalid([problem], "The message has no sender.", manual=True)
    return Party(given.email, given.name or request.sender_name or name)


def _store_attachments(
    session: Session, project_id: str, request: SendRequest, *, now: datetime
) -> str | None:
    if not request.attachments or not request.to:
        return None
    row = {
        "id": new_id(),
        "project_id": project_id,
        "items": [_attachment_json(item) for item in request.attachments],
        "created_at": now,
    }
    session.execute(insert(AttachmentSet), row)
    return str(row["id"])


def _attachment_json(item: NewAttachment) -> dict[str, str | None]:
    return {
        "filename": item.filename,
        "content": item.content,
        "contentType": item.content_type,
        "contentId": item.content_id,
        "disposition": item.disposition,
    }


def _save_contact(
    session: Session, project_id: str, request: SendRequest, party: Party, *, now: datetime
) -> facts.Contact:
    data = _data_for(request, party)
    draft = ContactDraft(party.email, request.subscribed, data)
    saved = contacts.save(session, project_id, draft, now=now, default_subscribed=False)
    return contacts.facts_of(saved.contact)


def _data_for(request: SendRequest, party: Party) -> dict[str, Any]:
    return {**(request.data or {}), **({"name": party.name} if party.name else {})}


def _address(
    letter: Letter, request: SendRequest, party: Party, contact: facts.Contact, settings: Settings
) -> EmailDraft:
    """Return the letter rendered for one contact; BadRequest when it may not be sent to it."""
    if letter.type == "MARKETING" and not contact.subscribed:
        raise BadRequest(
            f"{contact.email} is not subscribed and cannot be sent a MARKETING template."
        )
    known = send_variables(contact, _data_for(request, party), settings.dashboard_url)
    return EmailDraft(
        contact_id=contact.id,
        to_address=contact.email,
        to_name=party.name,
        subject=_one_line(render(letter.subject, known)),
        body=render(letter.body, known),
        from_address=letter.sender.email,
        from_name=letter.sender.name,
        reply_to=letter.reply_to,
        headers=request.headers,
        source_type="TRANSACTIONAL",
        type=letter.type,
        lane=LANE_TRANSACTIONAL,
        template_id=letter.template_id,
        attachment_set_id=letter.attachment_set_id,
    )


def _one_line(subject: str) -> str:
    """Return a rendered subject; one with line breaks could smuggle headers into the mail."""
    try:
        return check_text("the rendered subject", subject)
    except UnsendableMessage as error:
        hint = f"{error.message}; check the values it is filled with"
        problem = FieldProblem("subject", hint, "invalid_string")
        raise Invalid([problem], f"{error.message}.", manual=True) from None
