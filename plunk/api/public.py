"""The endpoints under /v1 that applications call."""

from __future__ import annotations

from functools import partial
from typing import Any

from flask import Blueprint

from plunk.db import is_undone
from plunk.errors import PlunkError
from plunk.http.auth import Access
from plunk.http.endpoint import Answer, Call, Spec, endpoint
from plunk.http.envelope import members_of
from plunk.http.runtime import runtime
from plunk.schemas.batches import TrackBatchIn, TrackBatchOut
from plunk.schemas.public import SendIn, SendOut, TrackIn, TrackOut
from plunk.services import batches, sending
from plunk.services.sending import SendRequest
from plunk.services.tracking import Tracked, TrackRequest

SEND_LIMIT = 20 * 1024 * 1024
BATCH_LIMIT = 5 * 1024 * 1024

public = Blueprint("public", __name__, url_prefix="/v1")


@endpoint(
    public,
    "/track",
    method="POST",
    spec=Spec(
        body=TrackIn(),
        answers={200: TrackOut()},
        access=Access.PUBLIC,
        idempotent=True,
        gathered=True,
    ),
)
def track(call: Call, *, body: TrackRequest) -> Answer:
    """Store an event of a contact, creating the contact when it is new."""
    tracked = runtime().gatherer.track(
        call.project.id,
        body,
        trusted=call.project.key_kind == "secret",
        now=runtime().clock.now,
    )
    return {"success": True, "data": tracked}, 200


@endpoint(
    public,
    "/track/batch",
    method="POST",
    spec=Spec(
        body=TrackBatchIn(),
        answers={200: TrackBatchOut()},
        access=Access.PUBLIC,
        body_limit=BATCH_LIMIT,
        idempotent=True,
    ),
)
def track_batch(call: Call, *, body: dict[str, Any]) -> Answer:
    """Store up to 1,000 events, each as POST /v1/track does; a bad one does not stop the others."""
    track_all = partial(
        batches.track_all,
        call.session,
        call.project.id,
        body["events"],
        trusted=call.project.key_kind == "secret",
        now=call.now,
    )
    try:
        results = track_all()
    except Exception as error:  # two batches about the same people may wait for each other
        if not is_undone(error):
            raise
        call.session.rollback()
        results = track_all()
    accepted = sum(isinstance(one, Tracked) for one in results)
    data = {
        "results": [_result(one) for one in results],
        "accepted": accepted,
        "rejected": len(results) - accepted,
    }
    return {"success": True, "data": data}, 200


def _result(one: Tracked | PlunkError) -> dict[str, object]:
    if isinstance(one, Tracked):
        return {"contact": one.contact_id, "event": one.event_id}
    return {"error": members_of(one)}


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
