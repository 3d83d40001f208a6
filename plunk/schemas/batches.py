"""POST /v1/track/batch, coming in and going out: every item is judged by itself."""

from __future__ import annotations

import json
from typing import Any

from marshmallow import Schema, ValidationError

from plunk.addresses import is_address
from plunk.errors import FieldProblem, Invalid
from plunk.schemas.fields import Flag, IdText, Input, JsonObject, ListOf, Sub, Text, Whole
from plunk.schemas.problems import json_type, problems_of
from plunk.schemas.public import MAX_CUSTOM_BYTES, MAX_EVENT_NAME, TrackIn
from plunk.services.batches import MAX_EVENTS
from plunk.services.tracking import TrackRequest

ONE = TrackIn()
ABSENT = {"optional": True}


class Events(ListOf):
    """An array of events; one that breaks a rule stays in its place as its error."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **_: Any) -> list[Any]:
        return [_plain(item) or _checked(item) for item in self.counted(value)]


class Made(ListOf):
    """An array that goes out as it is: a thousand items are not walked through again."""

    def _serialize(self, value: Any, attr: str | None, obj: Any, **_: Any) -> Any:
        return value


def _plain(item: object) -> TrackRequest | None:
    """Return the event when it clearly keeps TrackIn's rules, which take seven times as long."""
    if not isinstance(item, dict):
        return None
    event, email = item.get("event"), item.get("email")
    subscribed, data = item.get("subscribed"), item.get("data")
    if (
        isinstance(event, str)
        and 0 < len(event) <= MAX_EVENT_NAME
        and isinstance(email, str)
        and is_address(email := email.strip())
        and isinstance(subscribed, bool | None)
        and isinstance(data, dict | None)
        and (not data or len(json.dumps(data)) <= MAX_CUSTOM_BYTES)
    ):
        return TrackRequest(event, email, subscribed, data)
    return None


def _checked(item: object) -> TrackRequest | Invalid:
    if not isinstance(item, dict):
        received = json_type(item)
        message = f"Expected object, received {received}"
        return Invalid([FieldProblem("", message, "invalid_type", received)])
    try:
        made: TrackRequest = ONE.load(item)
    except ValidationError as error:
        return TrackIn.refusal(problems_of(error))
    return made


class TrackBatchIn(Input):
    """Events of any number of contacts, in the order in which they happened."""

    events = Events(Sub(TrackIn), low=1, high=MAX_EVENTS, required=True)


class BatchProblem(Schema):
    """One mistake in one field of the event."""

    field = Text()
    message = Text()
    code = Text()
    received = Text(metadata=ABSENT)


class BatchFailure(Schema):
    """Why an event was refused: what POST /v1/track answers to it alone, without a request id."""

    code = Text()
    message = Text()
    statusCode = Whole(low=400, high=599)
    errors = ListOf(Sub(BatchProblem), metadata=ABSENT)
    details = JsonObject(metadata=ABSENT)
    suggestion = Text(metadata=ABSENT)


class BatchResult(Schema):
    """What became of one event: its contact and its own id, or else an error."""

    contact = IdText(metadata=ABSENT)
    event = IdText(metadata=ABSENT)
    error = Sub(BatchFailure, metadata=ABSENT)


class TrackBatchData(Schema):
    """One result for each event, in their order."""

    results = Made(Sub(BatchResult))
    accepted = Whole(high=MAX_EVENTS)
    rejected = Whole(high=MAX_EVENTS)


class TrackBatchOut(Schema):
    """The events that were accepted are stored, all of them; the others did nothing."""

    success = Flag()
    data = Sub(TrackBatchData)
