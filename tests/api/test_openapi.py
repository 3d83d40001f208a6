"""The OpenAPI document tells the truth: about its own format, about the routes, about answers."""

from __future__ import annotations

import os
from collections.abc import Iterator
from copy import deepcopy
from typing import Any

import pytest
import schemathesis
from flask import Flask
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from jsonschema_rs import Draft202012Validator
from schemathesis import Case, GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.schemas import BaseSchema
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    ignored_auth,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)
from sqlalchemy import update
from werkzeug.test import TestResponse

from plunk import application
from plunk.api.docs import openapi_of, operations
from plunk.api.reference import reference
from plunk.config import Settings
from plunk.db import db
from plunk.http.endpoint import SPECS
from plunk.models import Project
from plunk.services.projects import NewProject
from tests.conftest import SECRET, Api, Backend

EXAMPLES = int(os.environ.get("SCHEMATHESIS_EXAMPLES", "12"))
UNDOCUMENTED = {"static", "docs.openapi", "docs.read", "metrics.show_metrics", "system.home"}
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    ignored_auth,
]
Json = dict[str, Any]


@pytest.fixture(scope="module")
def bare() -> Flask:
    """Return an application that never reaches a database."""
    return application.create_app(Settings(database_url="sqlite://", secret_key="0" * 16))


@pytest.fixture(scope="module")
def document(bare: Flask) -> Json:
    with bare.app_context():
        return openapi_of(bare)


def described(document: Json) -> Iterator[tuple[str, str, Json]]:
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            yield path, method, operation


def test_the_document_is_valid_openapi(document: Json) -> None:
    assert document["openapi"].startswith("3.1.")
    schemathesis.openapi.from_dict(deepcopy(document)).validate()


def test_every_route_is_described(bare: Flask, document: Json) -> None:
    served = {rule.endpoint for rule in bare.url_map.iter_rules()} - UNDOCUMENTED
    assert served == SPECS.keys()
    assert len(list(described(document))) == len(served)


def test_every_operation_says_what_it_does(document: Json) -> None:
    names = [operation["operationId"] for _, _, operation in described(document)]
    assert len(names) == len(set(names))
    for path, method, operation in described(document):
        assert operation["summary"].endswith("."), (method, path)
        assert any(status.startswith("2") for status in operation["responses"]), (method, path)
        assert operation["tags"], (method, path)


def test_paths_and_parameters_agree(document: Json) -> None:
    for path, _, operation in described(document):
        inside = [one["name"] for one in operation["parameters"] if one["in"] == "path"]
        assert [f"{{{name}}}" for name in inside] == [
            part for part in path.split("/") if part.startswith("{")
        ]


def test_all_errors_share_one_schema(document: Json) -> None:
    for response in document["components"]["responses"].values():
        assert response["content"]["application/json"]["schema"] == {
            "$ref": "#/components/schemas/Error"
        }
    for path, method, operation in described(document):
        for status, response in operation["responses"].items():
            assert status < "400" or set(response) == {"$ref"}, (method, path)


@pytest.mark.parametrize(
    ("schema", "member", "rules"),
    [
        ("TrackIn", "event", {"type": "string", "minLength": 1, "maxLength": 255}),
        ("TrackIn", "email", {"type": "string", "format": "email", "maxLength": 254}),
        ("TrackIn", "subscribed", {"type": ["boolean", "null"]}),
        ("Contact", "id", {"type": "string", "format": "uuid"}),
        ("Contact", "snoozedUntil", {"type": ["string", "null"], "format": "date-time"}),
        ("ContactLookupIn", "emails", {"type": "array", "minItems": 1, "maxItems": 500}),
        ("Template", "type", {"enum": ["MARKETING", "TRANSACTIONAL", "HEADLESS"]}),
        ("Template", "from", {"type": "string"}),
        ("Failure", "statusCode", {"minimum": 400, "maximum": 599}),
    ],
)
def test_limits_come_from_the_fields(document: Json, schema: str, member: str, rules: Json) -> None:
    found = document["components"]["schemas"][schema]["properties"][member]
    assert {name: found.get(name) for name in rules} == rules


def test_lenient_parameters_tell_their_limits(document: Json) -> None:
    parameters = {
        one["name"]: one["schema"] for one in document["paths"]["/contacts"]["get"]["parameters"]
    }
    assert parameters["limit"] == {"type": "integer", "minimum": 1, "maximum": 100, "default": 20}
    assert parameters["subscribed"] == {"type": "boolean"}


def test_what_is_required_is_known(document: Json) -> None:
    schemas = document["components"]["schemas"]
    assert schemas["TrackIn"]["required"] == ["event", "email"]
    assert "cursor" not in schemas["ContactPage"]["required"]
    assert schemas["Failure"]["required"] == ["code", "message", "statusCode", "requestId"]


def test_keys_open_what_the_document_says(document: Json) -> None:
    security = {path: methods.get("post", {}) for path, methods in document["paths"].items()}
    assert security["/v1/track"]["security"] == [{"publicKey": []}, {"secretKey": []}]
    assert security["/v1/send"]["security"] == [{"secretKey": []}]


def test_it_is_served_and_kept(bare: Flask) -> None:
    client = bare.test_client()
    first = client.get("/openapi.json")
    assert first.mimetype == "application/json"
    assert first.get_json()["info"]["title"] == "Plunk API"
    again = client.get("/openapi.json", headers={"If-None-Match": first.headers["ETag"]})
    assert (again.status_code, again.data) == (304, b"")


def test_the_page_shows_every_operation_without_outside_help(bare: Flask, document: Json) -> None:
    page = bare.test_client().get("/docs")
    assert page.mimetype == "text/html"
    for path, _, operation in described(document):
        assert f'id="{operation["operationId"]}"' in page.text
        assert path in page.text
    for foreign in ("<script", "src=", "@import", "url(", 'href="http'):
        assert foreign not in page.text


def test_the_page_is_laid_out_by_noun(document: Json) -> None:
    page = reference(document)
    contacts = next(group for group in page.groups if group.name == "Contacts")
    save = next(entry for entry in contacts.entries if entry.id == "saveContact")
    assert [row.name for row in save.body if row.required] == ["email"]
    assert "curl -X POST" in save.curl
    assert {answer.status for answer in save.answers} == {"200", "201"}


# What is answered


def problems(document: Json, schema: Json, value: object) -> list[str]:
    """Return what keeps a value from fitting a schema of the document."""
    rooted = {**schema, "components": document["components"]}
    validator = Draft202012Validator(rooted, validate_formats=True)
    return [error.message for error in validator.iter_errors(value)]


def examples(document: Json) -> Iterator[tuple[str, Json]]:
    for path, method, operation in described(document):
        for body in (operation.get("requestBody", {}), *operation["responses"].values()):
            if content := body.get("content"):
                yield f"{method} {path}", content["application/json"]
    for name, response in document["components"]["responses"].items():
        yield name, response["content"]["application/json"]


def test_examples_fit_their_schemas(document: Json) -> None:
    bad = {
        where: found
        for where, content in examples(document)
        if (found := problems(document, content["schema"], content["example"]))
    }
    assert bad == {}


EVENT = {"event": "signed-up", "email": "ada@example.com"}
LONG = "x" * 1024 * 1024


@pytest.mark.parametrize(
    ("status", "request_"),
    [
        (400, {"data": b"{", "content_type": "application/json"}),
        (400, {"json": EVENT, "headers": {"Idempotency-Key": "\xe4"}}),
        (401, {"json": EVENT, "headers": {"Authorization": ""}}),
        (401, {"json": EVENT, "headers": {"Authorization": "Bearer sk_unknown"}}),
        (404, {"path": "/v1/nothing"}),
        (405, {"method": "PUT"}),
        (409, {"json": EVENT, "headers": {"Idempotency-Key": "spent"}}),
        (413, {"json": {**EVENT, "data": {"long": LONG}}}),
        (415, {"data": b"event=x", "content_type": "application/x-www-form-urlencoded"}),
        (422, {"json": {"event": "", "email": "nobody"}}),
        (422, {"json": {**EVENT, "event": "email.sent"}}),
    ],
)
def test_errors_have_the_documented_body(
    status: int, request_: Json, document: Json, app: Flask, api: Api
) -> None:
    assert api.post("/v1/track", EVENT, Idempotency_Key="spent").status_code == 200
    asked = {"path": "/v1/track", "method": "POST", **request_}
    headers = {"Authorization": f"Bearer {api.key}", **asked.pop("headers", {})}
    answer = app.test_client().open(**asked, headers=headers)
    assert_error(answer, status, document)


def test_a_disabled_project_gets_the_documented_error(
    empty: Backend, document: Json, api: Api
) -> None:
    with empty.engine.begin() as connection:
        connection.execute(update(Project).values(disabled=True))
    assert_error(api.post("/v1/track", EVENT), 403, document)
    assert api.get("/contacts").status_code == 200


def test_too_many_requests_get_the_documented_error(
    empty: Backend, document: Json, project: NewProject
) -> None:
    limited = Settings(database_url=empty.url, secret_key=SECRET, ratelimit_api="1 per hour")
    app = application.create_app(limited)
    api = Api(app.test_client(), project.secret)
    first, second = api.get("/contacts"), api.get("/contacts")
    with app.app_context():
        db.session.remove()
        db.engine.dispose()
    assert (first.status_code, first.headers["RateLimit-Remaining"]) == (200, "0")
    assert_error(second, 429, document)
    documented = document["components"]["responses"]["TooManyRequests"]["headers"]
    assert documented.keys() <= set(second.headers.keys())


def assert_error(answer: TestResponse, status: int, document: Json) -> None:
    assert answer.status_code == status
    assert answer.mimetype == "application/json"
    assert problems(document, {"$ref": "#/components/schemas/Error"}, answer.get_json()) == []
    assert answer.get_json()["error"]["statusCode"] == status


LINKS = {
    "contactId": "/contacts",
    "template": "/templates",
    "templateId": "/templates",
    "fromStepId": "/workflows/{workflowId}/steps",
    "toStepId": "/workflows/{workflowId}/steps",
}

LOOSE = {"autoConnect": False}  # of steps, so that edges can be drawn between them


class Seeds:
    """Things that requests can point at, made by the documented operations from their examples."""

    def __init__(self, api: Api, document: Json) -> None:
        self._api, self._document = api, document

    def path(self, path: str) -> dict[str, str]:
        """Return the path's parameters, each the id of a thing that was just created."""
        found: dict[str, str] = {}
        collection = ""
        for part in path.strip("/").split("/"):
            if part.startswith("{"):
                found[part.strip("{}")] = self.create(collection, found)
            collection += f"/{part}"
        return found

    def body(self, body: object, path: dict[str, str]) -> object:
        """Return the body with its references pointing at things that were just created."""
        if not isinstance(body, dict):
            return body
        known = {
            name: collection for name, collection in LINKS.items() if body.get(name) is not None
        }
        return {**body, **{name: self.create(at, path) for name, at in known.items()}}

    def create(self, collection: str, path: dict[str, str]) -> str:
        """Create one thing and return its id."""
        operation = self._document["paths"][collection].get("post")
        if operation is None:
            return self.put(collection)
        example = operation["requestBody"]["content"]["application/json"]["example"] | LOOSE
        answer = self._api.post(collection.format(**path), self.body(example, path))
        assert answer.status_code < 300, (collection, answer.text)
        created: str = answer.get_json()["id"]
        return created

    def put(self, collection: str) -> str:
        """Create one thing whose name is ours to choose, and return the name."""
        (item,) = (path for path in self._document["paths"] if path.startswith(f"{collection}/{{"))
        operation = self._document["paths"][item]["put"]
        example = operation["requestBody"]["content"]["application/json"]["example"]
        answer = self._api.put(f"{collection}/SEEDED", example)
        assert answer.status_code < 300, (collection, answer.text)
        return "SEEDED"


def operation_names() -> list[str]:
    app = application.create_app(Settings(database_url="sqlite://", secret_key="0" * 16))
    return [operation.name for operation in operations(app)]


def closed(document: Json) -> Json:
    """Return the document with answers that may have no members besides the documented ones."""
    copied = deepcopy(document)
    for name, schema in copied["components"]["schemas"].items():
        if schema["properties"] and not name.endswith("In"):
            schema["additionalProperties"] = False
    return copied


@pytest.fixture
def schema(document: Json, app: Flask) -> BaseSchema:
    loaded = schemathesis.openapi.from_dict(closed(document))
    loaded.app = app
    loaded.config.update(base_url="http://localhost")
    return loaded


@pytest.mark.parametrize("name", operation_names())
def test_answers_are_as_documented(name: str, schema: BaseSchema, document: Json, api: Api) -> None:
    operation = next(
        found.ok()
        for found in schema.get_all_operations()
        if found.ok().definition.raw["operationId"] == name
    )
    seeds = Seeds(api, document)
    modes = [GenerationMode.POSITIVE, GenerationMode.NEGATIVE]

    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        derandomize=True,
        database=None,
        phases=[Phase.explicit, Phase.generate],  # a failure prints its curl; it needs no shrinking
        report_multiple_bugs=False,
        suppress_health_check=list(HealthCheck),
    )
    @given(
        case=st.one_of([operation.as_strategy(generation_mode=mode) for mode in modes]),
        real=st.booleans(),
    )
    def probe(case: Case, real: bool) -> None:  # noqa: FBT001 - Hypothesis draws it
        if real:
            case.path_parameters = seeds.path(operation.path)
            case.body = seeds.body(case.body, case.path_parameters)
            if operation.method.upper() == "GET" and "post" in document["paths"][operation.path]:
                seeds.create(operation.path, case.path_parameters)  # or the list would be empty
                case.query = {}
        case.call_and_validate(headers={"Authorization": f"Bearer {api.key}"}, checks=CHECKS)

    probe()
