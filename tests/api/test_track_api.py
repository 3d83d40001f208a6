"""POST /v1/track: an event of a contact, stored with everything it sets going."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from plunk.db import transaction
from plunk.models import Event
from tests import factories

ADA = "ada@example.com"


def stored(sessions):
    with transaction(sessions) as session:
        rows = session.scalars(select(Event).order_by(Event.created_at, Event.id))
        return [(row.name, row.data) for row in rows]


def only_contact(api):
    (contact,) = api.get("/contacts").json["data"]
    return contact


def test_an_event_creates_its_contact(api, sessions):
    body = {"event": "signup", "email": " Ada@Example.com", "data": {"plan": "pro"}, "more": 1}
    answer = api.post("/v1/track", body)
    assert answer.status_code == 200
    contact = only_contact(api)
    assert answer.json == {
        "success": True,
        "data": {
            "contact": contact["id"],
            "event": answer.json["data"]["event"],
            "timestamp": "2026-03-02T12:00:00.000Z",
        },
    }
    assert (contact["email"], contact["subscribed"]) == (ADA, True)
    assert contact["data"] == {"plan": "pro"}
    assert stored(sessions) == [("signup", {"plan": "pro"})]


def test_the_same_event_twice_is_two_events_of_one_contact(api, sessions):
    first, second = (factories.track(api, "signup", ADA) for _ in range(2))
    assert first["contact"] == second["contact"]
    assert first["event"] != second["event"]
    assert stored(sessions) == [("signup", None), ("signup", None)]


def test_one_off_values_stay_in_the_event(api, sessions):
    data = {"total": {"value": 5, "persistent": False}, "plan": "pro"}
    factories.track(api, "order", ADA, data=data)
    assert only_contact(api)["data"] == {"plan": "pro"}
    assert stored(sessions) == [("order", data)]


@pytest.mark.parametrize(
    ("stored_flag", "given", "expected", "events"),
    [
        (None, None, True, []),
        (None, False, False, []),
        (True, None, True, []),
        (True, True, True, []),
        (True, False, False, ["contact.unsubscribed"]),
        (False, None, False, []),
        (False, True, True, ["contact.subscribed"]),
    ],
)
def test_the_subscription_follows_the_request(api, sessions, stored_flag, given, expected, events):
    if stored_flag is not None:
        api.post("/contacts", {"email": ADA, "subscribed": stored_flag})
    factories.track(api, "go", ADA, subscribed=given)
    assert only_contact(api)["subscribed"] is expected
    assert [name for name, _ in stored(sessions)] == [*events, "go"]


def test_the_public_key_tracks_but_never_resubscribes(api, public_api, sessions):
    api.post("/contacts", {"email": ADA, "subscribed": False})
    factories.track(public_api, "go", ADA, subscribed=True)
    assert only_contact(api)["subscribed"] is False
    assert stored(sessions) == [("go", None)]
    factories.track(api, "go", ADA, subscribed=True)
    assert only_contact(api)["subscribed"] is True


def test_the_public_key_may_create_and_unsubscribe(api, public_api):
    factories.track(public_api, "go", ADA, data={"plan": "pro"})
    assert only_contact(api)["data"] == {"plan": "pro"}
    factories.track(public_api, "bye", ADA, subscribed=False)
    assert only_contact(api)["subscribed"] is False


@pytest.mark.parametrize(
    "name",
    [
        "email.open",
        "email.anything",
        "email.",
        "contact.subscribed",
        "contact.unsubscribed",
        "segment.vip.entry",
        "segment..exit",
        "segment.a.b.exit",
    ],
)
def test_reserved_names_are_refused(api, sessions, name):
    answer = api.post("/v1/track", {"event": name, "email": ADA})
    assert answer.status_code == 422
    error = answer.json["error"]
    assert error["code"] == "VALIDATION_ERROR"
    (item,) = error["errors"]
    assert (item["field"], item["code"], item["received"]) == ("event", "reserved_event", name)
    assert error["details"] == {"errors": error["errors"]}
    assert stored(sessions) == []
    assert api.get("/contacts").json["total"] == 0


@pytest.mark.parametrize(
    "name",
    ["email", "emails.open", "contact.subscribed2", "segment.vip", "segment.entry.x", "Email.open"],
)
def test_names_that_only_look_reserved_pass(api, name):
    assert factories.track(api, name, ADA)


@pytest.mark.parametrize(
    ("body", "problems"),
    [
        ({}, [("event", "invalid_type"), ("email", "invalid_type")]),
        ({"event": "", "email": ADA}, [("event", "too_small")]),
        ({"event": 5, "email": ADA}, [("event", "invalid_type")]),
        ({"event": "e" * 256, "email": ADA}, [("event", "too_big")]),
        ({"event": "e", "email": "nobody"}, [("email", "invalid_string")]),
        ({"event": "e", "email": ["a@b.co"]}, [("email", "invalid_type")]),
        ({"event": "e", "email": ADA, "data": [1]}, [("data", "invalid_type")]),
        ({"event": "e", "email": ADA, "data": "x"}, [("data", "invalid_type")]),
        ({"event": "e", "email": ADA, "subscribed": "true"}, [("subscribed", "invalid_type")]),
    ],
)
def test_every_wrong_field_is_listed(api, body, problems):
    answer = api.post("/v1/track", body)
    assert answer.status_code == 422
    errors = answer.json["error"]["errors"]
    assert [(item["field"], item["code"]) for item in errors] == problems


def test_null_data_and_a_bad_locale(api):
    assert api.post("/v1/track", {"event": "e", "email": ADA, "data": None}).status_code == 200
    answer = api.post("/v1/track", {"event": "e", "email": ADA, "data": {"locale": 1}})
    assert (answer.status_code, answer.json["error"]["code"]) == (400, "BAD_REQUEST")


def test_an_event_starts_what_listens_for_it(api):
    flow = factories.workflow(api, event="signup")
    factories.track(api, "signup", ADA, data={"plan": {"value": "pro", "persistent": False}})
    factories.track(api, "other", ADA)
    run = factories.only_run(api, flow)
    assert run["contact"]["email"] == ADA
    assert run["context"] == {"plan": "pro"}
