"""Error answers: one body for all of them, and one response for each status."""

from __future__ import annotations

from collections.abc import Iterator
from inspect import getdoc
from typing import Any, Final

from marshmallow import Schema

from plunk.errors import PlunkError
from plunk.schemas.fields import Flag, JsonObject, ListOf, Sub, Text, Time, Whole
from plunk.schemas.openapi.converter import OPTIONAL
from plunk.schemas.openapi.examples import ID, INSTANT

ABSENT = {OPTIONAL: True}
NAMES: Final = {
    400: ("BadRequest", "The request cannot be read or carried out."),
    401: ("Unauthorized", "The key is missing, unknown or of the wrong kind."),
    403: ("Forbidden", "The project is disabled: it can be read but not changed."),
    404: ("NotFound", "The project has no such thing."),
    405: ("MethodNotAllowed", "The path does not answer this method; see the Allow header."),
    409: ("Conflict", "The request contradicts what is stored."),
    413: ("TooLarge", "The body is larger than this operation accepts."),
    415: ("UnsupportedMedia", "The body is not declared as application/json."),
    422: ("Invalid", "Fields break their rules; every one of them is listed."),
    429: ("TooManyRequests", "The project used up its requests for now."),
    500: ("InternalError", "The mistake is ours; tell us the request id."),
    503: ("Unavailable", "The database is out of reach or not ready; nothing was done."),
}


class ProblemOut(Schema):
    """One mistake in one field; `field` is a dotted path and `code` a stable word."""

    field = Text()
    message = Text()
    code = Text()
    received = Text(metadata=ABSENT)


class FailureOut(Schema):
    """What went wrong: `code` is for programs, `message` and `suggestion` are for people."""

    code = Text()
    message = Text()
    statusCode = Whole(low=400, high=599)
    requestId = Text(low=1, high=128)
    errors = ListOf(Sub(ProblemOut), metadata=ABSENT)
    details = JsonObject(metadata=ABSENT)
    suggestion = Text(metadata=ABSENT)


class ErrorOut(Schema):
    """The body of every answer from 400 on."""

    success = Flag(metadata={"enum": [False]})
    error = Sub(FailureOut)
    timestamp = Time()


def error_response(status: int, headers: dict[str, str]) -> dict[str, Any]:
    """Return the response that every operation shares for this status."""
    words = ", ".join(f"`{error.code}`" for error in codes(status))
    return {
        "description": f"{NAMES[status][1]} Codes: {words}.",
        "headers": headers,
        "content": {"application/json": {"schema": ErrorOut, "example": _example(status)}},
    }


def codes(status: int) -> list[type[PlunkError]]:
    """Return the errors that are answered with this status, one for each code."""
    found = {error.code: error for error in _tree(PlunkError) if error.status == status}
    return [found[code] for code in sorted(found)]


def _example(status: int) -> dict[str, Any]:
    first = codes(status)[0]
    failure = {
        "code": first.code,
        "message": getdoc(first) or "",
        "statusCode": status,
        "requestId": ID,
        "suggestion": first.suggestion,
    }
    shown = {name: value for name, value in failure.items() if value}
    return {"success": False, "error": shown, "timestamp": INSTANT}


def _tree(root: type[PlunkError]) -> Iterator[type[PlunkError]]:
    for below in root.__subclasses__():
        yield from _tree(below)
    yield root
