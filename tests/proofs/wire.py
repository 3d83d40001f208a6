"""The wire between one process and its database: here it is paused, blocked or cut.

Locks are not waited for inside the database, where a seed has no say: a statement that meets one is
taken back, the baton is given away, and the statement is tried again. (So a statement sees what
was committed before its last try; that PostgreSQL looks again at rows that changed while it
waited is left to the proofs with real processes.)
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Callable
from typing import Any

from sqlalchemy import event
from sqlalchemy.engine import make_url

from plunk.db import open_engine, session_factory
from tests.proofs.stage import Stage

IMPATIENT = "-c lock_timeout=2"
UNSAFE = "-c synchronous_commit=off"
LOCKING = re.compile(r"\s*(?!SELECT)|.*\bFOR (NO KEY )?(UPDATE|SHARE|KEY SHARE)", re.DOTALL)
LOCKED = {"55P03"}
MOST_TOLD = 300  # letters of a statement
STORES_EVENTS = "INSERT INTO events"
NOTICE = "pg_notify"  # said or not as the wall clock has it; nothing depends on it


class Wire:
    """An engine of its own for one process; who is patient waits for locks in the database."""

    def __init__(self, name: str, url: str, *, is_patient: bool = False) -> None:
        self.name = name
        self.stage: Stage | None = None
        self.began_at = 0  # the tick at which the latest transaction began
        self.on_commit: Callable[[], None] = lambda: None
        self.on_events: Callable[[str], None] = lambda _: None
        self._stored: list[object] = []  # what the latest transaction stored as events
        self.engine = open_engine(_served(url, UNSAFE if is_patient else f"{UNSAFE} {IMPATIENT}"))
        self.sessions = session_factory(self.engine)
        self._listen(is_patient=is_patient)

    def cut(self) -> None:
        """Drop all connections, as the death of a process does."""
        self.engine.dispose()

    def _listen(self, *, is_patient: bool) -> None:
        if not is_patient:
            event.listen(self.engine, "checkout", _never_wait)
        event.listen(self.engine, "begin", self._begins)
        event.listen(self.engine, "before_cursor_execute", self._before_statement)
        event.listen(self.engine, "do_execute", self._execute)
        event.listen(self.engine, "do_executemany", self._execute_many)
        event.listen(self.engine, "commit", self._before_commit)
        event.listen(self.sessions, "after_commit", self._after_commit)

    def _begins(self, _connection: Any) -> None:
        self.began_at = self.stage.tick if self.stage else 0
        self._stored.clear()

    def _before_statement(
        self, _connection: Any, _cursor: Any, statement: str, parameters: Any, *_: Any
    ) -> None:
        if self.stage and NOTICE not in statement:
            self.stage.moment(self.name, "before a statement")
        if STORES_EVENTS in statement:
            self._stored.append(parameters)

    def _before_commit(self, _connection: Any) -> None:
        if self.stage:
            if self._stored:
                self.on_events(repr(self._stored))
            self.stage.moment(self.name, "before a commit")

    def _after_commit(self, _session: Any) -> None:
        if self.stage:
            self.stage.committed()
            self.on_commit()
            self.stage.moment(self.name, "after a commit")

    def _execute(self, cursor: Any, statement: str, parameters: Any, context: Any) -> bool:
        send = context.dialect.do_execute
        self._send(cursor, statement, lambda: send(cursor, statement, parameters, context))
        return True

    def _execute_many(self, cursor: Any, statement: str, parameters: Any, context: Any) -> bool:
        send = context.dialect.do_executemany
        self._send(cursor, statement, lambda: send(cursor, statement, parameters, context))
        return True

    def _send(self, cursor: Any, statement: str, send: Callable[[], None]) -> None:
        stage = self.stage
        if stage is None or not stage.baton.is_mine():
            send()
            return
        is_undoable = _is_postgres(cursor) and LOCKING.match(statement) is not None
        if is_undoable:
            cursor.execute("SAVEPOINT tried")
        while True:
            try:
                send()
            except Exception as error:
                if not _is_locked(error) or not stage.baton.wait(_told(statement)):
                    raise
                if is_undoable:
                    cursor.execute("ROLLBACK TO SAVEPOINT tried")
            else:
                stage.baton.moved()
                return


def _served(url: str, options: str) -> str:
    if url.startswith("sqlite"):
        return url
    served = make_url(url).update_query_dict({"options": options})
    return served.render_as_string(hide_password=False)


def _never_wait(connection: Any, *_: Any) -> None:
    if isinstance(connection, sqlite3.Connection):
        connection.execute("PRAGMA busy_timeout = 0")


def _told(statement: str) -> str:
    return " ".join(statement.split())[:MOST_TOLD]


def _is_postgres(cursor: Any) -> bool:
    return not isinstance(cursor, sqlite3.Cursor)


def _is_locked(error: Exception) -> bool:
    if isinstance(error, sqlite3.OperationalError):
        return error.sqlite_errorcode == sqlite3.SQLITE_BUSY
    return getattr(error, "sqlstate", None) in LOCKED
