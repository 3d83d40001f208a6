"""Keeps a provider below its messages per second."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable


class Pace:
    """Hands out evenly spaced moments to all threads of one process; no rate means no waiting."""

    def __init__(
        self,
        per_second: float | None,
        *,
        monotonic: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._interval = 1 / per_second if per_second else 0.0
        self._monotonic = monotonic
        self._sleep = sleep
        self._lock = threading.Lock()
        self._next = 0.0

    def wait(self) -> None:
        """Return when the next message may go."""
        if not self._interval:
            return
        with self._lock:
            now = self._monotonic()
            mine = max(now, self._next)
            self._next = mine + self._interval
        if mine > now:
            self._sleep(mine - now)
