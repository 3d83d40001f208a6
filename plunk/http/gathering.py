"""Gathering: events that come in at the same time are stored in one transaction.

Whoever comes first leads: it stores its event, and all that arrive while it is at it go together
in the next transaction, led by the first of them. Alone, nobody waits for anybody; under load the
cost of a transaction is shared. Each event counts as if it had come alone (services/batches.py).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from threading import Event, Lock

from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session, sessionmaker

from plunk.services import batches, tracking
from plunk.services.tracking import Tracked, TrackRequest

MOST = 200


class _Wanted:
    """One event that somebody waits for, until it has a result or its turn to lead."""

    __slots__ = ("project_id", "request", "result", "trusted", "woken")

    def __init__(self, project_id: str, request: TrackRequest, *, trusted: bool) -> None:
        self.project_id = project_id
        self.request = request
        self.trusted = trusted
        self.result: Tracked | Exception | None = None
        self.woken = Event()


class Gatherer:
    """Tracks events for many threads at once."""

    def __init__(self, sessions: sessionmaker[Session]) -> None:
        self._sessions = sessions
        self._lock = Lock()
        self._waiting: list[_Wanted] = []
        self._is_led = False

    def track(
        self, project_id: str, request: TrackRequest, *, trusted: bool, now: Callable[[], datetime]
    ) -> Tracked:
        """Return the stored event when its transaction is committed, or raise why it is not."""
        wanted = _Wanted(project_id, request, trusted=trusted)
        with self._lock:
            self._waiting.append(wanted)
            leads, self._is_led = not self._is_led, True
        if not leads:
            wanted.woken.wait()
        if wanted.result is None:  # its turn has come
            self._lead(now())
        if not isinstance(wanted.result, Tracked):
            raise wanted.result or RuntimeError("an event was left out")
        return wanted.result

    def _lead(self, now: datetime) -> None:
        """Store what is waiting, whoever leads included, and hand over to who came meanwhile."""
        with self._lock:
            mine, self._waiting = self._waiting[:MOST], self._waiting[MOST:]
        try:
            for group in _groups(mine):
                self._store(group, now)
        finally:
            with self._lock:
                self._is_led = bool(self._waiting)
                following = self._waiting[:1]
            for one in mine:
                one.result = one.result or RuntimeError("its transaction was given up")
            for one in (*mine, *following):
                one.woken.set()

    def _store(self, group: Sequence[_Wanted], now: datetime) -> None:
        """Store events of one project; when they cannot be stored together, one by one (I7)."""
        results: Sequence[Tracked | Exception]
        try:
            results = self._attempt(group, now)
        except InDoubt as error:
            results = [error.cause] * len(group)
        except Exception as error:  # noqa: BLE001 - whatever it is, each gets its own answer
            if len(group) > 1:
                for one in group:
                    self._store([one], now)
                return
            results = [error]
        for one, result in zip(group, results, strict=True):
            one.result = result

    def _attempt(self, group: Sequence[_Wanted], now: datetime) -> Sequence[Tracked | Exception]:
        """Store events in one transaction; a dead connection is replaced before anything is done.

        When the commit fails nobody knows whether it was done: InDoubt, and no second attempt.
        """
        try:
            return self._store_together(group, now)
        except DBAPIError as error:
            if not error.connection_invalidated:
                raise
            return self._store_together(group, now)

    def _store_together(
        self, group: Sequence[_Wanted], now: datetime
    ) -> Sequence[Tracked | Exception]:
        with self._sessions() as session:
            results = _tracked(session, group, now)
            try:
                session.commit()
            except Exception as error:
                raise InDoubt(error) from error
            return results


class InDoubt(Exception):
    """A commit failed, for this cause."""

    def __init__(self, cause: Exception) -> None:
        super().__init__(str(cause))
        self.cause = cause


def _groups(wanted: Sequence[_Wanted]) -> list[list[_Wanted]]:
    """Return what may go into one transaction: one project, one kind of key."""
    groups: dict[tuple[str, bool], list[_Wanted]] = {}
    for one in wanted:
        groups.setdefault((one.project_id, one.trusted), []).append(one)
    return list(groups.values())


def _tracked(
    session: Session, group: Sequence[_Wanted], now: datetime
) -> Sequence[Tracked | Exception]:
    project_id, trusted = group[0].project_id, group[0].trusted
    requests = [one.request for one in group]
    if len(requests) == 1:
        return [tracking.track(session, project_id, requests[0], trusted=trusted, now=now)]
    return batches.track_all(session, project_id, requests, trusted=trusted, now=now)
