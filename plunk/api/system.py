"""What anybody may ask without a key: is it up, and what can it do."""

from __future__ import annotations

import os
import resource
import time

from flask import Blueprint, Response, current_app, redirect
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError
from werkzeug.wrappers import Response as BaseResponse

from plunk.clock import SystemClock
from plunk.db import begin_reading, db
from plunk.errors import NotReady
from plunk.http.auth import Access
from plunk.http.endpoint import SPECS, Spec
from plunk.http.runtime import runtime
from plunk.schemas.system import ConfigOut, HealthOut, ProbeOut

system = Blueprint("system", __name__)
STARTED = time.monotonic()
SPECS["system.health"] = Spec(answers={200: HealthOut()}, access=Access.NONE)
SPECS["system.healthz"] = Spec(answers={200: ProbeOut()}, access=Access.NONE)
SPECS["system.readyz"] = Spec(answers={200: ProbeOut()}, access=Access.NONE, errors=(503,))
SPECS["system.config"] = Spec(answers={200: ConfigOut()}, access=Access.NONE)


def _json(payload: object) -> Response:
    return Response(current_app.json.dumps(payload), mimetype="application/json")


@system.get("/")
def home() -> BaseResponse:
    """Send people to the dashboard, or to the documentation where there is none."""
    return redirect("/docs")


@system.get("/health")
def health() -> Response:
    """Answer 200 while the process runs and reaches its database."""
    begin_reading(db.session())
    db.session.execute(text("SELECT 1"))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    return _json(
        {
            "status": "ok",
            "time": int(SystemClock().now().timestamp() * 1000),
            "environment": runtime().settings.environment,
            "uptime": round(time.monotonic() - STARTED, 3),
            "memoryUsage": {
                "rss": _resident() or peak,
                "heapTotal": peak,
                "heapUsed": _resident() or peak,
                "external": 0,
                "arrayBuffers": 0,
            },
        }
    )


@system.get("/healthz")
def healthz() -> Response:
    """Answer 200 while the process lives, whatever its database does.

    Who gets no answer should restart the process.
    """
    return _json({"status": "ok"})


@system.get("/readyz")
def readyz() -> Response:
    """Answer 200 while the database answers and has this version's tables.

    With 503 and the code `NOT_READY`, requests belong elsewhere; a restart would not help.
    """
    try:
        session = db.session()
        begin_reading(session)
        is_behind = runtime().is_behind(session.connection())
    except SQLAlchemyError as error:
        raise NotReady("The database does not answer.", details={"database": "silent"}) from error
    if is_behind:
        raise NotReady(
            "The database lacks this version's tables: run `plunk migrate`.",
            details={"database": "ok", "migrations": "behind"},
        )
    return _json({"status": "ok"})


@system.get("/config")
def config() -> Response:
    """Tell clients where things are and which features are switched on."""
    settings = runtime().settings
    return _json(
        {
            "environment": settings.environment,
            "urls": {
                "api": settings.api_url,
                "dashboard": settings.dashboard_url,
                "landing": settings.dashboard_url,
                "wiki": None,
            },
            "features": {
                "billing": {"enabled": False},
                "storage": {"s3Enabled": False},
                "authProviders": {"github": False, "google": False},
                "email": {"trackingToggleEnabled": False},
                "smtp": {"enabled": False, "domain": None, "ports": None},
            },
            "aws": {"sesRegion": None},
        }
    )


def _resident() -> int:
    """Return the bytes this process holds in memory; 0 where the system does not tell."""
    try:
        with open("/proc/self/statm", encoding="ascii") as statm:  # noqa: PTH123 - not a real file
            return int(statm.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except OSError:
        return 0
