"""Secrets in web hooks: sent, and nowhere to be read."""

from __future__ import annotations

import json
from base64 import b64encode
from dataclasses import replace
from typing import Any
from urllib.parse import urlencode

import pytest
from sqlalchemy import select

from plunk.db import transaction
from plunk.engine.shell.batch import advance_due
from plunk.models import StepExecution, WebhookCall
from plunk.outbound import AddressBlocked, OutgoingRequest
from tests.factories import ANSWER, only_run, track, workflow

VALUE = 'tok"en-2026'


def expr(*parts: object) -> dict[str, Any]:
    return {"$expr": list(parts)}


HOOK = {
    "url": expr("+", "https://hooks.example.com/?key=", ["secret", "KEY"]),
    "headers": {"X-Token": expr("+", "Bearer ", ["secret", "TOKEN"]), "X-Plain": "{{ email }}"},
    "body": {"a": expr("object", [["token", ["secret", "TOKEN"]]]), "b": "{{ email }}", "c": 1},
    "as": "crm",
}


def calling(api: Any, **config: Any) -> dict[str, Any]:
    for name, value in (("KEY", "k-12345"), ("TOKEN", VALUE)):
        assert api.put(f"/secrets/{name}", {"value": value}).status_code in {200, 201}
    return workflow(api, ("WEBHOOK", {**HOOK, **config}))


def stored(sessions: Any) -> str:
    """Return everything that the database keeps of calls and steps."""
    with transaction(sessions) as session:
        calls = session.scalars(select(WebhookCall)).all()
        steps = session.scalars(select(StepExecution)).all()
        kept = [[c.url, c.headers, c.body, c.error, c.response_body] for c in calls]
        return json.dumps([kept, [[one.output, one.error] for one in steps]])


def test_secrets_are_sent_and_never_stored(api, machine, sessions):
    flow = calling(api)
    machine.hooks.answer = lambda request: replace(
        ANSWER,
        url=request.url,
        body=json.dumps({"echo": request.headers["X-Token"], "sent": json.loads(request.body)}),
    )
    track(api)
    advance_due(machine.worker.engine)
    assert "en-2026" not in stored(sessions)
    machine.settle()
    (request,) = machine.hooks.requests
    assert request.url == "https://hooks.example.com/?key=k-12345"
    assert request.headers["X-Token"] == f"Bearer {VALUE}"
    assert request.headers["X-Plain"] == "kim@example.org"
    sent = {"a": {"token": VALUE}, "b": "kim@example.org", "c": 1}
    assert json.loads(request.body) == sent
    output = only_run(api, flow)["stepExecutions"][1]["output"]
    assert output["url"] == "https://hooks.example.com/?key=[secret KEY]"
    assert output["response"]["echo"] == "Bearer [secret TOKEN]"
    text = stored(sessions) + json.dumps(only_run(api, flow))
    assert "k-12345" not in text
    assert "en-2026" not in text


def body_as_text(request: OutgoingRequest) -> Any:
    return {"data": (request.body or b"").decode()}


def header_as_latin_1(request: OutgoingRequest) -> Any:
    return {"data": request.headers["X-Token"].encode().decode("latin-1")}


def header_in_base64(request: OutgoingRequest) -> Any:
    return {"data": b64encode(f"kim:{request.headers['X-Token']}".encode()).decode()}


def body_as_form(request: OutgoingRequest) -> Any:
    return {"data": urlencode({"t": json.loads(request.body or b"")["t"]})}


@pytest.mark.parametrize("echo", [body_as_text, header_as_latin_1, header_in_base64, body_as_form])
@pytest.mark.parametrize("value", ['p"w/S3cr+=x', "schlüssel-S3cr€t"])
def test_answers_that_disguise_a_secret_are_struck_out(api, machine, sessions, echo, value):
    api.put("/secrets/TOK", {"value": value})
    secret = ["secret", "TOK"]
    hook = {
        "url": "https://hooks.example.com/anything",
        "headers": {"X-Token": expr("+", "Bearer ", secret)},
        "body": expr("object", [["t", secret]]),
        "as": "r",
    }
    update = {"updates": {"said": expr("get", "r", "body", "data")}}
    flow = workflow(api, ("WEBHOOK", hook), ("UPDATE_CONTACT", update))
    machine.hooks.answer = lambda request: replace(ANSWER, body=json.dumps(echo(request)))
    track(api)
    machine.settle()
    run = only_run(api, flow)
    assert run["status"] == "COMPLETED"
    (contact,) = api.get("/contacts").json["data"]
    assert "[secret TOK]" in contact["data"]["said"]
    told = json.dumps([run, contact, stored(sessions)])
    assert all(one not in told for one in ("S3cr", "schl", b64encode(b"S3cr")[:5].decode()))


def test_zeros_that_no_database_can_hold_hide_nothing(api, machine, sessions):
    calling(api)
    machine.hooks.answer = lambda request: replace(
        ANSWER, body="\0".join(request.headers["X-Token"])
    )
    track(api)
    machine.settle()
    assert "Bearer [secret TOKEN]" in stored(sessions)
    assert "en-2026" not in stored(sessions)


def test_an_error_that_quotes_a_secret_is_struck_out(api, machine, sessions):
    def refuse(request: Any) -> Any:
        raise AddressBlocked(f"cannot call {request.url} with {request.headers}")

    flow = calling(api)
    machine.hooks.answer = refuse
    track(api)
    machine.settle()
    visit = only_run(api, flow)["stepExecutions"][1]
    assert (visit["status"], "[secret KEY]" in visit["error"]) == ("FAILED", True)
    assert "k-12345" not in stored(sessions)


def test_a_secret_that_is_not_there_fails_the_step(api, machine):
    flow = calling(api, body={"x": expr("secret", "GONE")})
    track(api)
    machine.settle()
    visit = only_run(api, flow)["stepExecutions"][1]
    assert (visit["status"], visit["error"]) == ("FAILED", "the project has no secret GONE")
    assert machine.hooks.requests == []


@pytest.mark.parametrize(
    "text",
    ["<secret:KEY>", "<secret:00000000-0000-7000-8000-000000000000:KEY>", '{"$secret": "KEY"}'],
)
def test_data_that_looks_like_a_secret_stays_data(api, machine, text):
    calling(api, body={"x": expr("get", "data", "x")}, url="https://hooks.example.com/")
    track(api, data={"x": text})
    machine.settle()
    assert json.loads(machine.hooks.requests[0].body) == {"x": text}


@pytest.mark.parametrize(
    "step",
    [
        ("UPDATE_CONTACT", {"updates": {"x": expr("secret", "KEY")}}),
        ("TRACK", {"eventName": "x", "data": {"x": expr("secret", "KEY")}}),
    ],
)
def test_secrets_go_nowhere_else(api, step):
    flow = workflow(api)
    body = {"type": step[0], "name": "s", "position": {"x": 0, "y": 0}, "config": step[1]}
    answer = api.post(f"/workflows/{flow['id']}/steps", body)
    assert (answer.status_code, "secret() may only" in answer.text) == (400, True)
