"""Simulations: what is to happen to a contact, and what came of it."""

from __future__ import annotations

from marshmallow import Schema

from plunk.schemas.fields import (
    AnyJson,
    Choice,
    Flag,
    Input,
    JsonObject,
    ListOf,
    MapOf,
    Sub,
    Text,
    Whole,
)
from plunk.schemas.flows import MAX_PATH, DiagnosticOut
from plunk.services.simulating import Scenario

MAX_DAYS = 3_660
CONTACT = {"example": {"email": "ada@example.com", "data": {"plan": "pro"}}}
NOON = {"format": "date-time", "example": "2026-03-02T12:00:00Z"}
STATUSES = ("RUNNING", "WAITING", "COMPLETED", "EXITED", "FAILED", "CANCELLED")


class SimulateIn(Input):
    """Who it happens to, and what: an event, or a workflow that is started by hand.

    Without files the project's own workflows take part; `workflow` leaves the others out.
    """

    makes = Scenario
    alternatives = (("event",), ("workflow",))
    contact = JsonObject(required=True, max_bytes=65_536, metadata=CONTACT)
    files = MapOf(Text(low=1, high=MAX_PATH), Text())
    event = Text(low=1, high=255)
    workflow = Text(low=1, high=100)
    data = JsonObject(max_bytes=65_536)
    at = Text(metadata=NOON)
    days = Whole(high=MAX_DAYS)


class EntryOut(Schema):
    """One thing that happened: in a run, or to the contact."""

    at = Text(metadata=NOON)
    kind = Text()
    workflow = Text(allow_none=True)
    run = Whole(allow_none=True)
    step = Text(allow_none=True)
    text = Text()
    details = JsonObject()


class SimulatedRunOut(Schema):
    """One run; `step` is where it stands, as the text calls it."""

    run = Whole()
    workflow = Text()
    status = Choice(*STATUSES)
    step = Text(allow_none=True)
    reason = Text(allow_none=True)
    goals = ListOf(Text())
    startedAt = Text(metadata=NOON)
    completedAt = Text(allow_none=True)
    waitsUntil = Text(allow_none=True)


class SimulatedMailOut(Schema):
    """A message as it would be sent; `error` says why it would not."""

    at = Text(metadata=NOON)
    run = Whole()
    step = Text()
    template = Text()
    to = Text(allow_none=True)
    sender = Text(data_key="from", attribute="from", allow_none=True)
    fromName = Text(allow_none=True)
    replyTo = Text(allow_none=True)
    subject = Text(allow_none=True)
    body = Text(allow_none=True)
    error = Text(allow_none=True)


class SimulatedCallOut(Schema):
    """A web hook as it would be called; the answer is made up."""

    at = Text(metadata=NOON)
    run = Whole()
    step = Text()
    method = Text()
    url = Text()
    headers = JsonObject()
    body = AnyJson()
    status = Whole(allow_none=True)
    error = Text(allow_none=True)


class SimulatedContactOut(Schema):
    """The contact as it ends."""

    email = Text()
    subscribed = Flag()
    data = JsonObject()
    segments = ListOf(Text())


class SimulatedOut(Schema):
    """What came of it; `stopped` says why it was broken off, the diagnostics are warnings."""

    timeline = ListOf(Sub(EntryOut))
    runs = ListOf(Sub(SimulatedRunOut))
    emails = ListOf(Sub(SimulatedMailOut))
    webhooks = ListOf(Sub(SimulatedCallOut))
    contact = Sub(SimulatedContactOut)
    endedAt = Text(metadata=NOON)
    notes = ListOf(Text())
    stopped = Text(allow_none=True)
    diagnostics = ListOf(Sub(DiagnosticOut))
