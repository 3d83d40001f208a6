"""Gathering: events that come in at the same time are stored in one transaction.

Each project has a line. Whoever finds none leads one: it stores its event, and all that stand in
line by then go together in the next transaction, led by the first of them. Alone, nobody waits for
anybody; under load the cost of a transaction is shared. Each event counts as if it had come alone
(services/batches.py), and no project waits for another one (I7).

A contact that somebody keeps locked holds up nobody else for long. A group gives it half a second;
then each of the group goes alone, and whose contact it was is refused; so are further events of
that contact for a second, lest they spoil more groups. Whoever stands in line for half a second
leads without being asked. A line has a few transactions at a time; who finds no place among them
in two seconds is refused.

What a thread finds in its `_Wanted` when it wakes: a Tracked or an error is its answer; Locked, and
it goes alone; nothing, and it leads.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import datetime
from threading import Condition, Event, Lock

import structlog
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session, sessionmaker

from plunk.addresses import normalise
from plunk.db import InDoubt, commit, is_locked, is_passing, is_undone
from plunk.errors import DatabaseBusy
from plunk.services import batches, tracking
from plunk.services.tracking import Tracked, TrackRequest

MOST = 200
PATIENCE = 0.5  # seconds
MOST_ROUNDS = 4  # of waiting, before a request is refused
MOST_AT_ONCE = 4  # transactions of one line
CROWDED = "Too many events of the project wait for contacts that are locked."
HELD = "The contact is locked by somebody else."
HELD_SECONDS = 1.0  # for which a contact that was locked is taken to be so
MOST_HELD = 1_000
Now = Callable[[], datetime]
Line = tuple[str, bool]  # a project, and whether its secret key was used
Whose = tuple[str, str]  # a project, and the address of a contact
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
        self._held: dict[Whose, float] = {}  # until when it is taken to be locked
        # SQLite locks no rows: there, nobody would get on who does not wait.
        self._locks_rows = sessions.kw["bind"].dialect.name == "postgresql"

    def track(self, project_id: str, request: TrackRequest, *, trusted: bool, now: Now) -> Tracked:
        """Return the stored event when its transaction is committed, or raise why it is not."""
        wanted, line = _Wanted(request), (project_id, trusted)
        with self._lock:
            if self._held:
                self._refuse_held((project_id, normalise(request.email)))
            others = self._lines.get(line)
            if others is None:
                self._lines[line] = []
            else:
                others.append(wanted)
        hurried = others is not None and self._wait(line, wanted)
        if wanted.result is None:
            self._lead(line, wanted, now, hurried=hurried)
        if isinstance(wanted.result, Locked):
            self._go_alone(line, wanted, now)
        if isinstance(wanted.result, Tracked):
            return wanted.result
        raise wanted.result or RuntimeError("The leader's thread was ended.")

    def _wait(self, line: Line, wanted: _Wanted) -> bool:
        """Stand in the line until there is a result, or it is time to lead; True if unasked."""
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
                    return True
        return False

    def _lead(self, line: Line, leader: _Wanted, now: Now, *, hurried: bool) -> None:
        """Store one's own event with those that stand in line, and hand over to who came since."""
        with self._lock:
            waiting = self._lines.setdefault(line, [])
            mine, waiting[:] = [leader, *waiting[: MOST - 1]], waiting[MOST - 1 :]
            self._under_way[line] += 1
        try:
            with structlog.contextvars.bound_contextvars(project_id=line[0]):
                self._store(line, mine, now, hurried=hurried or len(mine) > 1)
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
        whose = (line[0], normalise(wanted.request.email))
        with self._lock:
            self._refuse_held(whose)
            self._hold(whose)  # others of the same contact need not try at the same time
            if not self._left.wait_for(
                lambda: self._under_way[line] < MOST_AT_ONCE, PATIENCE * MOST_ROUNDS
            ):
                raise DatabaseBusy(CROWDED)
            self._under_way[line] += 1
        try:
            self._store(line, [wanted], now, hurried=True)
        finally:
            with self._lock:
                if isinstance(wanted.result, Tracked):
                    self._held.pop(whose, None)
                else:
                    self._hold(whose)
                self._leave(line)

    def _hold(self, whose: Whose) -> None:
        if len(self._held) >= MOST_HELD:
            self._held.clear()
        self._held[whose] = time.monotonic() + HELD_SECONDS

    def _refuse_held(self, whose: Whose) -> None:
        if (until := self._held.get(whose)) is not None:
            if time.monotonic() < until:
                raise DatabaseBusy(HELD)
            del self._held[whose]

    def _store(self, line: Line, group: Sequence[_Wanted], now: Now, *, hurried: bool) -> None:
        """Store events together; if they cannot be, one by one, so that only the culprit fails.

        What passes by itself, such as a restart, would only hold up each of them once more.
        """
        results: Results
        try:
            results = self._attempt(line, group, now, hurried=hurried)
        except Exception as error:  # noqa: BLE001 - whatever it is, each gets its own answer
            in_doubt = isinstance(error, InDoubt)
            if len(group) > 1 and not in_doubt and not is_passing(error):
                for one in group:
                    self._store(line, [one], now, hurried=hurried)
                return
            alone = len(group) > 1 and is_locked(error)
            results = [Locked() if alone else error] * len(group)
        for one, result in zip(group, results, strict=True):
            one.result = result

    def _attempt(self, line: Line, group: Sequence[_Wanted], now: Now, *, hurried: bool) -> Results:
        """Store events in one transaction; what was undone for no fault of theirs is done again."""
        try:
            return self._commit(line, group, now, hurried=hurried)
        except DBAPIError as error:
            if not is_undone(error):
                raise
            return self._commit(line, group, now, hurried=hurried)

    def _commit(self, line: Line, group: Sequence[_Wanted], now: Now, *, hurried: bool) -> Results:
        at = now()  # before a connection is held: it may need one of its own
        with self._sessions() as session:
            if hurried and self._locks_rows:
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
