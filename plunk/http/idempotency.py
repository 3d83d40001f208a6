"""The Idempotency-Key header: one request for each key, claimed before the work is done."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime
from threading import Event

import structlog
from flask import request
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.orm import Session

from plunk.db import InDoubt, is_passing
from plunk.errors import BadRequest, DatabaseBusy, PlunkError
from plunk.http.runtime import Caller
from plunk.services import idempotency
from plunk.services.idempotency import Claim

log = structlog.get_logger()
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
    claim = Claim(caller.id, key, now)
    idempotency.claim(session, claim, request=named)
    try:
        session.commit()
    except DBAPIError:  # it may have been done, but the work was not begun
        _settle(session, claim, NOTHING_DONE)
        raise
    try:
        answer = work()
    except Exception as error:
        _settle(session, claim, _status_of(error))
        raise
    _settle(session, claim, answer[1])
    return answer


def _status_of(error: Exception) -> int:
    match error:
        case DatabaseBusy():
            return NOTHING_DONE
        case PlunkError():
            return error.status
        case InDoubt():
            return DatabaseBusy.status
    return NOTHING_DONE if is_passing(error) else FIRST_SERVER_ERROR


def _settle(session: Session, claim: Claim, status: int) -> None:
    """Settle or release the key; when that cannot be done the key stays spent, and that is all."""
    for pause in (*SETTLING_PAUSES, None):
        try:
            session.rollback()
            if FIRST_ERROR <= status < FIRST_SERVER_ERROR:
                idempotency.release(session, claim)
            else:
                idempotency.settle(session, claim, status)
            session.commit()
        except SQLAlchemyError as error:
            if pause is None or not is_passing(error):
                log.warning("idempotency.not_settled", reason=error)
                return
            Event().wait(pause)
        else:
            return
