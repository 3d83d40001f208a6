"""What Prometheus asks the web: figures that come from the database, for whoever has the token."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from threading import Lock

from flask import Blueprint, Response, current_app, request

from plunk.db import begin_reading, db
from plunk.errors import InvalidApiKey, UnknownRoute
from plunk.http.runtime import runtime
from plunk.metrics import CONTENT_TYPE, gauges_text
from plunk.security import is_bearer
from plunk.services import gauges

metrics = Blueprint("metrics", __name__)
KEPT = "plunk_metrics"
KEEP = timedelta(seconds=5)


@dataclass(slots=True)
class _Kept:
    """The last answer: however often it is asked for, the database is asked every few seconds."""

    lock: Lock = field(default_factory=Lock)
    until: datetime | None = None
    text: bytes = b""


@metrics.get("/metrics")
def show_metrics() -> Response:
    """Tell what is due, held and stored; without METRICS_TOKEN there is nothing here."""
    token = runtime().settings.metrics_token
    if not token:
        raise UnknownRoute("No route GET /metrics: METRICS_TOKEN is not set.")
    if not is_bearer(token, request.headers.get("Authorization")):
        raise InvalidApiKey("Send METRICS_TOKEN as a bearer token.")
    return Response(_text(runtime().clock.now()), content_type=CONTENT_TYPE)


def _text(now: datetime) -> bytes:
    kept: _Kept = current_app.extensions.setdefault(KEPT, _Kept())
    with kept.lock:
        if kept.until is None or now >= kept.until:
            session = db.session()
            begin_reading(session)
            kept.text = gauges_text(gauges.measure(session, now=now))
            kept.until = now + KEEP
        return kept.text
