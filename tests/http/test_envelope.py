"""Errors have one shape, and every answer has a request id."""

from __future__ import annotations

import pytest

from plunk.application import create_app
from plunk.config import Settings
from plunk.ids import parse_id

ADA = {"email": "ada@example.com"}


def test_the_members_stand_in_their_order(api):
    answer = api.post("/v1/track", {"event": "email.open", **ADA})
    assert list(answer.json) == ["success", "error", "timestamp"]
    assert list(answer.json["error"]) == [
        "code",
        "message",
        "statusCode",
        "requestId",
        "errors",
        "details",
        "suggestion",
    ]


def test_members_without_a_value_are_absent(api):
    api.post("/contacts", ADA)
    other = api.post("/contacts", {"email": "bob@example.com"}).json["id"]
    answer = api.patch(f"/contacts/{other}", ADA)
    assert list(answer.json["error"]) == ["code", "message", "statusCode", "requestId"]


def test_a_missing_thing_says_which(api):
    wanted = "01890000-0000-7000-8000-000000000000"
    error = api.get(f"/contacts/{wanted}").json["error"]
    assert error["code"] == "CONTACT_NOT_FOUND"
    assert error["details"] == {"resource": "Contact", "id": wanted}


def test_only_wrong_types_say_what_was_received(api):
    error = api.post("/v1/track", {"event": 5, "email": "nobody"}).json["error"]
    assert error["message"] == "Request validation failed"
    assert error["errors"] == [
        {
            "field": "event",
            "message": "Expected string, received number",
            "code": "invalid_type",
            "received": "number",
        },
        {"field": "email", "message": "Invalid email", "code": "invalid_string"},
    ]


@pytest.mark.parametrize(
    ("body", "hint"),
    [
        ({"event": 5, **ADA}, "types"),
        ({"event": "go", "email": "nobody"}, "types"),
        ({"event": "", **ADA}, "/docs"),
        ({"event": "email.open", **ADA}, "See errors"),
    ],
)
def test_the_suggestion_fits_the_mistake(api, body, hint):
    assert hint in api.post("/v1/track", body).json["error"]["suggestion"]


@pytest.mark.parametrize("given", ["abc", "9b2e-1.2:3_x", "x" * 128])
def test_a_harmless_request_id_is_echoed(api, given):
    answer = api.get("/contacts/x", X_Request_ID=given)
    assert answer.headers["X-Request-ID"] == given
    assert answer.json["error"]["requestId"] == given


@pytest.mark.parametrize("given", ["", "a b", "x" * 129, "<script>", "ключ", "a,b"])
def test_another_request_id_is_replaced(api, given):
    answer = api.get("/contacts", X_Request_ID=given)
    assert parse_id(answer.headers["X-Request-ID"])


def test_request_ids_differ(api):
    seen = {api.get(path).headers["X-Request-ID"] for path in ("/health", "/contacts", "/no")}
    assert len(seen) == 3


def test_an_unexpected_failure_tells_nothing_about_the_inside():
    app = create_app(Settings(database_url="sqlite://", secret_key="a secret for tests only"))
    app.add_url_rule("/broken", view_func=lambda: {}["password"])
    answer = app.test_client().get("/broken")
    error = answer.json["error"]
    assert (answer.status_code, error["code"]) == (500, "INTERNAL_SERVER_ERROR")
    assert "password" not in answer.text
    assert "request id" in error["suggestion"]
    assert error["requestId"] == answer.headers["X-Request-ID"]


def test_every_answer_carries_security_headers(api):
    for path in ("/health", "/contacts", "/nothing"):
        headers = api.get(path).headers
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert "default-src 'self'" in headers["Content-Security-Policy"]


def test_json_is_compact_and_keeps_letters(api):
    answer = api.post("/contacts", {**ADA, "data": {"stadt": "Köln"}})
    assert '"data":{"stadt":"Köln"}' in answer.text
    assert answer.headers["Content-Type"] == "application/json"
