"""Idempotency-Key: the same key never does the work twice."""

from __future__ import annotations

import sqlite3
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from sqlalchemy import event, func, select
from sqlalchemy.exc import OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from plunk.db import InDoubt, db, transaction
from plunk.errors import DatabaseBusy
from plunk.http import idempotency as edge
from plunk.http.runtime import Caller
from plunk.models import Event, IdempotencyKey
from plunk.services import idempotency
from plunk.services.idempotency import Claim
from plunk.worker.jobs import drop_old
from tests.factories import template

TRACK = {"event": "order", "email": "ada@example.com"}
SEND = {"to": "ada@example.com", "subject": "Hi", "body": "Hi", "from": "team@acme.test"}


def track(api, key, body=TRACK):
    return api.post("/v1/track", body, Idempotency_Key=key)


def count(sessions, table):
    with transaction(sessions) as session:
        return session.scalar(select(func.count()).select_from(table))


def test_a_spent_key_does_nothing_and_says_what_it_was_spent_on(api, sessions, clock):
    assert track(api, "k-1").status_code == 200
    clock.advance(timedelta(hours=23))
    for answer in (track(api, "k-1"), api.post("/v1/send", SEND, Idempotency_Key="k-1")):
        error = answer.json["error"]
        assert (answer.status_code, error["code"]) == (409, "IDEMPOTENCY_KEY_REUSED")
        assert error["details"] == {
            "key": "k-1",
            "originalRequest": "POST /v1/track",
            "originalRequestAt": "2026-03-02T12:00:00.000Z",
            "originalStatusCode": 200,
        }
        assert error["suggestion"]
    assert count(sessions, Event) == 1


def test_without_a_key_every_request_counts(api, sessions):
    for _ in range(2):
        api.post("/v1/track", TRACK)
    assert count(sessions, Event) == 2


def test_keys_belong_to_a_project(api, public_api, stranger_api):
    assert track(api, "same").status_code == 200
    assert track(stranger_api, "same").status_code == 200
    assert track(public_api, "same").status_code == 409


def test_other_routes_take_no_notice(api):
    for expected in (201, 200):
        answer = api.post("/contacts", {"email": "a@b.co"}, Idempotency_Key="k")
        assert answer.status_code == expected


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("/v1/track", {}, 422),
        ("/v1/track", {**TRACK, "event": "email.open"}, 422),
        ("/v1/track", {**TRACK, "data": {"locale": 5}}, 400),
        ("/v1/send", {**SEND, "template": "01890000-0000-7000-8000-000000000000"}, 404),
        ("/v1/send", {**SEND, "to": ["a@b.co", "nobody"]}, 422),
    ],
)
def test_a_refused_request_gives_its_key_back(api, sessions, path, body, status):
    for _ in range(2):
        assert api.post(path, body, Idempotency_Key="k").status_code == status
    assert count(sessions, IdempotencyKey) == 0
    assert track(api, "k").status_code == 200


def test_a_refused_message_leaves_no_contact_behind(api):
    body = {"to": "a@b.co", "template": template(api, type="MARKETING")}
    assert api.post("/v1/send", body, Idempotency_Key="k").status_code == 400
    assert api.get("/contacts").json["total"] == 0
    answer = api.post("/v1/send", {**body, "subscribed": True}, Idempotency_Key="k")
    assert answer.status_code == 200


@pytest.mark.parametrize("key", ["", "x" * 256, "ключ", "tab\there"])
def test_a_key_is_1_to_255_printable_characters(api, sessions, key):
    answer = track(api, key)
    assert (answer.status_code, answer.json["error"]["code"]) == (400, "BAD_REQUEST")
    assert count(sessions, Event) == 0


@pytest.mark.parametrize("key", ["x", "x" * 255, "a b~!{}"])
def test_keys_of_any_printable_characters_work(api, key):
    assert [track(api, key).status_code for _ in range(2)] == [200, 409]


def test_the_key_is_not_spent_on_a_stranger(api, sessions):
    api.client.post("/v1/track", json=TRACK, headers={"Idempotency-Key": "k"})
    assert count(sessions, IdempotencyKey) == 0


def test_a_request_under_way_holds_its_key(api, project, sessions, clock):
    with transaction(sessions) as session:
        claim = Claim(project.id, "k", clock.now())
        idempotency.claim(session, claim, request="POST /v1/send")
    answer = track(api, "k")
    assert answer.status_code == 409
    assert answer.json["error"]["details"]["originalStatusCode"] is None


@pytest.fixture
def once(app, project, clock):
    """Return a function that makes one request with a key, whose work raises this."""
    caller = Caller(project.id, project.name, disabled=False, key_kind="secret")

    def tell(error, key="k"):
        def work():
            raise error

        headers = {"Idempotency-Key": key}
        with (
            app.test_request_context("/v1/track", method="POST", headers=headers),
            pytest.raises(type(error)),
        ):
            edge.once(db.session(), caller, work, now=clock.now())

    return tell


LOCKED = OperationalError("SELECT 1", {}, sqlite3.OperationalError("database is locked"))


@pytest.mark.parametrize(
    ("error", "status"), [(RuntimeError("the machine is on fire"), 500), (InDoubt(LOCKED), 503)]
)
def test_a_request_that_broke_or_is_in_doubt_keeps_its_key(api, once, error, status):
    once(error)
    answer = track(api, "k")
    assert answer.status_code == 409
    assert answer.json["error"]["details"]["originalStatusCode"] == status


@pytest.mark.parametrize("error", [LOCKED, PoolTimeout("no connection"), DatabaseBusy("busy")])
def test_a_request_that_met_a_busy_database_gives_its_key_back(api, once, error):
    once(error)
    assert track(api, "k").status_code == 200


def test_keys_are_forgotten_after_a_day(api, machine, clock):
    track(api, "old")
    clock.advance(timedelta(hours=12))
    track(api, "young")
    clock.advance(timedelta(hours=13))
    drop_old(machine.worker)
    assert track(api, "old").status_code == 200
    assert track(api, "young").status_code == 409


def test_of_many_requests_at_once_one_wins(app, api, sessions):
    headers = {"Authorization": f"Bearer {api.key}", "Idempotency-Key": "k"}

    def call(_):
        return app.test_client().post("/v1/track", json=TRACK, headers=headers).status_code

    with ThreadPoolExecutor(20) as threads:
        assert sorted(threads.map(call, range(20))) == [200] + [409] * 19
    assert count(sessions, Event) == 1


def test_what_was_done_is_answered_although_its_key_could_not_be_settled(app, project, clock):
    caller = Caller(project.id, project.name, disabled=False, key_kind="secret")
    broken = OperationalError("UPDATE", {}, sqlite3.OperationalError("no such table"))
    broken.orig.sqlite_errorcode = sqlite3.SQLITE_ERROR

    def fail(_session):
        raise broken

    def work():
        event.listen(db.session, "before_commit", fail)
        return "done", 200

    headers = {"Idempotency-Key": "k"}
    with app.test_request_context("/v1/track", method="POST", headers=headers):
        try:
            assert edge.once(db.session(), caller, work, now=clock.now()) == ("done", 200)
        finally:
            event.remove(db.session, "before_commit", fail)


def test_a_claim_gives_back_no_key_but_its_own(api, project, sessions, clock):
    first, second = (Claim(project.id, "k", clock.now() + timedelta(seconds=n)) for n in (0, 1))
    with transaction(sessions) as session:
        idempotency.claim(session, second, request="POST /v1/track")
        idempotency.release(session, first)
        idempotency.settle(session, first, 200)
    answer = track(api, "k")
    assert answer.status_code == 409
    assert answer.json["error"]["details"]["originalStatusCode"] is None
