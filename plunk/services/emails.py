"""E-mails: rows of the outbox."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from plunk.ids import new_id
from plunk.models import Email
from plunk.services import notices
from plunk.services.row_sets import insert_rows


@dataclass(frozen=True, slots=True)
class EmailDraft:
    """One rendered message to one address; with a `refusal` it is stored as failed for that."""

    contact_id: str
    to_address: str
    subject: str
    body: str
    from_address: str
    source_type: str
    type: str
    lane: int
    from_name: str | None = None
    to_name: str | None = None
    reply_to: str | None = None
    headers: Mapping[str, str] | None = None
    template_id: str | None = None
    attachment_set_id: str | None = None
    execution_id: str | None = None
    visit: int | None = None
    depth: int = 0
    refusal: str | None = None


def new_row(project_id: str, draft: EmailDraft, *, now: datetime) -> dict[str, Any]:
    """Return the row of a message: PENDING and due at once, or FAILED with its reason."""
    email_id = new_id()
    return {
        "id": email_id,
        "project_id": project_id,
        "contact_id": draft.contact_id,
        "template_id": draft.template_id,
        "execution_id": draft.execution_id,
        "visit": draft.visit,
        "attachment_set_id": draft.attachment_set_id,
        "source_type": draft.source_type,
        "type": draft.type,
        "lane": draft.lane,
        "depth": draft.depth,
        "message_id": f"<{email_id}@{draft.from_address.rpartition('@')[2] or 'localhost'}>",
        "to_address": draft.to_address,
        "to_name": draft.to_name,
        "from_address": draft.from_address,
        "from_name": draft.from_name,
        "reply_to": draft.reply_to,
        # A filter such as url_decode can produce NUL, which PostgreSQL refuses to store.
        "subject": draft.subject.replace("\0", ""),
        "body": draft.body.replace("\0", ""),
        "headers": dict(draft.headers) if draft.headers else None,
        "status": "FAILED" if draft.refusal else "PENDING",
        "error": draft.refusal,
        "next_attempt_at": None if draft.refusal else now,
        "created_at": now,
        "updated_at": now,
    }


def store(session: Session, rows: Sequence[dict[str, Any]]) -> None:
    """Add rows to the outbox in one statement."""
    if rows:
        insert_rows(session, Email, rows)
        notices.due(session, "emails")
