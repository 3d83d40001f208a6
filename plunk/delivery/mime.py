"""Message → MIME: mixed (files) around related (inline) around alternative (text, HTML)."""

from __future__ import annotations

import re
from binascii import b2a_qp
from datetime import datetime
from email.message import EmailMessage, MIMEPart
from email.policy import SMTP, EmailPolicy
from email.utils import format_datetime, getaddresses
from typing import Any

from plunk.delivery.addresses import to_mailbox
from plunk.delivery.headers import (
    HeaderInjection,
    UnsendableMessage,
    check_headers,
    check_text,
    encode_text,
    fold_header,
    merge_headers,
)
from plunk.delivery.message import Attachment, Disposition, Message

_LINE_END = re.compile(r"\r\n?")
_MESSAGE_ID = re.compile(r"[!-;=?-~]+@[!-;=?-~]+")
_CONTENT_TYPE = re.compile(r"([A-Za-z0-9!#$&^_.+-]+)/([A-Za-z0-9!#$&^_.+-]+)")
_CONTENT_ID = re.compile(r"[!-;=?-~]{1,255}")
_ADDRESS_HEADERS = frozenset({"reply-to", "sender", "cc"})


class _Finished(EmailPolicy):
    """Headers arrive encoded and folded; the library shall not do it again, its own way."""

    def header_store_parse(self, name: str, value: Any) -> tuple[str, Any]:  # noqa: ANN401 - as inherited
        return name, value

    def header_fetch_parse(self, name: str, value: str) -> str:  # noqa: ARG002 - as inherited
        return value


_ATTACHED = SMTP.clone(max_line_length=76)
_FINISHED = _Finished(linesep="\r\n", refold_source="none")


def to_mime(message: Message, date: datetime) -> EmailMessage:
    """Return the message ready for the wire, or raise UnsendableMessage."""
    check_headers(message.headers)
    root = EmailMessage(policy=_FINISHED)
    given = [(name, _encode(name, value)) for name, value in message.headers]
    for name, value in merge_headers(_own_headers(message, date), given):
        root[name] = fold_header(name, value)
    root["MIME-Version"] = "1.0"
    body = _body(message)
    for name, value in body.items():
        root[name] = str(value)
    root.set_payload(body.get_payload())
    return root


def to_bytes(message: Message, date: datetime) -> bytes:
    """Return the message as it goes over the wire, CRLF at the end of every line."""
    return to_mime(message, date).as_bytes()


def _own_headers(message: Message, date: datetime) -> tuple[tuple[str, str], ...]:
    return (
        ("From", to_mailbox(message.from_name, message.from_address)),
        ("To", to_mailbox(message.to_name, message.to_address)),
        ("Reply-To", to_mailbox(None, message.reply_to or message.from_address)),
        ("Subject", encode_text(check_text("the subject", message.subject))),
        ("Date", format_datetime(date)),
        ("Message-ID", _message_id(message)),
    )


def bare_message_id(message: Message) -> str:
    """Return the Message-ID without its brackets."""
    return message.message_id.removeprefix("<").removesuffix(">")


def _message_id(message: Message) -> str:
    bare = bare_message_id(message)
    if not _MESSAGE_ID.fullmatch(bare):
        raise UnsendableMessage(f"{message.message_id!r} is no Message-ID")
    return f"<{bare}>"


def _encode(name: str, value: str) -> str:
    """Encode a caller's header; in an address header the names only."""
    if name.lower() not in _ADDRESS_HEADERS:
        return encode_text(value)
    if value.isascii():
        return value
    return ", ".join(to_mailbox(label, address) for label, address in getaddresses([value]))


def _body(message: Message) -> MIMEPart:
    inline = [part for part in message.attachments if _is_inline(part)]
    files = [part for part in message.attachments if not _is_inline(part)]
    body = _alternative(message)
    if inline:
        body = _multipart("related", [body, *map(_attachment, inline)])
    if files:
        body = _multipart("mixed", [body, *map(_attachment, files)])
    return body


def _is_inline(attachment: Attachment) -> bool:
    return attachment.disposition == Disposition.INLINE and attachment.content_id is not None


def _alternative(message: Message) -> MIMEPart:
    html = _text(message.html, "html")
    if not message.text:
        return html
    return _multipart("alternative", [_text(message.text, "plain"), html])


def _text(content: str, subtype: str) -> MIMEPart:
    """Return a text part; encoded by hand because the library takes a millisecond for it."""
    try:
        encoded = _LINE_END.sub("\n", content).encode()
    except UnicodeEncodeError as error:
        raise UnsendableMessage("the body contains half a character (a lone surrogate)") from error
    part = MIMEPart(policy=_FINISHED)
    part["Content-Type"] = f'text/{subtype}; charset="utf-8"'
    part["Content-Transfer-Encoding"] = "quoted-printable"
    part.set_payload(b2a_qp(encoded, istext=True).decode())
    return part


def _multipart(subtype: str, parts: list[MIMEPart]) -> MIMEPart:
    container = MIMEPart(policy=_FINISHED)
    container["Content-Type"] = f"multipart/{subtype}"
    for part in parts:
        container.attach(part)
    return container


def _attachment(attachment: Attachment) -> MIMEPart:
    maintype, subtype = _content_type(attachment)
    part = MIMEPart(policy=_ATTACHED)
    part.set_content(
        attachment.content,
        maintype,
        subtype,
        disposition="inline" if _is_inline(attachment) else "attachment",
        filename=check_text("a file name", attachment.filename),
        cid=_content_id(attachment),
    )
    return part


def _content_type(attachment: Attachment) -> tuple[str, str]:
    """Return type and subtype; parts that mail programs would unfold travel as plain bytes."""
    declared = check_text("a content type", attachment.content_type).partition(";")[0].strip()
    match = _CONTENT_TYPE.fullmatch(declared)
    if match is None or match[1].lower() in {"multipart", "message"}:
        return "application", "octet-stream"
    return match[1], match[2]


def _content_id(attachment: Attachment) -> str | None:
    if attachment.content_id is None:
        return None
    if not _CONTENT_ID.fullmatch(attachment.content_id):
        raise HeaderInjection("a content id contains spaces, brackets or control characters")
    return f"<{attachment.content_id}>"
