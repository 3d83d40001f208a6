"""The endpoints under /v1 that applications call."""

from __future__ import annotations

from flask import Blueprint

from plunk.http.auth import Access
from plunk.http.endpoint import Answer, Call, Spec, endpoint
from plunk.schemas.public import SendIn, SendOut, TrackIn, TrackOut
from plunk.services import sending, tracking
from plunk.services.sending import SendRequest
from plunk.services.tracking import TrackRequest

SEND_LIMIT = 20 * 1024 * 1024

public = Blueprint("public", __name__, url_prefix="/v1")


@endpoint(
    public,
    "/track",
    method="POST",
    spec=Spec(body=TrackIn(), answers={200: TrackOut()}, access=Access.PUBLIC, idempotent=True),
)
def track(call: Call, *, body: TrackRequest) -> Answer:
    """Store an event of a contact, creating the contact when it is new."""
    tracked = tracking.track(
        call.session,
        call.project.id,
        body,
        trusted=call.project.key_kind == "secret",
        now=call.now,
    )
    return {"success": True, "data": tracked}, 200


@endpoint(
    public,
    "/send",
    method="POST",
    spec=Spec(
        body=SendIn(),
        answers={200: SendOut()},
        body_limit=SEND_LIMIT,
        idempotent=True,
        errors=(404,),
    ),
)
def send(call: Call, *, body: SendRequest) -> Answer:
    """Queue a message to one or more people, from a template or from its own text."""
    sent = sending.send(call.session, call.project.id, body, settings=call.settings, now=call.now)
    return {"success": True, "data": sent}, 200
