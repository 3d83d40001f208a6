"""What is not a request at all gets the same clear refusal on every route that reads a body."""

from __future__ import annotations

import json

import pytest

from tests.api.routes import NOBODY, ROUTES, WITH_BODY

JSON = "application/json"
BODIES = {
    "cut off": (b'{"email": "a@b.co"', 400),
    "trailing comma": (b'{"email": "a@b.co",}', 400),
    "single quotes": (b"{'email': 'a@b.co'}", 400),
    "two values": (b"{}{}", 400),
    "a comment": (b"{} // really", 400),
    "a string": (b'"text"', 400),
    "a number": (b"5", 400),
    "null": (b"null", 400),
    "white space": (b"  ", 400),
    "nothing": (b"", 422),
    "an array": (b'[{"email": "a@b.co"}]', 422),
    "not UTF-8": (b'{"email": "\xff@b.co"}', 400),
    "UTF-16": ('{"email": "a@b.co"}'.encode("utf-16"), 400),
    "a byte order mark": (b'\xef\xbb\xbf{"email": "a@b.co"}', 400),
    "an encoded surrogate": (b'{"email": "\xed\xa0\x80"}', 400),
    "NaN": (b'{"data": {"x": NaN}}', 400),
    "Infinity": (b'{"data": {"x": Infinity}}', 400),
    "-Infinity": (b'{"data": {"x": -Infinity}}', 400),
    "a number too large": (b'{"data": {"x": 1e999}}', 400),
    "an integer over 64 bits": (b'{"data": {"x": 18446744073709551616}}', 400),
    "a very long integer": (b'{"data": {"x": ' + b"9" * 5000 + b"}}", 400),
    "an escaped lone surrogate": (b'{"data": {"x": "\\ud800"}}', 400),
    "a lone surrogate as a key": (b'{"data": {"\\uDFFF": 1}}', 400),
    "an escaped NUL": (b'{"data": {"x": "a\\u0000b"}}', 400),
    "a NUL as a key": (b'{"data": {"\\u0000": 1}}', 400),
    "a raw NUL": (b'{"data": {"x": "a\x00b"}}', 400),
    "a raw line break": (b'{"data": {"x": "a\nb"}}', 400),
    "10,000 arrays": (b'{"data": ' + b"[" * 10_000 + b"]" * 10_000 + b"}", 400),
    "10,000 objects": (b'{"a":' * 10_000 + b"1" + b"}" * 10_000, 400),
    "65 levels": (b'{"data": ' + b"[" * 64 + b"]" * 64 + b"}", 400),
    "unclosed and full of quotes": (b'{"data": ' + b"[" * 65 + b'"' + b'\\"' * 100_000, 400),
}


def send(api, route, raw, content_type=JSON):
    headers = {"Authorization": f"Bearer {api.key}"}
    return api.client.open(
        route.path(), method=route.method, data=raw, content_type=content_type, headers=headers
    )


def refusal(answer, status):
    """Check that an answer is the documented refusal, and return its error."""
    assert answer.status_code == status, answer.text
    said = json.loads(answer.text)
    error = said["error"]
    assert (said["success"], error["statusCode"]) == (False, status)
    assert error["message"]
    assert error["requestId"] == answer.headers["X-Request-ID"]
    return error


@pytest.mark.parametrize("route", WITH_BODY, ids=str)
def test_a_body_that_is_no_object_is_refused(api, route):
    for name, (raw, status) in BODIES.items():
        if not raw and route.spec.body_optional:
            continue
        answer = send(api, route, raw)
        assert (name, answer.status_code) == (name, status)
        assert refusal(answer, status)["code"] == "VALIDATION_ERROR"


def test_no_body_is_one_problem_of_the_whole(api):
    answer = api.post("/v1/track")
    assert answer.json["error"]["errors"] == [
        {"field": "", "message": "Required", "code": "invalid_type", "received": "undefined"}
    ]


@pytest.mark.parametrize("route", WITH_BODY, ids=str)
def test_a_body_of_another_type_is_refused(api, route):
    for content_type in ("text/plain", "application/x-www-form-urlencoded", "text/json2", None):
        answer = send(api, route, b'{"email": "a@b.co"}', content_type)
        assert "application/json" in refusal(answer, 415)["suggestion"]


@pytest.mark.parametrize("content_type", [f"{JSON}; charset=utf-8", "application/vnd.api+json"])
def test_kinds_of_json_are_read(api, content_type):
    answer = api.client.post(
        "/contacts",
        data=b'{"email": "a@b.co"}',
        content_type=content_type,
        headers={"Authorization": f"Bearer {api.key}"},
    )
    assert answer.status_code == 201


@pytest.mark.parametrize("route", WITH_BODY, ids=str)
def test_a_body_over_the_limit_is_refused(api, route):
    raw = b'{"data": "' + b"x" * route.spec.body_limit + b'"}'
    assert refusal(send(api, route, raw), 413)["code"] == "BAD_REQUEST"


@pytest.mark.parametrize("route", ROUTES, ids=str)
def test_another_method_is_refused(api, route):
    answer = api.call("PROPFIND", route.path())
    assert refusal(answer, 405)["code"] == "BAD_REQUEST"
    assert route.method in answer.headers["Allow"]


@pytest.mark.parametrize(
    "path",
    ["/nothing", "/v1", "/v1/nothing", "/contacts/a/b", "/templates/x/usage/y", "/%00"],
)
def test_an_unknown_path_is_refused(api, path):
    assert refusal(api.get(path), 404)["code"] == "RESOURCE_NOT_FOUND"


@pytest.mark.parametrize(
    "query",
    [
        "limit=%00&cursor=%00&search=%00",
        "page=1e9&pageSize=NaN",
        "page=99999999999999999999&pageSize=99999999999999999999",
        "search=%F0%9F%8E%89%25_%5C",
        "search=%ED%A0%80&cursor=%FF",
        "sort=&dir=&status=&subscribed=",
        "limit=1&limit=2&cursor[]=x",
        f"cursor={NOBODY}&search={'x' * 2000}",
    ],
)
@pytest.mark.parametrize(
    "route", [route for route in ROUTES if route.spec.query and not route.arguments], ids=str
)
def test_strange_queries_never_break_a_list(api, route, query):
    assert api.call(route.method, f"{route.path()}?{query}").status_code in {200, 400, 422}
