"""Operations and their schemas → the OpenAPI document."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

from apispec import APISpec
from apispec.ext.marshmallow import MarshmallowPlugin
from apispec.ext.marshmallow.common import resolve_schema_instance
from marshmallow import Schema

from plunk.schemas.fields import Input
from plunk.schemas.openapi.converter import Converter
from plunk.schemas.openapi.examples import example_of
from plunk.schemas.openapi.failures import NAMES, error_response
from plunk.schemas.openapi.operations import Operation

Json = dict[str, Any]
JSON_TYPE = "application/json"
MEGABYTE = 1024 * 1024
NO_CONTENT = 204
REQUEST_ID = "X-Request-ID"
LIMITS = ("RateLimit-Limit", "RateLimit-Remaining", "RateLimit-Reset")
RETRY_AFTER = "Retry-After"
NO_KEYS_STATUS = {500, 503}
HEADERS: Final[dict[str, Json]] = {
    REQUEST_ID: {
        "description": "The id of this request: the one you sent, or a fresh one.",
        "required": True,
        "schema": {"type": "string"},
    },
    "RateLimit-Limit": {
        "description": "How many requests the project may make in one window.",
        "schema": {"type": "integer"},
    },
    "RateLimit-Remaining": {
        "description": "How many of them are left.",
        "schema": {"type": "integer"},
    },
    "RateLimit-Reset": {
        "description": "In how many seconds the window is whole again.",
        "schema": {"type": "integer"},
    },
    RETRY_AFTER: {
        "description": "After how many seconds to try again.",
        "required": True,
        "schema": {"type": "integer"},
    },
}
KEYS: Final[dict[str, Json]] = {
    "secretKey": {
        "type": "http",
        "scheme": "bearer",
        "description": "A secret key, `sk_…`. It opens everything; keep it on your servers.",
    },
    "publicKey": {
        "type": "http",
        "scheme": "bearer",
        "description": "A public key, `pk_…`, for browsers and apps. It opens `/v1/track`.",
    },
}
NAME: Final[Json] = {"type": "string", "minLength": 1}
IDEMPOTENCY_KEY: Final[Json] = {
    "in": "header",
    "name": "Idempotency-Key",
    "required": False,
    "description": "Makes a repeat safe: for 24 hours a key is good for one request.",
    "schema": {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[!-~]+$"},
}


@dataclass(frozen=True, slots=True)
class Api:
    """What the document says about the API as a whole."""

    title: str
    version: str
    description: str
    url: str


def document(api: Api, operations: Iterable[Operation]) -> Json:
    """Return the OpenAPI 3.1 document of these operations."""
    known = list(operations)
    spec = _spec(api, known)
    for operation in known:
        spec.path(operation.path, operations={operation.method.lower(): _operation(operation)})
    made: Json = spec.to_dict()
    _add_examples(made)
    return made


def _spec(api: Api, operations: list[Operation]) -> APISpec:
    plugin = MarshmallowPlugin(schema_name_resolver=_Names())
    plugin.Converter = Converter
    tags = {operation.tag.name: operation.tag.description for operation in operations}
    spec = APISpec(
        api.title,
        api.version,
        "3.1.0",
        plugins=[plugin],
        info={"description": api.description},
        servers=[{"url": api.url}],
        tags=[{"name": name, "description": text} for name, text in tags.items()],
    )
    for name, header in HEADERS.items():
        spec.components.header(name, header)
    for name, scheme in KEYS.items():
        spec.components.security_scheme(name, scheme)
    used = {status for operation in operations for status in operation.error_statuses()}
    for status in sorted(used):
        spec.components.response(NAMES[status][0], error_response(status, _headers(status)))
    return spec


def _headers(status: int) -> dict[str, str]:
    names = [REQUEST_ID] if status in NO_KEYS_STATUS else [REQUEST_ID, *LIMITS]
    if status == 429:  # noqa: PLR2004 - Too Many Requests
        names.append(RETRY_AFTER)
    return {name: name for name in names}


class _Names:
    """Component names: the class name without `Out`, or in full when that is taken."""

    def __init__(self) -> None:
        self._owners: dict[str, type[Schema]] = {}

    def __call__(self, schema: Any) -> str:
        owner = type(resolve_schema_instance(schema))
        name = owner.__name__.removesuffix("Out")
        return name if self._owners.setdefault(name, owner) is owner else owner.__name__


def _operation(operation: Operation) -> Json:
    made: Json = {
        "operationId": operation.name,
        "tags": [operation.tag.name],
        "summary": operation.summary,
        "parameters": _parameters(operation),
        "responses": _responses(operation),
        "security": [{key: []} for key in operation.keys],
    }
    if operation.description:
        made["description"] = operation.description
    if operation.body is not None:
        made["requestBody"] = _request_body(operation)
    return made


def _parameters(operation: Operation) -> list[Any]:
    parameters: list[Any] = [_path_parameter(name) for name in operation.path_names]
    if operation.query is not None:
        parameters.append({"in": "query", "schema": operation.query})
    if operation.idempotent:
        parameters.append(IDEMPOTENCY_KEY)
    return parameters


def _path_parameter(name: str) -> Json:
    return {
        "in": "path",
        "name": name,
        "required": True,
        "schema": {"type": "string", "format": "uuid"} if name.endswith("Id") else NAME,
    }


def _request_body(operation: Operation) -> Json:
    return {
        "required": not operation.body_optional,
        "description": _about_body(operation),
        "content": {JSON_TYPE: {"schema": operation.body}},
    }


def _about_body(operation: Operation) -> str:
    limit = f"At most {operation.body_limit / MEGABYTE:g} MB."
    groups = operation.body.alternatives if isinstance(operation.body, Input) else ()
    wanted = ", or ".join(" and ".join(f"`{name}`" for name in names) for names in groups)
    return f"{limit} It has {wanted}." if wanted else limit


def _responses(operation: Operation) -> Json:
    headers = {name: name for name in [REQUEST_ID, *(LIMITS if operation.keys else ())]}
    made: Json = {
        str(status): _answer(status, schema, headers)
        for status, schema in operation.answers.items()
    }
    return made | {str(status): NAMES[status][0] for status in operation.error_statuses()}


def _answer(status: int, schema: Schema | None, headers: dict[str, str]) -> Json:
    if status == NO_CONTENT:
        return {"description": "Done; there is nothing to say.", "headers": headers}
    described = (type(schema).__doc__ or "") if schema is not None else "Any JSON value."
    return {
        "description": described.strip().splitlines()[0],
        "headers": headers,
        "content": {JSON_TYPE: {"schema": schema if schema is not None else {}}},
    }


def _add_examples(made: Json) -> None:
    """Give every body an example that its schema accepts."""
    schemas = made["components"]["schemas"]
    for path in made["paths"].values():
        for operation in path.values():
            bodies = [operation.get("requestBody", {}), *operation["responses"].values()]
            for content in (body.get("content", {}).get(JSON_TYPE) for body in bodies):
                if content and content["schema"]:
                    content["example"] = example_of(content["schema"], schemas)
