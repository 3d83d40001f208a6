"""From a request to a checked value: JSON bodies and query strings through marshmallow."""

from __future__ import annotations

from typing import Any

from flask import request
from marshmallow import Schema, ValidationError
from werkzeug.exceptions import RequestEntityTooLarge

from plunk.errors import BodyTooLarge, FieldProblem, Invalid, MalformedJson, UnsupportedMedia
from plunk.http import strict_json
from plunk.schemas.fields import Input
from plunk.schemas.problems import problems_of

DEFAULT_LIMIT = 1024 * 1024


def receive(limit: int) -> None:
    """Take the body in, so that nothing has to wait for the network later."""
    request.max_content_length = limit
    try:
        request.get_data(cache=True)
    except RequestEntityTooLarge:
        raise BodyTooLarge(f"The body is larger than {limit} bytes.") from None


def parse_body(schema: Schema, *, optional: bool = False) -> Any:  # noqa: ANN401 - the schema decides
    """Return the body as the schema's value; every mistake in it is listed at once."""
    raw = _read()
    if not raw and not optional:
        raise Invalid([FieldProblem("", "Required", "invalid_type", "undefined")])
    return load(schema, _object(strict_json.loads(raw)) if raw else {})


def parse_query(schema: Schema) -> Any:  # noqa: ANN401 - the schema decides
    """Return the query string as the schema's value; of repeated names the first one counts."""
    return load(schema, request.args.to_dict())


def load(schema: Schema, payload: dict[str, Any]) -> Any:  # noqa: ANN401 - the schema decides
    """Return the schema's value; Invalid lists every field that breaks a rule."""
    try:
        return schema.load(payload)
    except ValidationError as error:
        kind = type(schema) if isinstance(schema, Input) else Input
        raise kind.refusal(problems_of(error)) from None


def _read() -> bytes:
    raw = request.get_data(cache=True)
    if raw and not request.is_json:
        raise UnsupportedMedia(
            f"The body is declared as {request.mimetype or 'nothing'}; send application/json."
        )
    return raw


def _object(value: object) -> dict[str, Any]:
    if isinstance(value, dict):
        return value
    if isinstance(value, list):
        problem = FieldProblem("", "Expected object, received array", "invalid_type", "array")
        raise Invalid([problem])
    raise MalformedJson("The body must be a JSON object.")
