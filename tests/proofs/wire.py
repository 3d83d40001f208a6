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

LOCK_TIMEOUT = "-c lock_timeout=2 -c synchronous_commit=off"
LOCKING = re.compile(r"\s*(?!SELECT)|.*\bFOR (NO KEY )?(UPDATE|SHARE|KEY SHARE)", re.DOTALL)
LOCKED = {"55P03"}
NOTICE = "pg_notify"  # said or not as the wall clock has it; nothing depends on it


class Wire:
    """An engine of its own for one process; without a stage it is as good as any other."""

    def __init__(self, name: str, url: str) -> None:
        self.name = name
        self.stage: Stage | None = None
        self.began_at = 0  # the tick at which the latest transaction began
        self.on_commit: Callable[[], None] = lambda: None
        self.engine = open_engine(_impatient(url))
        self.sessions = session_factory(self.engine)
        self._listen()

    def cut(self) -> None:
        """Drop all connections, as the death of a process does."""
        self.engine.dispose()

    def _listen(self) -> None:
        event.listen(self.engine, "checkout", _never_wait)
        event.listen(self.engine, "begin", self._begins)
        event.listen(self.engine, "before_cursor_execute", self._before_statement)
        event.listen(self.engine, "do_execute", self._execute)
        event.listen(self.engine, "do_executemany", self._execute_many)
        event.listen(self.engine, "commit", self._before_commit)
        event.listen(self.sessions, "after_commit", self._after_commit)

    def _begins(self, _connection: Any) -> None:
        self.began_at = self.stage.tick if self.stage else 0

    def _before_statement(self, _connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        if self.stage and NOTICE not in statement:
            self.stage.moment(self.name, "before a statement")

    def _before_commit(self, _connection: Any) -> None:
        if self.stage:
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
                if not _is_locked(error) or not stage.baton.wait():
                    raise
                if is_undoable:
                    cursor.execute("ROLLBACK TO SAVEPOINT tried")
            else:
                stage.baton.moved()
                return


def _impatient(url: str) -> str:
    if url.startswith("sqlite"):
        return url
    impatient = make_url(url).update_query_dict({"options": LOCK_TIMEOUT})
    return impatient.render_as_string(hide_password=False)


def _never_wait(connection: Any, *_: Any) -> None:
    if isinstance(connection, sqlite3.Connection):
        connection.execute("PRAGMA busy_timeout = 0")


def _is_postgres(cursor: Any) -> bool:
    return not isinstance(cursor, sqlite3.Cursor)


def _is_locked(error: Exception) -> bool:
    if isinstance(error, sqlite3.OperationalError):
        return error.sqlite_errorcode == sqlite3.SQLITE_BUSY
    return getattr(error, "sqlstate", None) in LOCKED
