"""The journal: one log line for each request, without anything that somebody sent."""

from __future__ import annotations

from time import perf_counter

import structlog
from flask import Flask, Response, g, request

log = structlog.get_logger()
# Asked every few seconds by machines: their lines would bury the others.
PROBES = {"/health", "/healthz", "/readyz", "/metrics"}


def install(app: Flask) -> None:
    """Log every request when it is answered; its ids are bound to all lines in between.

    To be installed before whatever else looks at requests, so that it sees the answer last.
    """

    @app.before_request
    def start() -> None:
        g.started = perf_counter()
        structlog.contextvars.clear_contextvars()

    @app.after_request
    def tell(response: Response) -> Response:
        rule = request.url_rule.rule if request.url_rule else None
        write = log.debug if rule in PROBES else log.info
        write(
            "request",
            method=request.method,
            route=rule,  # not the path: that may hold addresses, and has no end of variants
            status=response.status_code,
            ms=round((perf_counter() - g.started) * 1000, 2),
        )
        return response
