"""Contacts over HTTP: upsert, merge, edit, list, look up, delete."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import func, select

from plunk.db import transaction
from plunk.models import Contact, Email, Event, Execution
from tests import factories

ADA = "ada@example.com"
NOBODY = "01890000-0000-7000-8000-000000000000"


def saved(api, **fields: object):
    answer = api.post("/contacts", {"email": ADA, **fields})
    assert answer.status_code in {200, 201}, answer.text
    return answer.json


def event_names(sessions):
    with transaction(sessions) as session:
        return list(session.scalars(select(Event.name).order_by(Event.created_at, Event.id)))


def test_a_new_contact_is_answered_in_full(api, project):
    answer = api.post("/contacts", {"email": " Ada@Example.COM ", "data": {"plan": "pro"}})
    assert answer.status_code == 201
    assert list(answer.json) == [
        "id",
        "email",
        "data",
        "subscribed",
        "snoozedUntil",
        "projectId",
        "createdAt",
        "updatedAt",
        "_meta",
    ]
    assert answer.json | {"id": ""} == {
        "id": "",
        "email": ADA,
        "data": {"plan": "pro"},
        "subscribed": True,
        "snoozedUntil": None,
        "projectId": project.id,
        "createdAt": "2026-03-02T12:00:00.000Z",
        "updatedAt": "2026-03-02T12:00:00.000Z",
        "_meta": {"isNew": True, "isUpdate": False},
    }


def test_the_same_address_merges_into_the_same_contact(api):
    first = saved(api, data={"plan": "pro", "city": "Bath"})
    answer = api.post("/contacts", {"email": "ADA@example.com", "data": {"city": None, "age": 3}})
    assert answer.status_code == 200
    assert answer.json["_meta"] == {"isNew": False, "isUpdate": True}
    assert answer.json["id"] == first["id"]
    assert answer.json["data"] == {"plan": "pro", "age": 3}


@pytest.mark.parametrize(
    ("stored", "incoming", "expected"),
    [
        ({"a": 1}, {"b": 2}, {"a": 1, "b": 2}),
        ({"a": 1}, {"a": "2"}, {"a": "2"}),
        ({"a": {"x": 1}}, {"a": {"y": 2}}, {"a": {"y": 2}}),
        ({"a": 1}, {"a": ""}, {"a": 1}),
        ({"a": 1, "b": 2}, {"a": None}, {"b": 2}),
        ({"a": 1}, {"a": None}, None),
        ({}, {"never": None}, None),
        ({"a": 1}, {"a": {"value": 2, "persistent": False}}, {"a": 1}),
        ({}, {"a": {"value": 2, "persistent": True}}, {"a": {"value": 2, "persistent": True}}),
        ({}, {"a": [1, {"b": None}]}, {"a": [1, {"b": None}]}),
        ({}, {"id": 1, "email": 2, "plunk_id": 3, "plunk_email": 4, "manageUrl": 5}, None),
        ({}, {"unsubscribeUrl": 1, "subscribeUrl": 2, "ok": 0}, {"ok": 0}),
        ({}, {"subscribed": False, "createdAt": "x"}, {"subscribed": False, "createdAt": "x"}),
        ({}, {"locale": "pt-BR"}, {"locale": "pt-BR"}),
        ({"locale": "de"}, {"locale": None}, None),
        ({}, {"ключ": "значение 🎉"}, {"ключ": "значение 🎉"}),
        ({"a": True}, {"a": False, "b": 0, "c": 1.5}, {"a": False, "b": 0, "c": 1.5}),
    ],
)
def test_data_merges_key_by_key(api, stored, incoming, expected):
    saved(api, data=stored)
    assert saved(api, data=incoming)["data"] == expected
    found = api.get("/contacts").json["data"]
    assert [contact["data"] for contact in found] == [expected]


def test_only_a_real_change_of_subscription_is_an_event(api, sessions):
    saved(api, subscribed=False)
    assert event_names(sessions) == []
    saved(api, subscribed=False)
    assert event_names(sessions) == []
    assert saved(api)["subscribed"] is False
    assert saved(api, subscribed=True)["subscribed"] is True
    assert event_names(sessions) == ["contact.subscribed"]
    contact = saved(api)
    api.patch(f"/contacts/{contact['id']}", {"subscribed": False})
    assert event_names(sessions) == ["contact.subscribed", "contact.unsubscribed"]


def test_any_write_of_the_subscription_ends_a_snooze(api, sessions, clock):
    contact = saved(api, subscribed=False)
    with transaction(sessions) as session:
        row = session.get_one(Contact, contact["id"])
        row.snoozed_until = clock.now() + timedelta(days=30)
    assert api.get(f"/contacts/{contact['id']}").json["snoozedUntil"] == "2026-04-01T12:00:00.000Z"
    assert saved(api)["snoozedUntil"] is not None
    assert saved(api, subscribed=False)["snoozedUntil"] is None


def test_updated_at_moves_only_with_a_change(api, clock):
    contact = saved(api, data={"a": 1})
    clock.advance(timedelta(minutes=1))
    assert saved(api, data={"a": 1})["updatedAt"] == contact["updatedAt"]
    clock.advance(timedelta(minutes=1))
    assert saved(api, data={"a": 2})["updatedAt"] == "2026-03-02T12:02:00.000Z"
    clock.advance(timedelta(minutes=1))
    moved = api.patch(f"/contacts/{contact['id']}", {"email": "new@example.com"}).json
    assert moved["updatedAt"] == "2026-03-02T12:03:00.000Z"


@pytest.mark.parametrize(
    ("body", "status", "field"),
    [
        ({}, 400, "email"),
        ({"email": None}, 400, "email"),
        ({"email": 5}, 400, "email"),
        ({"email": ""}, 422, "email"),
        ({"email": "nobody"}, 422, "email"),
        ({"email": "a@b"}, 422, "email"),
        ({"email": "a..b@example.com"}, 422, "email"),
        ({"email": ".a@example.com"}, 422, "email"),
        ({"email": "a@example.com\nBcc: x@example.com"}, 422, "email"),
        ({"email": f"{'a' * 250}@example.com"}, 422, "email"),
        ({"email": ADA, "subscribed": "yes"}, 422, "subscribed"),
        ({"email": ADA, "data": []}, 422, "data"),
        ({"email": ADA, "data": "x"}, 422, "data"),
        ({"email": ADA, "data": {"x": "y" * 300_000}}, 422, "data"),
    ],
)
def test_what_cannot_become_a_contact_is_refused(api, body, status, field):
    answer = api.post("/contacts", body)
    assert answer.status_code == status
    assert [item["field"] for item in answer.json["error"]["errors"]] == [field]
    assert answer.json["error"]["code"] == ("BAD_REQUEST" if status == 400 else "VALIDATION_ERROR")
    assert api.get("/contacts").json["total"] == 0


@pytest.mark.parametrize(
    "email", ["o'hara@example.com", "a_b+c-d.e@sub.example.co", "x@mail.test", "x@host.local"]
)
def test_unusual_addresses_are_accepted(api, email):
    assert api.post("/contacts", {"email": email}).status_code == 201


@pytest.mark.parametrize("locale", [5, True, ["de"], {"a": 1}])
def test_a_locale_must_be_text(api, locale):
    answer = api.post("/contacts", {"email": ADA, "data": {"locale": locale}})
    assert (answer.status_code, answer.json["error"]["code"]) == (400, "BAD_REQUEST")


def test_a_contact_is_edited(api):
    contact = saved(api, data={"a": 1})
    path = f"/contacts/{contact['id']}"
    assert api.patch(path, {"data": {"b": 2}}).json["data"] == {"a": 1, "b": 2}
    assert api.patch(path, {"email": "  NEW@example.com"}).json["email"] == "new@example.com"
    assert api.patch(path, {"data": None}).json["data"] is None
    assert api.patch(path, {}).json == api.get(path).json
    assert "_meta" not in api.get(path).json


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"data": []}, 400),
        ({"data": "text"}, 400),
        ({"data": {"locale": 1}}, 400),
        ({"email": "nobody"}, 422),
        ({"email": None}, 422),
        ({"subscribed": None}, 422),
        ({"subscribed": 1}, 422),
    ],
)
def test_a_wrong_edit_changes_nothing(api, body, status):
    contact = saved(api, data={"a": 1})
    path = f"/contacts/{contact['id']}"
    assert api.patch(path, body).status_code == status
    assert api.get(path).json["data"] == {"a": 1}


def test_an_address_belongs_to_one_contact(api):
    saved(api)
    other = api.post("/contacts", {"email": "bob@example.com"}).json
    answer = api.patch(f"/contacts/{other['id']}", {"email": "ADA@example.com", "data": {"a": 1}})
    assert (answer.status_code, answer.json["error"]["code"]) == (409, "CONFLICT")
    unchanged = api.get(f"/contacts/{other['id']}").json
    assert (unchanged["email"], unchanged["data"]) == ("bob@example.com", None)
    assert api.patch(f"/contacts/{other['id']}", {"email": "BOB@example.com"}).status_code == 200


def test_a_deleted_contact_takes_everything_along(api, sessions, machine):
    template = factories.template(api)
    factories.workflow(
        api, ("SEND_EMAIL", {"templateId": template}), ("DELAY", {"amount": 1, "unit": "days"})
    )
    factories.track(api, email=ADA)
    machine.settle()
    contact = api.get("/contacts").json["data"][0]
    assert api.delete(f"/contacts/{contact['id']}").status_code == 204
    assert api.get(f"/contacts/{contact['id']}").status_code == 404
    assert api.delete(f"/contacts/{contact['id']}").status_code == 404
    with transaction(sessions) as session:
        for table in (Contact, Email, Event, Execution):
            assert session.scalar(select(func.count()).select_from(table)) == 0


def addresses(answer):
    return [contact["email"] for contact in answer.json["data"]]


@pytest.fixture
def crowd(api, clock):
    """Make five contacts, a minute apart, the second and fourth unsubscribed."""
    for number in range(5):
        email = f"c{number}@{'x' if number < 3 else 'y'}.test"
        api.post("/contacts", {"email": email, "subscribed": number % 2 == 0})
        clock.advance(timedelta(minutes=1))


@pytest.mark.usefixtures("crowd")
def test_the_list_is_walked_with_a_cursor(api):
    first = api.get("/contacts?limit=2")
    assert addresses(first) == ["c4@y.test", "c3@y.test"]
    assert (first.json["total"], first.json["hasMore"]) == (5, True)
    second = api.get(f"/contacts?limit=2&cursor={first.json['cursor']}")
    assert addresses(second) == ["c2@x.test", "c1@x.test"]
    assert (second.json["total"], second.json["hasMore"]) == (0, True)
    last = api.get(f"/contacts?limit=2&cursor={second.json['cursor']}")
    assert addresses(last) == ["c0@x.test"]
    assert (last.json["hasMore"], "cursor" in last.json) == (False, False)


@pytest.mark.usefixtures("crowd")
@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("search=Y.TEST", "43"),
        ("search=_", ""),
        ("search=%25", ""),
        ("subscribed=true", "420"),
        ("subscribed=false", "31"),
        ("subscribed=maybe", "43210"),
        ("status=unsubscribed", "31"),
        ("status=snoozed", ""),
        ("status=subscribed&subscribed=false", "420"),
        ("sort=email&dir=asc", "01234"),
        ("sort=createdAt&dir=asc", "01234"),
        ("sort=nonsense&dir=sideways", "43210"),
        ("limit=2abc", "43"),
        ("limit=0", "43210"),
        ("limit=-7", "4"),
        ("limit=many", "43210"),
        ("limit=9999999999999999999999", "43210"),
        (f"cursor={NOBODY}", ""),
        ("cursor=nonsense", ""),
    ],
)
def test_the_list_is_filtered_and_sorted(api, query, expected):
    assert "".join(email[1] for email in addresses(api.get(f"/contacts?{query}"))) == expected


def test_contacts_of_one_instant_are_all_listed_once(api):
    for number in range(7):
        api.post("/contacts", {"email": f"c{number}@x.test"})
    seen, cursor = [], ""
    for _ in range(4):
        answer = api.get(f"/contacts?limit=2{cursor}")
        seen += addresses(answer)
        cursor = f"&cursor={answer.json.get('cursor')}"
    assert sorted(seen) == [f"c{number}@x.test" for number in range(7)]


def test_addresses_are_looked_up_in_the_callers_spelling(api):
    contact = saved(api)
    asked = ["NOBODY@x.test", "Ada@Example.com", "nobody@x.test", "NOBODY@x.test", "no address"]
    answer = api.post("/contacts/lookup", {"emails": asked})
    assert answer.status_code == 200
    assert [found["id"] for found in answer.json["found"]] == [contact["id"]]
    assert answer.json["notFound"] == [asked[0], asked[2], asked[3], asked[4]]


@pytest.mark.parametrize(
    "body", [{}, {"emails": []}, {"emails": ADA}, {"emails": None}, {"emails": ["x"] * 501}]
)
def test_a_lookup_needs_1_to_500_addresses(api, body):
    answer = api.post("/contacts/lookup", body)
    assert (answer.status_code, answer.json["error"]["code"]) == (400, "BAD_REQUEST")
    assert answer.json["error"]["errors"][0]["field"] == "emails"
