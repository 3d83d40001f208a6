"""Segments over HTTP: conditions, members by hand, pages, counts and refusals."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests import factories
from tests.api.routes import NOBODY


def where(field, operator, **more: object):
    test = {"field": field, "operator": operator, **more}
    return {"logic": "AND", "groups": [{"filters": [test]}]}


PRO = where("data.plan", "equals", value="pro")


@pytest.fixture
def people(api):
    """Make three contacts: Ada and Bob are pros."""
    return {
        name: api.post("/contacts", {"email": f"{name}@example.com", "data": {"plan": plan}}).json[
            "id"
        ]
        for name, plan in (("ada", "pro"), ("bob", "pro"), ("cid", "free"))
    }


@pytest.fixture
def make(api):
    """Return a function that creates a segment."""

    def run(**fields: object):
        answer = api.post("/segments", {"name": "Pros", "condition": PRO, **fields})
        assert answer.status_code == 201, answer.text
        return answer.json

    return run


def static(make, **fields: object):
    return make(type="STATIC", condition=None, **fields)


def emails(api, segment, query=""):
    answer = api.get(f"/segments/{segment['id']}/contacts{query}")
    assert answer.status_code == 200, answer.text
    return [contact["email"].partition("@")[0] for contact in answer.json["data"]]


@pytest.mark.usefixtures("people")
def test_a_segment_is_created_counted_shown_and_deleted(api, make, project):
    made = make(description="Paying")
    assert made == {
        "id": made["id"],
        "name": "Pros",
        "description": "Paying",
        "type": "DYNAMIC",
        "condition": PRO,
        "trackMembership": False,
        "memberCount": 2,
        "projectId": project.id,
        "createdAt": "2026-03-02T12:00:00.000Z",
        "updatedAt": "2026-03-02T12:00:00.000Z",
        "project": {"name": "Acme"},
    }
    del made["project"]
    assert api.get(f"/segments/{made['id']}").json == made
    other = make(name="Other")
    assert [one["id"] for one in api.get("/segments").json] == [other["id"], made["id"]]
    assert api.delete(f"/segments/{made['id']}").status_code == 204
    assert api.get(f"/segments/{made['id']}").status_code == 404


@pytest.mark.usefixtures("people")
def test_contacts_are_found_as_of_now_and_in_pages(api, make):
    made = make()
    assert emails(api, made) == ["bob", "ada"]
    api.post("/contacts", {"email": "cid@example.com", "data": {"plan": "pro"}})
    page = api.get(f"/segments/{made['id']}/contacts?pageSize=2").json
    assert [one["email"] for one in page["data"]] == ["cid@example.com", "bob@example.com"]
    assert (page["page"], page["pageSize"]) == (1, 2)
    page = api.get(f"/segments/{made['id']}/contacts?pageSize=2&page=2").json
    assert [one["email"] for one in page["data"]] == ["ada@example.com"]
    assert (page["total"], page["totalPages"]) == (3, 2)
    assert api.get(f"/segments/{made['id']}").json["memberCount"] == 2
    assert api.post(f"/segments/{made['id']}/refresh").json == {"memberCount": 3}
    assert api.get(f"/segments/{made['id']}").json["memberCount"] == 3


@pytest.mark.usefixtures("people")
def test_a_segment_is_changed(api, make, clock):
    made = make()
    clock.advance(timedelta(minutes=1))
    changed = api.patch(
        f"/segments/{made['id']}",
        {"name": "Free", "condition": where("data.plan", "notEquals", value="pro")},
    ).json
    assert (changed["name"], changed["memberCount"]) == ("Free", 1)
    assert changed["updatedAt"] == "2026-03-02T12:01:00.000Z"
    assert emails(api, made) == ["cid"]


BAD = [
    ({"name": None}, 400),
    ({"name": ""}, 400),
    ({"name": "x" * 101}, 422),
    ({"description": "x" * 501}, 422),
    ({"type": "ODD"}, 422),
    ({"trackMembership": "yes"}, 422),
    ({"condition": None}, 400),
    ({"condition": 5}, 400),
    ({"condition": []}, 400),
    ({"condition": {}}, 400),
    ({"condition": {"logic": "AND", "groups": []}}, 400),
    ({"condition": {"logic": "NOR", "groups": [{"filters": []}]}}, 400),
    ({"condition": where("data.plan", "equals")}, 400),
    ({"condition": where("data.plan", "dances", value=1)}, 400),
    ({"condition": where("data.age", "within", value=7)}, 400),
    ({"condition": where("password", "equals", value=1)}, 400),
    ({"condition": where("email", "greaterThan", value=1)}, 400),
    ({"condition": where("email.read", "triggered")}, 400),
    ({"condition": where(f"segment.{NOBODY}", "memberOfSegment")}, 400),
    ({"condition": where("segment.nonsense", "memberOfSegment")}, 400),
    ({"condition": where({"$segment": {"name": "None"}}, "memberOfSegment")}, 400),
]


@pytest.mark.parametrize(("fields", "status"), BAD)
def test_what_is_no_segment_is_refused(api, fields, status):
    answer = api.post("/segments", {"name": "Pros", "condition": PRO, **fields})
    assert answer.status_code == status, answer.text
    assert api.get("/segments").json == []


@pytest.mark.parametrize("condition", [None, 5, {}, where("data.a", "dances")])
def test_a_change_to_what_is_no_condition_is_refused(api, make, condition):
    made = make()
    answer = api.patch(f"/segments/{made['id']}", {"condition": condition})
    assert answer.status_code == 400, answer.text
    assert api.get(f"/segments/{made['id']}").json["condition"] == PRO


def test_segments_refer_to_each_other_but_not_in_a_circle(api, make, people):
    pros = make()
    vips = static(make, name="VIPs")
    api.post(f"/segments/{vips['id']}/members", {"emails": ["ada@example.com"]})
    both = make(
        name="Both",
        condition={
            "logic": "AND",
            "groups": [
                {
                    "filters": [
                        {"field": f"segment.{pros['id']}", "operator": "memberOfSegment"},
                        {"field": f"segment.{vips['id']}", "operator": "notMemberOfSegment"},
                    ]
                }
            ],
        },
    )
    assert emails(api, both) == ["bob"]
    named = make(condition=where({"$segment": {"name": "VIPs"}}, "memberOfSegment"))
    assert named["condition"] == where(f"segment.{vips['id']}", "memberOfSegment")
    assert emails(api, named) == ["ada"]
    for other in (pros, both):
        answer = api.patch(
            f"/segments/{pros['id']}",
            {"condition": where(f"segment.{other['id']}", "memberOfSegment")},
        )
        assert answer.status_code == 400
        assert "itself" in answer.json["error"]["message"]


def test_a_segment_of_another_project_is_unknown(api, stranger_api, make):
    made = make()
    answer = stranger_api.post(
        "/segments",
        {"name": "S", "condition": where(f"segment.{made['id']}", "memberOfSegment")},
    )
    assert answer.status_code == 400


def test_history_can_be_asked(api, make, people, clock):
    factories.track(api, "login", "ada@example.com")
    clock.advance(timedelta(days=2))
    factories.track(api, "login", "bob@example.com")
    recent = where("event.login", "triggeredWithin", value=1, unit="days")
    assert emails(api, make(condition=recent)) == ["bob"]
    assert emails(api, make(condition=where("login", "notTriggered"))) == ["cid"]


def test_members_are_added_and_removed_by_hand(api, make, people, clock):
    made = static(make)
    assert (made["condition"], made["memberCount"]) == (None, 0)
    path = f"/segments/{made['id']}/members"
    answer = api.post(path, {"emails": [" Ada@Example.com", "none@example.com", "odd"]})
    assert answer.status_code == 200
    assert answer.json == {"added": 1, "created": 0, "notFound": ["none@example.com", "odd"]}
    clock.advance(timedelta(minutes=1))
    assert api.post(path, {"emails": ["cid@example.com"]}).json["added"] == 1
    assert emails(api, made) == ["cid", "ada"]
    clock.advance(timedelta(minutes=1))
    again = api.post(path, {"emails": ["ada@example.com", "ada@example.com"]})
    assert again.json == {"added": 1, "created": 0, "notFound": []}
    assert emails(api, made) == ["cid", "ada"]  # who is in stays so
    assert api.get(f"/segments/{made['id']}").json["memberCount"] == 2
    gone = api.delete(path, {"emails": ["ada@example.com", "bob@example.com", "x@example.com"]})
    assert gone.json == {"removed": 2}
    assert emails(api, made) == ["cid"]
    assert api.get(f"/segments/{made['id']}").json["memberCount"] == 1


def test_missing_members_are_created_silently(api, make):
    made = static(make)
    path = f"/segments/{made['id']}/members"
    body = {"emails": ["New@Example.com", "nonsense"], "createMissing": True, "subscribed": False}
    assert api.post(path, body).json == {"added": 1, "created": 1, "notFound": ["nonsense"]}
    (contact,) = api.get(f"/segments/{made['id']}/contacts").json["data"]
    assert (contact["email"], contact["subscribed"]) == ("new@example.com", False)


@pytest.mark.parametrize(
    "body", [{}, {"emails": []}, {"emails": "a@example.com"}, {"emails": ["a@b.co"] * 501}]
)
def test_members_need_addresses(api, make, body):
    path = f"/segments/{static(make)['id']}/members"
    assert api.post(path, body).status_code == api.delete(path, body).status_code == 400


def test_only_static_segments_take_members(api, make):
    path = f"/segments/{make()['id']}/members"
    body = {"emails": ["a@example.com"]}
    assert api.post(path, body).status_code == api.delete(path, body).status_code == 400


def test_a_static_segment_ignores_a_condition(api, make):
    made = make(type="STATIC")
    assert made["condition"] is None
    changed = api.patch(f"/segments/{made['id']}", {"condition": PRO, "name": "New"})
    assert (changed.json["condition"], changed.json["name"]) == (None, "New")


def test_a_deleted_contact_is_no_member_any_more(api, make, people, machine):
    made = static(make)
    api.post(f"/segments/{made['id']}/members", {"emails": ["ada@example.com", "bob@example.com"]})
    api.delete(f"/contacts/{people['ada']}")
    assert emails(api, made) == ["bob"]
    machine.sleep(minutes=5)
    assert api.get(f"/segments/{made['id']}").json["memberCount"] == 1


def used_by_condition(api, made):
    api.post(
        "/segments", {"name": "S", "condition": where(f"segment.{made['id']}", "memberOfSegment")}
    )
    return {"workflows": 0, "segments": 1}


def used_by_trigger(api, made):
    flow = factories.workflow(api, ("DELAY", {"amount": 1, "unit": "days"}))
    config = {"triggers": [{"type": "segment", "segment": {"id": made["id"]}, "when": "exit"}]}
    answer = api.patch(f"/workflows/{flow['id']}", {"triggerConfig": config})
    assert answer.status_code == 200, answer.text
    return {"workflows": 1, "segments": 0}


def used_by_step(api, made):
    factories.workflow(api, ("SEGMENT", {"action": "add", "segmentId": made["id"]}))
    return {"workflows": 1, "segments": 0}


@pytest.mark.parametrize("use", [used_by_condition, used_by_trigger, used_by_step])
def test_a_segment_in_use_is_not_deleted(api, make, use):
    made = make(type="STATIC", condition=None) if use is used_by_step else make()
    details = use(api, made)
    answer = api.delete(f"/segments/{made['id']}")
    assert (answer.status_code, answer.json["error"]["details"]) == (409, details)
    assert api.get(f"/segments/{made['id']}").status_code == 200


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ('data.plan == "pro" and triggered "login" within 30 days', None),
        ('data.plan == "pro" or not contact.email ends with "@acme.test"',) * 2,
        ('triggered "login" where (event.app == "web")',) * 2,
        ('count "login" within 30 days >= 2',) * 2,
        ("contact.createdAt > now - 3 days",) * 2,
    ],
)
def test_what_plunks_filters_cannot_say_is_also_text(api, written, shown):
    made = api.post("/segments", {"name": "S", "condition": written})
    assert made.status_code == 201, made.text
    path = f"/segments/{made.json['id']}"
    for answer in (made.json, api.get(path).json, api.get("/segments").json[0]):
        assert answer.get("conditionText") == shown
        assert answer["condition"] == made.json["condition"]
    if shown:
        changed = api.patch(path, {"condition": made.json["conditionText"]}).json
        assert changed["condition"] == made.json["condition"]


def test_the_text_of_a_condition_names_segments_by_id(api, make):
    inner = make(type="STATIC", condition=None, name="VIP")["id"]
    made = make(name="S", condition='not contact in segment "VIP"')
    assert made["conditionText"] == f'not contact in segment id "{inner}"'
