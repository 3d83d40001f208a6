"""Gathering: events that come in at the same time are stored in one transaction.

Each project has a line. Whoever finds none leads one: it stores its event, and all that stand in
line by then go together in the next transaction, led by the first of them. Alone, nobody waits for
anybody; under load the cost of a transaction is shared. Each event counts as if it had come alone
(services/batches.py), and no project waits for another one (I7).

A contact that somebody keeps locked holds up nobody else for long: a group gives it half a second,
then each of the group goes alone; and whoever stands in line for half a second leads without being
asked. A project has a few transactions at a time; who finds no place among them is refused.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from datetime import datetime
from threading import Condition, Event, Lock

import structlog
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session, sessionmaker

from plunk.db import InDoubt, commit, is_locked, is_passing, is_postgres, is_undone
from plunk.errors import DatabaseBusy
from plunk.services import batches, tracking
from plunk.services.tracking import Tracked, TrackRequest

MOST = 200
PATIENCE = 0.5  # seconds
MOST_ROUNDS = 4  # of waiting, before a request is refused
MOST_AT_ONCE = 4  # transactions of one line
CROWDED = "Too many events of the project wait for contacts that are locked."
Now = Callable[[], datetime]
Line = tuple[str, bool]  # a project, and whether its secret key was used
Results = Sequence[Tracked | Exception]


class Locked(Exception):
    """A contact among those of a group was locked for longer than a group waits."""


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
        self._left = Condition(self._lock)  # somebody's transaction has ended
        self._lines: dict[Line, list[_Wanted]] = {}
        self._under_way: Counter[Line] = Counter()
        # SQLite locks no rows: there, nobody would get on who does not wait.
        self._locks_rows = sessions.kw["bind"].dialect.name == "postgresql"

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
            self._wait(line, wanted)
        if wanted.result is None:  # its turn to lead
            self._lead(line, wanted, now)
        if isinstance(wanted.result, Locked):
            self._go_alone(line, wanted, now)
        if isinstance(wanted.result, Tracked):
            return wanted.result
        raise wanted.result or RuntimeError("The leader's thread was ended.")

    def _wait(self, line: Line, wanted: _Wanted) -> None:
        """Stand in the line until there is a result, or it is time to lead."""
        rounds = 0
        while not wanted.woken.wait(PATIENCE):
            with self._lock:
                waiting = self._lines.get(line, [])
                if wanted not in waiting or not self._locks_rows:
                    continue  # its transaction is under way
                rounds += 1
                has_place = self._under_way[line] < MOST_AT_ONCE
                if has_place or rounds == MOST_ROUNDS:
                    waiting.remove(wanted)
                    wanted.result = None if has_place else DatabaseBusy(CROWDED)
                    return

    def _lead(self, line: Line, leader: _Wanted, now: Now) -> None:
        """Store one's own event with those that stand in line, and hand over to who came since."""
        with self._lock:
            waiting = self._lines.setdefault(line, [])
            mine, waiting[:] = [leader, *waiting[: MOST - 1]], waiting[MOST - 1 :]
            self._under_way[line] += 1
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
            self._leave(line)
            if waiting := self._lines.get(line):
                waiting.pop(0).woken.set()
            else:
                self._lines.pop(line, None)

    def _leave(self, line: Line) -> None:
        self._under_way[line] -= 1
        if not self._under_way[line]:
            del self._under_way[line]
        self._left.notify_all()

    def _go_alone(self, line: Line, wanted: _Wanted, now: Now) -> None:
        """Store one event in a transaction of its own, while the line goes on."""
        with self._lock:
            if not self._left.wait_for(
                lambda: self._under_way[line] < MOST_AT_ONCE, PATIENCE * MOST_ROUNDS
            ):
                raise DatabaseBusy(CROWDED)
            self._under_way[line] += 1
        try:
            self._store(line, [wanted], now)
        finally:
            with self._lock:
                self._leave(line)

    def _store(self, line: Line, group: Sequence[_Wanted], now: Now) -> None:
        """Store events together; if they cannot be, one by one, so that only the culprit fails.

        What passes by itself, such as a restart, would only hold up each of them once more.
        """
        results: Results
        try:
            results = self._attempt(line, group, now)
        except Exception as error:  # noqa: BLE001 - whatever it is, each gets its own answer
            in_doubt = isinstance(error, InDoubt)
            if len(group) > 1 and not in_doubt and not is_passing(error):
                for one in group:
                    self._store(line, [one], now)
                return
            alone = len(group) > 1 and is_locked(error)
            results = [Locked() if alone else error] * len(group)
        for one, result in zip(group, results, strict=True):
            one.result = result

    def _attempt(self, line: Line, group: Sequence[_Wanted], now: Now) -> Results:
        """Store events in one transaction; what was undone for no fault of theirs is done again."""
        try:
            return self._commit(line, group, now)
        except DBAPIError as error:
            if not is_undone(error):
                raise
            return self._commit(line, group, now)

    def _commit(self, line: Line, group: Sequence[_Wanted], now: Now) -> Results:
        at = now()  # before a connection is held: it may need one of its own
        with self._sessions() as session:
            if len(group) > 1 and is_postgres(session):
                patience = f"SET LOCAL lock_timeout = {PATIENCE * 1000:.0f}"
                session.connection().exec_driver_sql(patience)
            results = _tracked(session, line, [one.request for one in group], at)
            commit(session)
            return results


def _tracked(
    session: Session, line: Line, requests: Sequence[TrackRequest], now: datetime
) -> Results:
    project_id, trusted = line
    if len(requests) == 1:
        return [tracking.track(session, project_id, requests[0], trusted=trusted, now=now)]
    return batches.track_all(session, project_id, requests, trusted=trusted, now=now)
