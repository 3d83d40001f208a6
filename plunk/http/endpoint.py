"""Routes that declare what they need and then do almost nothing.

`endpoint` wraps a view in the steps every request takes, in this order: receive the body,
authenticate, count against the rate limit, claim the idempotency key, check query and body, call
the view inside one transaction, commit, and only then shape the answer. What it is told is also
what the OpenAPI document is generated from.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import wraps
from typing import Any

import structlog
from flask import Blueprint, Response, current_app, request
from marshmallow import Schema
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from plunk.db import begin_reading, commit, db
from plunk.http import idempotency
from plunk.http.auth import READING, Access, authenticate
from plunk.http.body import DEFAULT_LIMIT, parse_body, parse_query, receive
from plunk.http.idempotency import Answer
from plunk.http.runtime import Call, Caller, runtime

View = Callable[..., Answer]
NO_CONTENT = 204


@dataclass(frozen=True, slots=True)
class Spec:
    """What one route takes and gives; schemas are instances, an answer without one is empty.

    A gathered one leaves the transaction to the Gatherer, and trusts keys that were just seen.
    """

    answers: Mapping[int, Schema | None]
    body: Schema | None = None
    query: Schema | None = None
    access: Access = Access.SECRET
    body_limit: int = DEFAULT_LIMIT
    body_optional: bool = False
    idempotent: bool = False
    gathered: bool = False
    errors: tuple[int, ...] = field(default=())


SPECS: dict[str, Spec] = {}


def endpoint(blueprint: Blueprint, rule: str, *, method: str, spec: Spec) -> Callable[[View], View]:
    """Serve the view at this rule; it gets a Call, the path's parts, and `body` and `query`."""

    def register(view: View) -> View:
        name = view.__name__
        SPECS[f"{blueprint.name}.{name}"] = spec

        @wraps(view)
        def serve(**path: str) -> Response:
            return _serve(view, spec, path)

        blueprint.add_url_rule(rule, name, serve, methods=[method])
        return view

    return register


def _serve(view: View, spec: Spec, path: dict[str, str]) -> Response:
    # Both before a connection is taken: the clock may need one of its own, and a slow upload must
    # not hold SQLite's write lock.
    now = runtime().clock.now()
    if spec.body is not None:
        receive(spec.body_limit)
    session: Session = db.session()
    try:
        caller = _authenticated(session, spec)
    except DBAPIError as error:
        if not error.connection_invalidated:
            raise
        session.rollback()  # the database was restarted; nothing is done yet, so begin again
        caller = _authenticated(session, spec)
    if limiter := runtime().limiter:
        limiter.check(caller.id)

    def work() -> Answer:
        call = Call(session, caller, now, runtime().settings)
        answer = view(call, **path, **_inputs(spec))
        commit(session)
        return answer

    answer = idempotency.once(session, caller, work, now=now) if spec.idempotent else work()
    return _response(spec, answer)


def _authenticated(session: Session, spec: Spec) -> Caller:
    if request.method in READING:
        begin_reading(session)
    caller = authenticate(session, spec.access, trusting=spec.gathered)
    structlog.contextvars.bind_contextvars(project_id=caller.id)
    return caller


def _inputs(spec: Spec) -> dict[str, Any]:
    inputs = {}
    if spec.query is not None:
        inputs["query"] = parse_query(spec.query)
    if spec.body is not None:
        inputs["body"] = parse_body(spec.body, optional=spec.body_optional)
    return inputs


def _response(spec: Spec, answer: Answer) -> Response:
    value, status = answer
    schema = spec.answers[status]
    if status == NO_CONTENT:
        return Response(status=NO_CONTENT)
    payload = value if schema is None else schema.dump(value)
    return Response(current_app.json.dumps(payload), status, mimetype="application/json")


__all__ = ["Access", "Answer", "Call", "Caller", "Spec", "endpoint"]
