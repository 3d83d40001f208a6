"""The /v1 endpoints, coming in and going out."""

from __future__ import annotations

import base64
import binascii
import re
from typing import Any

from marshmallow import Schema, validates_schema

from plunk.schemas.fields import (
    CONTROL,
    Address,
    Choice,
    Flag,
    IdText,
    Input,
    JsonObject,
    ListOf,
    MapOf,
    Pattern,
    Sub,
    Text,
    Time,
)
from plunk.schemas.parties import MAX_NAME, PartiesField, PartyField
from plunk.schemas.problems import at, problem
from plunk.services.sending import NewAttachment, SendRequest
from plunk.services.tracking import TrackRequest

MAX_CUSTOM_BYTES = 256 * 1024
MAX_EVENT_NAME = 255
MAX_LINE = 998  # RFC 5322 §2.1.1
MAX_LABEL = 255
# RFC 5322 §3.6.8: printable ASCII without the colon
HEADER_NAME = Pattern(re.compile(r"[!-9;-~]*"), "Invalid header name")
FILENAME = Pattern(re.compile(rf'[^{CONTROL}"]*'), "Must not contain line breaks or quotes")
CONTENT_ID = Pattern(
    re.compile(r"[!-;=?-~]*"), "Must be printable ASCII without spaces and angle brackets"
)


class TrackIn(Input):
    """An event of one contact."""

    makes = TrackRequest
    event = Text(low=1, high=MAX_EVENT_NAME, required=True)
    email = Address(required=True)
    subscribed = Flag(allow_none=True)
    data = JsonObject(allow_none=True, max_bytes=MAX_CUSTOM_BYTES)


class TrackData(Schema):
    """What was stored."""

    contact = IdText(attribute="contact_id")
    event = IdText(attribute="event_id")
    timestamp = Time()


class TrackOut(Schema):
    """A stored event."""

    success = Flag()
    data = Sub(TrackData)


class Base64(Text):
    """Bytes in base64; white space, which e-mail libraries put in, is dropped."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> str:
        text = "".join(super()._deserialize(value, attr, data, **kwargs).split())
        try:
            base64.b64decode(text, validate=True)
        except (ValueError, binascii.Error):
            raise problem("Invalid base64", "invalid_string") from None
        return text


class AttachmentIn(Input):
    """A file that goes with the message; an inline one is shown inside the HTML."""

    makes = NewAttachment
    filename = Text(low=1, high=MAX_LABEL, pattern=FILENAME, required=True)
    content = Base64(low=1, required=True)
    contentType = Text(
        low=1, high=MAX_LABEL, single_line=True, required=True, attribute="content_type"
    )
    contentId = Text(low=1, high=MAX_LABEL, pattern=CONTENT_ID, attribute="content_id")
    disposition = Choice("attachment", "inline")

    @validates_schema(skip_on_field_errors=True)
    def need_content_id(self, values: dict[str, Any], **_: object) -> None:
        """Refuse an inline file that the HTML could not name."""
        if values.get("disposition") == "inline" and not values.get("content_id"):
            raise at("contentId", "contentId is required for inline attachments")


class SendIn(Input):
    """A message to one or more people, from a template or from its own subject and body."""

    makes = SendRequest
    alternatives = (("template",), ("subject", "body", "from"))
    to = PartiesField(required=True)
    subject = Text(low=1, high=MAX_LINE, single_line=True)
    body = Text(low=1)
    template = IdText(attribute="template_id")
    sender = PartyField(data_key="from")
    name = Text(high=MAX_NAME, single_line=True, attribute="sender_name")
    reply = Address(attribute="reply_to")
    subscribed = Flag(allow_none=True)
    headers = MapOf(
        Text(low=1, high=MAX_LABEL, pattern=HEADER_NAME), Text(high=MAX_LINE, single_line=True)
    )
    data = JsonObject(allow_none=True, max_bytes=MAX_CUSTOM_BYTES)
    attachments = ListOf(Sub(AttachmentIn))

    @validates_schema(skip_on_field_errors=True)
    def need_text(self, values: dict[str, Any], **_: object) -> None:
        """Refuse a message without any text."""
        if "template_id" not in values and not {"subject", "body"} <= values.keys():
            raise at("template", "Either template, or both subject and body are required")


class SendContact(Schema):
    """Who a message goes to."""

    id = IdText(attribute="contact_id")
    email = Text(attribute="address")


class SendEmail(Schema):
    """One queued message."""

    contact = Sub(SendContact, attribute="recipient")
    email = IdText(attribute="email_id")


class SendData(Schema):
    """The queued messages, in the order of their recipients."""

    emails = ListOf(Sub(SendEmail))
    timestamp = Time()


class SendOut(Schema):
    """Messages that wait to be sent."""

    success = Flag()
    data = Sub(SendData)
