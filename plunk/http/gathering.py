"""Gathering: events that come in at the same time are stored in one transaction.

Each project has a line. Whoever finds none leads one: it stores its event, and all that stand in
line by then go together in the next transaction, led by the first of them. Alone, nobody waits for
anybody; under load the cost of a transaction is shared. Each event counts as if it had come alone
(services/batches.py), and no project waits for another one (I7).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from threading import Event, Lock

import structlog
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.orm import Session, sessionmaker

from plunk.db import has_timed_out, is_passing
from plunk.services import batches, tracking
from plunk.services.tracking import Tracked, TrackRequest

MOST = 200
Now = Callable[[], datetime]
Line = tuple[str, bool]  # a project, and whether its secret key was used
Results = Sequence[Tracked | Exception]


class InDoubt(Exception):
    """A commit failed for this cause; nobody knows whether it was done."""

    def __init__(self, cause: Exception) -> None:
        super().__init__(str(cause))
        self.cause = cause


class _Wanted:
    """One event that a thread waits for, until it has a result or its turn to lead."""

    __slots__ = ("request", "result", "woken")

    def __init__(self, request: TrackRequest) -> None:
        self.request = request
        self.result: Tracked | Exception | None = None
        self.woken = Event()


class Gatherer:
    """Tracks events for many threads at once."""

    def __init__(self, sessions: sessionmaker[Session]) -> None:
        self._sessions = sessions
        self._lock = Lock()
        self._lines: dict[Line, list[_Wanted]] = {}

    def track(self, project_id: str, request: TrackRequest, *, trusted: bool, now: Now) -> Tracked:
        """Return the stored event when its transaction is committed, or raise why it is not."""
        wanted, line = _Wanted(request), (project_id, trusted)
        with self._lock:
            others = self._lines.get(line)
            if others is None:
                self._lines[line] = []
            else:
                others.append(wanted)
        if others is not None:
            wanted.woken.wait()
        if wanted.result is None:  # its turn to lead
            self._lead(line, wanted, now)
        if isinstance(wanted.result, Tracked):
            return wanted.result
        raise wanted.result or RuntimeError("The leader's thread was ended.")

    def _lead(self, line: Line, leader: _Wanted, now: Now) -> None:
        """Store one's own event with those that stand in line, and hand over to who came since."""
        with self._lock:
            waiting = self._lines[line]
            mine, waiting[:] = [leader, *waiting[: MOST - 1]], waiting[MOST - 1 :]
        try:
            with structlog.contextvars.bound_contextvars(project_id=line[0]):
                self._store(line, mine, now)
        finally:  # whatever happens to this thread, nobody is left waiting
            for one in mine[1:]:
                one.result = one.result or RuntimeError("The leader's thread was ended.")
                one.woken.set()
            self._hand_over(line)

    def _hand_over(self, line: Line) -> None:
        with self._lock:
            if self._lines[line]:
                self._lines[line].pop(0).woken.set()
            else:
                del self._lines[line]

    def _store(self, line: Line, group: Sequence[_Wanted], now: Now) -> None:
        """Store events together; if they cannot be, one by one, so that only the culprit fails.

        What passes by itself, a lock or a restart, would only hold up each of them once more.
        """
        results: Results
        try:
            results = self._attempt(line, group, now)
        except InDoubt as error:
            results = [error.cause] * len(group)
        except Exception as error:  # noqa: BLE001 - whatever it is, each gets its own answer
            if len(group) > 1 and not _holds_up(error):
                for one in group:
                    self._store(line, [one], now)
                return
            results = [error] * len(group)
        for one, result in zip(group, results, strict=True):
            one.result = result

    def _attempt(self, line: Line, group: Sequence[_Wanted], now: Now) -> Results:
        """Store events in one transaction; a connection that was dead already is replaced."""
        try:
            return self._commit(line, group, now)
        except DBAPIError as error:
            if not error.connection_invalidated:
                raise
            return self._commit(line, group, now)

    def _commit(self, line: Line, group: Sequence[_Wanted], now: Now) -> Results:
        at = now()  # before a connection is held: it may need one of its own
        with self._sessions() as session:
            results = _tracked(session, line, [one.request for one in group], at)
            try:
                session.commit()
            except Exception as error:
                raise InDoubt(error) from error
            return results


def _holds_up(error: Exception) -> bool:
    """Tell whether each of a group would only wait for the same once more."""
    return is_passing(error) or has_timed_out(error) or isinstance(error, PoolTimeout)


def _tracked(
    session: Session, line: Line, requests: Sequence[TrackRequest], now: datetime
) -> Results:
    project_id, trusted = line
    if len(requests) == 1:
        return [tracking.track(session, project_id, requests[0], trusted=trusted, now=now)]
    return batches.track_all(session, project_id, requests, trusted=trusted, now=now)
