"""The Idempotency-Key header: one request for each key, claimed before the work is done."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime

from flask import Response, request
from sqlalchemy.orm import Session

from plunk.errors import BadRequest, PlunkError
from plunk.http.runtime import Caller
from plunk.services import idempotency

PRINTABLE = re.compile(r"[\x20-\x7e]{1,255}")
FIRST_ERROR, FIRST_SERVER_ERROR = 400, 500


def once(
    session: Session, caller: Caller, work: Callable[[], Response], *, now: datetime
) -> Response:
    """Do the work unless this key was spent; a 4xx gives the key back, all else keeps it.

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
    session.commit()
    return _settled(session, caller, key, work)


def _settled(session: Session, caller: Caller, key: str, work: Callable[[], Response]) -> Response:
    status = FIRST_SERVER_ERROR
    try:
        response = work()
        status = response.status_code
    except PlunkError as error:
        status = error.status
        raise
    else:
        return response
    finally:
        session.rollback()
        if FIRST_ERROR <= status < FIRST_SERVER_ERROR:
            idempotency.release(session, caller.id, key)
        else:
            idempotency.settle(session, caller.id, key, status)
        session.commit()
