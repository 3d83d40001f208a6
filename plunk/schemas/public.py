"""The /v1 endpoints, coming in and going out."""

from __future__ import annotations

from marshmallow import Schema

from plunk.schemas.fields import Address, Flag, IdText, Input, JsonObject, Sub, Text, Time
from plunk.services.tracking import TrackRequest

MAX_CUSTOM_BYTES = 256 * 1024
MAX_EVENT_NAME = 255


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
