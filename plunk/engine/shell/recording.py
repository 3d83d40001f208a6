"""Recording what others answered: what was done outside must not be done again (I5, I6)."""

from __future__ import annotations

from collections.abc import Callable
from threading import Event

import structlog
from sqlalchemy.exc import OperationalError, SQLAlchemyError
from sqlalchemy.orm import Session, sessionmaker

from plunk.db import is_passing, transaction

log = structlog.get_logger()
PAUSES = (0.1, 0.5, 1.0, 2.0, 4.0, 8.0)  # seconds; together less than a lease


def record_surely(
    sessions: sessionmaker[Session], record: Callable[[Session], None], *, what: str
) -> None:
    """Do this in a transaction; again, when a deadlock or a database that restarts undid it.

    When the answer to a commit was lost it is done twice: `record` looks whose lease it is.
    """
    for pause in (*PAUSES, None):
        try:
            with transaction(sessions) as session:
                record(session)
        except SQLAlchemyError as error:
            if pause is None or not (isinstance(error, OperationalError) or is_passing(error)):
                raise
            log.warning("answers.recorded_again", what=what, reason=error)
            Event().wait(pause)
        else:
            return
