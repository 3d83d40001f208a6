"""Errors as JSON: the only place that turns exceptions into HTTP answers."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import structlog
from flask import Flask, Response, current_app, g, request
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from werkzeug.exceptions import HTTPException, MethodNotAllowed, NotFound

from plunk import errors
from plunk.clock import SystemClock, iso
from plunk.db import InDoubt, is_passing
from plunk.errors import FieldProblem, Invalid, PlunkError
from plunk.ids import new_id
from plunk.rendering import TemplateSyntaxError

log = structlog.get_logger()
REQUEST_ID = re.compile(r"[A-Za-z0-9._:-]{1,128}")
WRONG_TYPES = (
    "Check the types: strings in quotes, numbers without quotes, true and false as booleans."
)
REQUIRED = "Add the required fields named in errors."
SEE_DOCS = "See the API reference at /docs for the format of this request."
SEE_ERRORS = "See errors for each field and what it needs."
INTERNAL = "This is our mistake. Contact support and name the request id."


def install(app: Flask) -> None:
    """Give the application request ids and JSON errors."""
    app.before_request(_name_request)
    app.register_error_handler(PlunkError, answer_error)
    app.register_error_handler(HTTPException, _answer_http)
    app.register_error_handler(DBAPIError, _answer_lost)
    app.register_error_handler(InDoubt, _answer_in_doubt)
    app.register_error_handler(PoolTimeout, _answer_crowded)
    app.register_error_handler(Exception, _answer_unexpected)


def request_id() -> str:
    """Return this request's id: the caller's when it is harmless, else a fresh one."""
    if "request_id" not in g:
        _name_request()
    return str(g.request_id)


def answer_error(error: PlunkError) -> Response:
    """Return the error envelope for an error of ours."""
    response = Response(_dumps(envelope(error)), status=error.status, mimetype="application/json")
    if isinstance(error, errors.RateLimitExceeded) and error.details:
        response.headers["Retry-After"] = str(error.details["retryAfter"])
    if isinstance(error, errors.DatabaseBusy):
        response.headers["Retry-After"] = "2"
    return response


def envelope(error: PlunkError) -> dict[str, Any]:
    """Return the documented error body; members without a value are absent."""
    members = members_of(error, requestId=request_id())
    return {"success": False, "error": members, "timestamp": iso(SystemClock().now())}


def members_of(error: PlunkError, **others: str) -> dict[str, Any]:
    """Return what an error says wherever it stands, alone or as one item of many."""
    members: dict[str, Any] = {
        "code": error.code,
        "message": error.message,
        "statusCode": error.status,
        **others,
    }
    if isinstance(error, Invalid):
        members["errors"] = [_problem_json(problem) for problem in error.problems]
    if details := _details(error, members):
        members["details"] = details
    if suggestion := _suggestion(error):
        members["suggestion"] = suggestion
    return members


def _details(error: PlunkError, members: Mapping[str, Any]) -> Mapping[str, object] | None:
    match error:
        case TemplateSyntaxError():
            return {"field": error.field, "line": error.line, "column": error.column}
        case Invalid(manual=True):
            return {"errors": members["errors"]}
    return error.details


def _problem_json(problem: FieldProblem) -> dict[str, str]:
    item = {"field": problem.field, "message": problem.message, "code": problem.code}
    return item if problem.received is None else {**item, "received": problem.received}


def _suggestion(error: PlunkError) -> str | None:
    if not isinstance(error, Invalid):
        return error.suggestion
    if error.manual:
        return SEE_ERRORS
    if any(problem.code in {"invalid_type", "invalid_string"} for problem in error.problems):
        return WRONG_TYPES
    if any("required" in problem.message for problem in error.problems):
        return REQUIRED
    return SEE_DOCS


def _name_request() -> None:
    given = request.headers.get("X-Request-ID", "")
    g.request_id = given if REQUEST_ID.fullmatch(given) else new_id()
    structlog.contextvars.bind_contextvars(request_id=g.request_id)


def _answer_http(error: HTTPException) -> Response:
    match error:
        case NotFound():
            return answer_error(errors.UnknownRoute(f"No route {request.method} {request.path}"))
        case MethodNotAllowed():
            answer = answer_error(
                errors.MethodNotAllowed(f"{request.path} does not answer {request.method}")
            )
            answer.headers["Allow"] = ", ".join(sorted(error.valid_methods or ()))
            return answer
        case _ if error.code == errors.BodyTooLarge.status:
            return answer_error(errors.BodyTooLarge("The body is larger than this route accepts."))
        case _ if error.code is not None and error.code < errors.PlunkError.status:
            plain = errors.BadRequest(error.description or error.name)
            plain.status = error.code
            return answer_error(plain)
    return _answer_unexpected(error)


def _answer_lost(error: DBAPIError) -> Response:
    """Answer for a connection that was ended under a request; all else is our mistake."""
    return _answer_busy(error) if is_passing(error) else _answer_unexpected(error)


def _answer_busy(error: DBAPIError) -> Response:
    """Answer for a lock that lasted too long, a deadlock, or a database that went away."""
    return _busy(error.orig)


def _answer_crowded(error: PoolTimeout) -> Response:
    """Answer for a request that got no connection in time."""
    return _busy(error)


def _busy(reason: object) -> Response:
    log.warning("database.busy", reason=reason)
    return answer_error(errors.DatabaseBusy("The database is busy or out of reach."))


def _answer_in_doubt(error: InDoubt) -> Response:
    """Answer for a commit of which nobody knows whether it was done."""
    if not is_passing(error.cause):
        return _answer_unexpected(error.cause)
    log.warning("database.in_doubt", reason=error.cause)
    return answer_error(errors.CommitInDoubt("The database broke while it stored this."))


def _answer_unexpected(error: Exception) -> Response:
    log.error("request.failed", exc_info=error)
    unexpected = PlunkError("An unexpected error occurred.")
    unexpected.suggestion = INTERNAL
    return answer_error(unexpected)


def _dumps(payload: dict[str, Any]) -> str:
    return current_app.json.dumps(payload)
