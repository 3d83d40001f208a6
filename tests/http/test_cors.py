"""Who may call from a browser."""

from __future__ import annotations

import pytest

OWN = "http://127.0.0.1:8000"
FOREIGN = "https://elsewhere.example"


@pytest.mark.parametrize("path", ["/v1", "/v1/track", "/v1/send", "/v1/nothing"])
def test_preflights_under_v1_pass_without_a_key(app, path):
    answer = app.test_client().options(path, headers={"Origin": FOREIGN})
    assert (answer.status_code, answer.data) == (200, b"")
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    assert answer.headers["Access-Control-Allow-Methods"] == "GET, POST, PUT, DELETE, OPTIONS"
    assert answer.headers["Access-Control-Allow-Headers"] == "Content-Type, Authorization"


@pytest.mark.parametrize("body", [{"event": "go", "email": "a@b.co"}, {}])
def test_answers_under_v1_are_for_every_origin(public_api, body):
    answer = public_api.post("/v1/track", body, Origin=FOREIGN)
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    assert "Access-Control-Allow-Credentials" not in answer.headers


def test_the_dashboard_may_send_credentials(api):
    answer = api.get("/contacts", Origin=OWN)
    assert answer.headers["Access-Control-Allow-Origin"] == OWN
    assert answer.headers["Access-Control-Allow-Credentials"] == "true"
    assert "Origin" in answer.headers["Vary"]


@pytest.mark.parametrize("origin", [FOREIGN, f"{OWN}.evil.example", "null"])
def test_foreign_pages_are_told_nothing_but_the_request_runs(api, origin):
    answer = api.post("/contacts", {"email": "a@b.co"}, Origin=origin)
    assert answer.status_code == 201
    assert "Access-Control" not in str(answer.headers)
    assert "Origin" in answer.headers["Vary"]


def test_without_an_origin_all_is_well(api):
    assert api.get("/contacts").status_code == 200
    assert api.call("OPTIONS", "/contacts").status_code == 200
