"""Keeping a lease: while its holder lives and reaches the database, nobody takes it over (I5).

Leases can so be short: a dead worker's rows are due again after one lease, a slow one's never.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from threading import Event, Thread

import structlog
from sqlalchemy import update
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session, sessionmaker

from plunk.clock import Clock
from plunk.db import transaction
from plunk.engine.shell.lease import Queue

log = structlog.get_logger()
LEASE = timedelta(seconds=60)
RENEWALS = 4  # in the length of a lease: some may fail before it is lost


@contextmanager
def kept(
    sessions: sessionmaker[Session],
    clock: Clock,
    queue: Queue,
    leased: tuple[str, Sequence[str]],
    *,
    length: timedelta,
) -> Iterator[None]:
    """Renew what `lease.take` returned, from a thread of its own, until this is left."""
    done = Event()

    def keep() -> None:
        while not done.wait(length.total_seconds() / RENEWALS):
            try:
                with transaction(sessions) as session:
                    renew(session, clock, queue, leased, length=length)
            except SQLAlchemyError as error:  # the database restarts, or we are cut off from it
                log.warning("lease.not_renewed", reason=error)

    thread = Thread(target=keep, name="lease", daemon=True)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()


def renew(
    session: Session,
    clock: Clock,
    queue: Queue,
    leased: tuple[str, Sequence[str]],
    *,
    length: timedelta,
) -> None:
    """Let the lease last for its length from now, in all rows that are still under it."""
    token, ids = leased
    session.execute(
        update(queue)
        .where(queue.id.in_(ids), queue.status == "SENDING", queue.lease_token == token)
        .values(lease_until=clock.now() + length)
        .execution_options(synchronize_session=False)
    )
