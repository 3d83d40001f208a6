"""One e-mail as plain data: everything a provider needs, nothing it has to look up."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Disposition(StrEnum):
    """Where a mail program shows an attachment: in a list, or inside the text."""

    ATTACHMENT = "attachment"
    INLINE = "inline"


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file that travels with a message; inline ones are named `cid:<content_id>` in the HTML."""

    filename: str
    content: bytes
    content_type: str = "application/octet-stream"
    content_id: str | None = None
    disposition: Disposition = Disposition.ATTACHMENT


@dataclass(frozen=True, slots=True)
class Message:
    """A rendered e-mail to one recipient.

    `message_id` goes out as it stands (brackets are added when missing) and has to be the same on
    every attempt. `text=None` sends HTML only. `headers` replace the defaults of the same name.
    """

    message_id: str
    from_address: str
    to_address: str
    subject: str
    html: str
    text: str | None = None
    from_name: str | None = None
    to_name: str | None = None
    reply_to: str | None = None
    headers: tuple[tuple[str, str], ...] = ()
    attachments: tuple[Attachment, ...] = ()
    envelope_from: str | None = None
