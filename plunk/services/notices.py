"""Notices: whoever makes work due tells the workers, who then need not wait for their next look.

On PostgreSQL a notice is part of the transaction and reaches everybody when it commits. Nothing
depends on one: workers look by themselves every POLL_SECONDS, as they always do on SQLite. Notices
of one process are at least QUIET apart, because PostgreSQL commits those that carry one in turn;
whoever was told looks a second time after that, and finds what came in between, unless its commit
took longer still: then it is found at the next look.
"""

from __future__ import annotations

import threading
import time
from typing import Literal, TypeAlias

from sqlalchemy import event, func, select
from sqlalchemy.orm import Session

from plunk.db import is_postgres

Queue: TypeAlias = Literal["runs", "emails", "hooks"]
CHANNEL = "plunk_due"
QUIET = 0.025  # seconds
KEY = "plunk.due"


class _Quiet:
    """When this process told of each queue last."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._told: dict[Queue, float] = {}

    def may_tell(self, queue: Queue) -> bool:
        """Tell whether the last time is long enough ago, and note this one if it is."""
        now = time.monotonic()
        with self._lock:
            if now - self._told.get(queue, 0.0) < QUIET:
                return False
            self._told[queue] = now
            return True


_quiet = _Quiet()


def due(session: Session, queue: Queue) -> None:
    """Let the workers know, when this transaction commits, that there is work in a queue."""
    session.info.setdefault(KEY, set()).add(queue)


@event.listens_for(Session, "before_commit")
def _tell(session: Session) -> None:
    if session.in_nested_transaction():
        return  # that was a savepoint
    queues = session.info.pop(KEY, None)
    if not queues or not is_postgres(session):
        return
    for queue in sorted(filter(_quiet.may_tell, queues)):
        session.connection().execute(select(func.pg_notify(CHANNEL, queue)))
