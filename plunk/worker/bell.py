"""The bell: notices from the database, which ring for the job that looks after the queue."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from threading import Event, Thread
from typing import Any

import structlog
from sqlalchemy import Engine

from plunk.services.notices import CHANNEL, QUIET

log = structlog.get_logger()
LOOK_UP_SECONDS = 1.0  # how often the listener looks whether it is to stop
RETRY_SECONDS = 5.0
Ring = Callable[[], None]


class Bell:
    """Listens to PostgreSQL and calls the function of each queue that a notice names.

    A function never runs twice at once; a notice that comes meanwhile makes it run again.
    """

    def __init__(
        self,
        database: Engine,
        rings: Mapping[str, Ring],
        *,
        retry_seconds: float = RETRY_SECONDS,
    ) -> None:
        self._database = database
        self._retry_seconds = retry_seconds
        self._stopping = Event()
        self._rung = {queue: Event() for queue in rings}
        self._threads = [
            Thread(
                target=self._answer,
                args=(self._rung[queue], ring),
                name=f"bell-{queue}",
                daemon=True,
            )
            for queue, ring in rings.items()
        ]
        self._threads.append(Thread(target=self._listen, name="bell", daemon=True))

    def start(self) -> None:
        """Begin to listen."""
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """End, after what is running now."""
        self._stopping.set()
        for rung in self._rung.values():
            rung.set()
        for thread in self._threads:
            thread.join()

    def _answer(self, rung: Event, ring: Ring) -> None:
        while True:
            rung.wait()
            if self._stopping.is_set():
                return
            rung.clear()
            ring()
            self._stopping.wait(2 * QUIET)  # somebody may have kept quiet since
            if not self._stopping.is_set():
                ring()

    def _listen(self) -> None:
        while not self._stopping.is_set():
            try:
                self._hear()
            except Exception as error:  # noqa: BLE001 - without notices everything is but slower
                if not self._stopping.is_set():
                    log.warning("bell.deaf", reason=error)
                self._stopping.wait(self._retry_seconds)

    def _hear(self) -> None:
        """Pass notices on until told to stop, or until the connection breaks."""
        with self._database.connect() as connection:
            connection.execution_options(isolation_level="AUTOCOMMIT")
            listening: Any = connection.connection.driver_connection
            listening.execute(f"LISTEN {CHANNEL}")
            for rung in self._rung.values():
                rung.set()  # whatever was told while nobody listened
            while not self._stopping.is_set():
                for notice in listening.notifies(timeout=LOOK_UP_SECONDS):
                    if notice.payload in self._rung:
                        self._rung[notice.payload].set()
