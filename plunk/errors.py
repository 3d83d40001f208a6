"""Every promise this software can fail to keep, as one tree of small classes.

`http.envelope` is the only place that turns them into HTTP answers: `status` and `code`
are the wire values of the public API's error envelope, `details` what a client may act on.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass


class PlunkError(Exception):
    """Something the caller can read and act on; the message is meant for people."""

    status = 500
    code = "INTERNAL_SERVER_ERROR"
    suggestion: str | None = None

    def __init__(self, message: str, *, details: Mapping[str, object] | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.details = dict(details) if details else None


class BadRequest(PlunkError):
    """The request cannot be carried out as it was asked."""

    status = 400
    code = "BAD_REQUEST"


class MalformedJson(PlunkError):
    """The body is not JSON that this API accepts."""

    status = 400
    code = "VALIDATION_ERROR"
    suggestion = "Send a valid JSON body and set the header Content-Type: application/json."


class BodyTooLarge(PlunkError):
    """The body is over the route's limit."""

    status = 413
    code = "BAD_REQUEST"


class UnsupportedMedia(PlunkError):
    """The body is not declared as a type that the route reads."""

    status = 415
    code = "BAD_REQUEST"
    suggestion = "Set the header Content-Type: application/json."


class InvalidCondition(BadRequest):
    """A condition tree breaks its own rules."""


class InvalidExpression(BadRequest):
    """An expression cannot be computed from these values."""


@dataclass(frozen=True, slots=True)
class FieldProblem:
    """One mistake in one field: `field` is a dotted path, `code` a stable word."""

    field: str
    message: str
    code: str
    received: str | None = None


class Invalid(PlunkError):
    """One or more fields break their rules; all of them are listed."""

    status = 422
    code = "VALIDATION_ERROR"

    def __init__(
        self,
        problems: Sequence[FieldProblem],
        message: str = "Request validation failed",
        *,
        manual: bool = False,
    ) -> None:
        super().__init__(message)
        self.problems = tuple(problems)
        self.manual = manual


class BadFields(Invalid):
    """Fields without which the request makes no sense are missing or of no use."""

    status = 400
    code = "BAD_REQUEST"


class InvalidFlow(PlunkError):
    """A `.flow` text has mistakes; `diagnostics` lists them all."""

    status = 422
    code = "VALIDATION_ERROR"
    suggestion = "Mend the places listed in details.diagnostics and try again."


class MissingAuth(PlunkError):
    """No usable Authorization header."""

    status = 401
    code = "MISSING_AUTH"
    suggestion = "Send the header Authorization: Bearer <key>."


class InvalidApiKey(PlunkError):
    """The key is unknown, or of the wrong kind for this route."""

    status = 401
    code = "INVALID_API_KEY"
    suggestion = "Check the key: secret keys start with sk_, public keys with pk_."


class ProjectDisabled(PlunkError):
    """The project may read but no longer write."""

    status = 403
    code = "PROJECT_DISABLED"
    suggestion = "Contact support to have the project enabled again."


class NotFound(PlunkError):
    """No such thing in this project."""

    status = 404
    code = "RESOURCE_NOT_FOUND"
    resource = "Resource"

    def __init__(self, wanted: str | None = None, *, resource: str | None = None) -> None:
        name = resource or self.resource
        details = {"resource": name} if wanted is None else {"resource": name, "id": wanted}
        super().__init__(f"{name} not found", details=details)


class ContactNotFound(NotFound):
    """No such contact in this project."""

    code = "CONTACT_NOT_FOUND"
    resource = "Contact"


class TemplateNotFound(NotFound):
    """No such template in this project."""

    code = "TEMPLATE_NOT_FOUND"
    resource = "Template"
    suggestion = "List the project's templates with GET /templates."


class WorkflowNotFound(NotFound):
    """No such workflow in this project."""

    code = "WORKFLOW_NOT_FOUND"
    resource = "Workflow"


class SegmentNotFound(NotFound):
    """No such segment in this project."""

    code = "SEGMENT_NOT_FOUND"
    resource = "Segment"


class UnknownRoute(PlunkError):
    """Nothing is served at this path."""

    status = 404
    code = "RESOURCE_NOT_FOUND"


class MethodNotAllowed(PlunkError):
    """The path exists, but not for this method."""

    status = 405
    code = "BAD_REQUEST"


class Conflict(PlunkError):
    """The request contradicts what is stored."""

    status = 409
    code = "CONFLICT"


class IdempotencyKeyReused(PlunkError):
    """The Idempotency-Key was already spent."""

    status = 409
    code = "IDEMPOTENCY_KEY_REUSED"
    suggestion = "Use a fresh key for a new request; repeat a key only to retry after a 4xx."


class RateLimitExceeded(PlunkError):
    """The project used up its requests for now; `details.retryAfter` is in seconds."""

    status = 429
    code = "RATE_LIMIT_EXCEEDED"
    suggestion = "Wait for the seconds named in Retry-After, then try again."


class DatabaseBusy(PlunkError):
    """The database is locked, restarting or out of reach; nothing of the request was done."""

    status = 503
    code = "DATABASE_ERROR"
    suggestion = "Nothing was changed. Send the request again in a few seconds."


class CommitInDoubt(PlunkError):
    """The connection broke during the commit: it was done or not."""

    status = 503
    code = "DATABASE_ERROR"
    suggestion = "It may have been stored. Look before you send it again under another key."


class NotReady(PlunkError):
    """The process runs but cannot serve yet, or no longer; `details` say what is missing."""

    status = 503
    code = "NOT_READY"
    suggestion = "Send requests elsewhere until GET /readyz answers 200."


class Misconfigured(PlunkError):
    """A setting is missing or cannot be used; the message names it and says what to do."""
