"""The Idempotency-Key header: one request for each key, claimed before the work is done."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime
from threading import Event

from flask import request
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.orm import Session

from plunk.db import InDoubt, is_passing
from plunk.errors import BadRequest, DatabaseBusy, PlunkError
from plunk.http.runtime import Caller
from plunk.services import idempotency

PRINTABLE = re.compile(r"[\x20-\x7e]{1,255}")
FIRST_ERROR, FIRST_SERVER_ERROR = 400, 500
NOTHING_DONE = FIRST_ERROR
SETTLING_PAUSES = (0.2, 0.6, 1.2, 2.0)  # seconds; a database that restarts is back by then
Answer = tuple[object, int]


def once(session: Session, caller: Caller, work: Callable[[], Answer], *, now: datetime) -> Answer:
    """Do the work unless this key was spent, and return its answer, a value and a status.

    The key is kept when the work was done, might have been done, or broke; it is given back when
    surely nothing was done: by a 4xx, and by a database that was busy or away before the commit.
    The claim and its settling are transactions of their own, so a crash in between leaves the key
    spent: the request is never carried out twice.
    """
    key = request.headers.get("Idempotency-Key")
    if key is None:
        return work()
    if not PRINTABLE.fullmatch(key):
        raise BadRequest("Idempotency-Key must be 1 to 255 printable ASCII characters.")
    named = f"{request.method} {request.path}"
    idempotency.claim(session, caller.id, key, request=named, now=now)
    try:
        session.commit()
    except DBAPIError:  # it may have been done, but the work was not begun
        _settle(session, caller, key, NOTHING_DONE)
        raise
    status = FIRST_SERVER_ERROR
    try:
        answer = work()
        status = answer[1]
    except DatabaseBusy:
        status = NOTHING_DONE
        raise
    except PlunkError as error:
        status = error.status
        raise
    except InDoubt:
        status = DatabaseBusy.status
        raise
    except SQLAlchemyError as error:
        status = NOTHING_DONE if is_passing(error) else status
        raise
    else:
        return answer
    finally:
        _settle(session, caller, key, status)


def _settle(session: Session, caller: Caller, key: str, status: int) -> None:
    for pause in (*SETTLING_PAUSES, None):
        session.rollback()
        try:
            if FIRST_ERROR <= status < FIRST_SERVER_ERROR:
                idempotency.release(session, caller.id, key)
            else:
                idempotency.settle(session, caller.id, key, status)
            session.commit()
        except DBAPIError as error:
            if pause is None or not is_passing(error):
                raise
            Event().wait(pause)
        else:
            return
