"""Letters: leased e-mail rows with everything needed to make messages of them."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session

from plunk.db import table_of
from plunk.delivery.headers import Headers, bulk_headers, merge_headers, unsubscribe_headers
from plunk.delivery.message import Attachment, Disposition, Message
from plunk.models import AttachmentSet, Contact, Email, Project
from plunk.rendering import compile_html, text_part
from plunk.services.row_sets import is_among


@dataclass(frozen=True, slots=True)
class Letter:
    """One message to hand over, and what decides whether it still may be."""

    id: str
    contact_id: str
    template_id: str | None
    source_type: str
    type: str
    depth: int
    attempts: int
    message_id: str
    to_address: str
    to_name: str | None
    from_address: str
    from_name: str | None
    reply_to: str | None
    subject: str
    body: str
    headers: dict[str, str] | None
    created_at: datetime
    contact_email: str
    subscribed: bool
    project_disabled: bool
    project_name: str
    attachments: list[dict[str, Any]] | None

    @property
    def needs_consent(self) -> bool:
        """Tell whether only a subscribed contact may get it; other recipients were chosen."""
        to_contact = self.to_address == self.contact_email
        return to_contact and self.source_type != "TRANSACTIONAL" and self.type != "TRANSACTIONAL"

    @property
    def is_marketing(self) -> bool:
        """Tell whether the message is of the class that bulk mail rules apply to."""
        return self.type == "MARKETING" and self.source_type != "TRANSACTIONAL"

    def event_data(self) -> dict[str, Any]:
        """Return what every event about this message says."""
        return {
            "subject": self.subject,
            "from": self.from_address,
            "fromName": self.from_name,
            "messageId": self.message_id,
            "emailId": self.id,
            "templateId": self.template_id,
            "campaignId": None,
            "sourceType": self.source_type,
        }


OWN_COLUMNS = tuple(Letter.__slots__)[: Letter.__slots__.index("contact_email")]


LETTERS = (
    select(
        *(getattr(Email, name) for name in OWN_COLUMNS),
        Contact.email,
        Contact.subscribed,
        Project.disabled,
        Project.name,
        AttachmentSet.items,
    )
    .join(Contact, Contact.id == Email.contact_id)
    .join(Project, Project.id == Email.project_id)
    .outerjoin(AttachmentSet, AttachmentSet.id == Email.attachment_set_id)
    .where(Email.project_id == bindparam("project_id"))
    .order_by(Email.lane, Email.created_at, Email.id)
)


def load_letters(session: Session, project_id: str, email_ids: Sequence[str]) -> list[Letter]:
    """Return the letters of these rows, most urgent first, in one query."""
    if not email_ids:
        return []
    wanted = is_among(session, table_of(Email).c.id, email_ids)
    rows: Iterable[Sequence[Any]] = session.connection().execute(
        LETTERS.where(wanted), {"project_id": project_id}
    )
    return [Letter(*row) for row in rows]


def compose(letter: Letter, api_url: str) -> Message:
    """Return the message; what its headers may not hold, the provider refuses."""
    html = compile_html(letter.body)
    return Message(
        message_id=letter.message_id,
        from_address=letter.from_address,
        from_name=letter.from_name or letter.project_name,
        to_address=letter.to_address,
        to_name=letter.to_name,
        reply_to=letter.reply_to or letter.from_address,
        subject=letter.subject,
        html=html,
        text=text_part(html) or None,
        headers=_headers(letter, api_url),
        attachments=tuple(_attachment(item) for item in letter.attachments or ()),
    )


def _headers(letter: Letter, api_url: str) -> Headers:
    """Return the opt-out and bulk headers, where the caller's own ones do not replace them."""
    url = f"{api_url}/unsubscribe/{letter.contact_id}?e={letter.id}"
    generated: Headers = ()
    if letter.is_marketing:
        generated = bulk_headers(url)
    elif _offers_opt_out(letter):
        generated = unsubscribe_headers(url)
    return merge_headers(generated, (letter.headers or {}).items())


def _offers_opt_out(letter: Letter) -> bool:
    pages = (f"/unsubscribe/{letter.contact_id}", f"/manage/{letter.contact_id}")
    return any(page in letter.body for page in pages)


def _attachment(item: dict[str, Any]) -> Attachment:
    return Attachment(
        item["filename"],
        base64.b64decode(item["content"]),
        item["contentType"],
        item.get("contentId"),
        Disposition(item.get("disposition") or "attachment"),
    )
