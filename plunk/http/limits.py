"""How many requests a project may make: a moving window per project, kept in memory or Redis."""

from __future__ import annotations

import math
import time

from flask import Flask, Response, g
from limits import RateLimitItem, parse
from limits.errors import StorageError
from limits.storage import storage_from_string
from limits.strategies import SlidingWindowCounterRateLimiter

from plunk.errors import Misconfigured, RateLimitExceeded


class Limiter:
    """Counts each project's requests; a store that is down lets everything pass."""

    def __init__(self, limit: str, storage_uri: str) -> None:
        try:
            self._item: RateLimitItem = parse(limit)
            storage = storage_from_string(storage_uri, wrap_exceptions=True)
        except Exception as error:  # noqa: BLE001 - each storage raises its own kind
            raise Misconfigured(
                f"RATELIMIT_API={limit!r} or RATELIMIT_STORAGE_URI cannot be used: {error}"
            ) from None
        self._window = SlidingWindowCounterRateLimiter(storage)

    def check(self, project_id: str) -> None:
        """Count one request; RateLimitExceeded when the window is full."""
        try:
            allowed = self._window.hit(self._item, "api", project_id)
            stats = self._window.get_window_stats(self._item, "api", project_id)
        except StorageError:
            return
        wait = max(1, math.ceil(stats.reset_time - time.time()))
        g.rate_limit = {
            "RateLimit-Limit": str(self._item.amount),
            "RateLimit-Remaining": str(max(0, stats.remaining)),
            "RateLimit-Reset": str(wait),
        }
        if not allowed:
            raise RateLimitExceeded(
                f"More than {self._item}; try again in {wait} s.", details={"retryAfter": wait}
            )


def install(app: Flask) -> None:
    """Tell callers what is left of their window, refusals and errors included."""

    @app.after_request
    def add_headers(response: Response) -> Response:
        response.headers.extend(g.get("rate_limit", {}))
        return response
