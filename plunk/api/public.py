"""The endpoints under /v1 that applications call."""

from __future__ import annotations

from flask import Blueprint

from plunk.http.auth import Access
from plunk.http.endpoint import Answer, Call, Spec, endpoint
from plunk.schemas.public import TrackIn, TrackOut
from plunk.services import tracking
from plunk.services.tracking import TrackRequest

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
