"""Templates over HTTP: create, edit, list, copy, count, delete."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select

from plunk.db import transaction
from plunk.models import Email, Step
from tests import factories

NOBODY = "01890000-0000-7000-8000-000000000000"
WELCOME = {
    "name": "Welcome",
    "subject": "Hi {{firstName ?? there}}",
    "body": "<p>{{email}}</p>",
    "from": "hi@example.com",
}


@pytest.fixture
def welcome(api):
    """Make a template."""
    return api.post("/templates", WELCOME).json


def test_a_template_is_answered_in_full(api, project):
    answer = api.post("/templates", WELCOME | {"unknown": 1})
    assert answer.status_code == 201
    expected = {
        "name": "Welcome",
        "description": None,
        "subject": "Hi {{firstName ?? there}}",
        "body": "<p>{{email}}</p>",
        "from": "hi@example.com",
        "fromName": None,
        "replyTo": None,
        "type": "MARKETING",
        "projectId": project.id,
        "createdAt": "2026-03-02T12:00:00.000Z",
        "updatedAt": "2026-03-02T12:00:00.000Z",
    }
    assert answer.json == {"id": answer.json["id"], **expected}
    assert list(answer.json) == ["id", *expected]
    assert api.get(f"/templates/{answer.json['id']}").json == answer.json


@pytest.mark.parametrize(
    ("change", "status", "field", "code"),
    [
        ({"name": ...}, 400, "name", "invalid_type"),
        ({"subject": ...}, 400, "subject", "invalid_type"),
        ({"body": ...}, 400, "body", "invalid_type"),
        ({"from": ...}, 400, "from", "invalid_type"),
        ({"name": None}, 400, "name", "invalid_type"),
        ({"name": ""}, 400, "name", "too_small"),
        ({"body": ""}, 400, "body", "too_small"),
        ({"name": "x" * 101}, 422, "name", "too_big"),
        ({"description": "x" * 501}, 422, "description", "too_big"),
        ({"subject": "x" * 999}, 422, "subject", "too_big"),
        ({"subject": "a\r\nBcc: b@c.de"}, 422, "subject", "invalid_string"),
        ({"subject": "a\nb"}, 422, "subject", "invalid_string"),
        ({"from": "nobody"}, 422, "from", "invalid_string"),
        ({"fromName": "x" * 101}, 422, "fromName", "too_big"),
        ({"fromName": "a\nb"}, 422, "fromName", "invalid_string"),
        ({"replyTo": "nobody"}, 422, "replyTo", "invalid_string"),
        ({"type": "SPAM"}, 422, "type", "invalid_enum_value"),
        ({"type": None}, 422, "type", "invalid_type"),
        ({"description": 5}, 422, "description", "invalid_type"),
    ],
)
def test_every_field_has_its_rule(api, change, status, field, code):
    body = {key: value for key, value in {**WELCOME, **change}.items() if value is not ...}
    answer = api.post("/templates", body)
    assert answer.status_code == status
    error = answer.json["error"]
    assert error["code"] == ("BAD_REQUEST" if status == 400 else "VALIDATION_ERROR")
    assert [(item["field"], item["code"]) for item in error["errors"]] == [(field, code)]
    assert api.get("/templates").json["total"] == 0


def test_the_first_missing_field_is_named_and_all_are_listed(api):
    error = api.post("/templates", {"type": "SPAM"}).json["error"]
    assert error["message"] == "name: Required"
    fields = [item["field"] for item in error["errors"]]
    assert fields == ["name", "subject", "body", "from", "type"]


@pytest.mark.parametrize(
    ("field", "source", "line", "column"),
    [
        ("subject", "Hi {{ name", 1, 4),
        ("body", "{% include 'x' %}", 1, 1),
        ("body", "{{ x | nosuchfilter }}", 1, 1),
        ("body", "\n\n{% endfor %}", 3, 1),
    ],
)
def test_a_broken_template_is_refused_with_its_place(api, welcome, field, source, line, column):
    path = f"/templates/{welcome['id']}"
    for answer in (
        api.post("/templates", {**WELCOME, field: source}),
        api.patch(path, {field: source}),
    ):
        assert answer.status_code == 400
        error = answer.json["error"]
        assert error["code"] == "VALIDATION_ERROR"
        assert error["details"] == {"field": field, "line": line, "column": column}
        assert error["errors"][0]["field"] == field
        assert error["suggestion"]
    assert api.get(path).json == welcome


def test_a_template_is_edited(api, welcome, clock):
    path = f"/templates/{welcome['id']}"
    clock.advance(timedelta(minutes=1))
    changes = {
        "name": "Hello",
        "description": "First mail",
        "fromName": "Ada",
        "replyTo": "reply@example.com",
        "type": "TRANSACTIONAL",
        "from": "new@example.com",
    }
    answer = api.patch(path, changes)
    assert answer.status_code == 200
    assert answer.json == {**welcome, **changes, "updatedAt": "2026-03-02T12:01:00.000Z"}
    clock.advance(timedelta(minutes=1))
    assert api.patch(path, {"name": "Hello"}).json == answer.json
    cleared = api.patch(path, {"description": None, "fromName": None, "replyTo": None}).json
    assert (cleared["description"], cleared["fromName"], cleared["replyTo"]) == (None, None, None)


@pytest.mark.parametrize(
    "body", [{"name": ""}, {"name": None}, {"body": ""}, {"from": None}, {"subject": "a\nb"}]
)
def test_a_wrong_edit_changes_nothing(api, welcome, body):
    path = f"/templates/{welcome['id']}"
    assert api.patch(path, body).status_code == 422
    assert api.get(path).json == welcome


@pytest.fixture
def shelf(api, clock):
    """Make four templates, a minute apart."""
    rows = [
        ("Delta", "MARKETING", "alpha beta"),
        ("Alpha", "TRANSACTIONAL", None),
        ("Charlie", "HEADLESS", None),
        ("Bravo", "MARKETING", "100% off_er"),
    ]
    for name, kind, description in rows:
        fields = {"name": name, "type": kind, "description": description, "subject": f"S{name}"}
        api.post("/templates", {**WELCOME, **fields})
        clock.advance(timedelta(minutes=1))


@pytest.mark.usefixtures("shelf")
@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", "BCAD"),
        ("sort=name&dir=asc", "ABCD"),
        ("sort=name", "DCBA"),
        ("sort=updatedAt&dir=asc", "DACB"),
        ("sort=nonsense&dir=sideways", "BCAD"),
        ("search=ALPHA", "AD"),
        ("search=scharlie", "C"),
        ("search=%25", "B"),
        ("search=_", "B"),
        ("search=nothing", ""),
        ("type=MARKETING", "BD"),
        ("type=MARKETING&search=alpha", "D"),
        ("pageSize=3", "BCA"),
        ("pageSize=3&page=2", "D"),
        ("page=99", ""),
        ("page=-3&pageSize=0", "BCAD"),
    ],
)
def test_the_list_is_searched_sorted_and_paged(api, query, expected):
    answer = api.get(f"/templates?{query}")
    assert answer.status_code == 200
    assert "".join(template["name"][0] for template in answer.json["data"]) == expected


@pytest.mark.usefixtures("shelf")
def test_a_page_counts_the_whole(api):
    answer = api.get("/templates?pageSize=3&page=2").json
    del answer["data"]
    assert answer == {"total": 4, "page": 2, "pageSize": 3, "totalPages": 2}


def test_an_unknown_type_cannot_be_listed(api):
    answer = api.get("/templates?type=SPAM")
    assert (answer.status_code, answer.json["error"]["code"]) == (400, "BAD_REQUEST")


def test_a_copy_says_so_in_its_name(api, welcome):
    answer = api.post(f"/templates/{welcome['id']}/duplicate")
    assert answer.status_code == 201
    assert answer.json["name"] == "Welcome (Copy)"
    assert answer.json["id"] != welcome["id"]
    assert answer.json == {**welcome, "name": "Welcome (Copy)", "id": answer.json["id"]}


def test_a_copy_of_a_long_name_still_fits(api):
    template = factories.template(api, "x" * 100)
    name = api.post(f"/templates/{template}/duplicate").json["name"]
    assert (len(name), name[-8:]) == (100, "x (Copy)")


def test_usage_counts_live_steps_and_mail(api, welcome):
    path = f"/templates/{welcome['id']}/usage"
    assert api.get(path).json == {"workflowSteps": 0, "emailsSent": 0}
    factories.workflow(api, ("SEND_EMAIL", {"templateId": welcome["id"]}))
    body = {"to": ["a@b.co", "c@d.co"], "template": welcome["id"], "subscribed": True}
    api.post("/v1/send", body)
    assert api.get(path).json == {"workflowSteps": 1, "emailsSent": 2}


def test_a_template_in_a_live_step_stays(api, welcome):
    flow = factories.workflow(api, ("SEND_EMAIL", {"templateId": welcome["id"]}))
    path = f"/templates/{welcome['id']}"
    answer = api.delete(path)
    assert (answer.status_code, answer.json["error"]["code"]) == (409, "CONFLICT")
    assert answer.json["error"]["details"] == {"workflowSteps": 1}
    step = next(item for item in flow["steps"] if item["type"] == "SEND_EMAIL")
    assert api.delete(f"/workflows/{flow['id']}/steps/{step['id']}").status_code in {200, 204}
    assert api.delete(path).status_code == 204


def test_history_survives_its_template(api, welcome, sessions):
    flow = factories.workflow(api, ("SEND_EMAIL", {"templateId": welcome["id"]}))
    step = next(item for item in flow["steps"] if item["type"] == "SEND_EMAIL")
    api.delete(f"/workflows/{flow['id']}/steps/{step['id']}")
    api.post("/v1/send", {"to": "a@b.co", "template": welcome["id"], "subscribed": True})
    assert api.delete(f"/templates/{welcome['id']}").status_code == 204
    assert api.get(f"/templates/{welcome['id']}").status_code == 404
    with transaction(sessions) as session:
        assert session.scalars(select(Email.template_id)).all() == [None]
        assert set(session.scalars(select(Step.template_id))) == {None}


def test_several_templates_are_deleted_together(api):
    ids = [factories.template(api, name) for name in ("A", "B", "C")]
    answer = api.post("/templates/bulk-update", {"ids": [*ids[:2], ids[0]], "delete": True})
    assert (answer.status_code, answer.json) == (200, {"deleted": 2})
    assert [item["id"] for item in api.get("/templates").json["data"]] == [ids[2]]


@pytest.mark.parametrize("body", [{}, {"delete": False}])
def test_without_a_mode_nothing_is_done(api, welcome, body):
    answer = api.post("/templates/bulk-update", {"ids": [welcome["id"]], **body})
    assert (answer.status_code, answer.json) == (200, {"updated": 0})
    assert api.get("/templates").json["total"] == 1


def test_one_unknown_template_keeps_them_all(api, stranger_api, welcome):
    theirs = factories.template(stranger_api)
    for foreign in (theirs, NOBODY):
        body = {"ids": [welcome["id"], foreign], "delete": True}
        answer = api.post("/templates/bulk-update", body)
        assert (answer.status_code, answer.json["error"]["code"]) == (404, "TEMPLATE_NOT_FOUND")
        assert answer.json["error"]["details"]["id"] == foreign
    assert api.get("/templates").json["total"] == 1
    assert stranger_api.get("/templates").json["total"] == 1


def test_one_used_template_keeps_them_all(api, welcome):
    used = factories.template(api)
    factories.workflow(api, ("SEND_EMAIL", {"templateId": used}))
    body = {"ids": [welcome["id"], used], "delete": True}
    assert api.post("/templates/bulk-update", body).status_code == 409
    assert api.get("/templates").json["total"] == 2


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"ids": []},
        {"ids": ["nonsense"]},
        {"ids": [NOBODY] * 1001},
        {"ids": [NOBODY], "delete": "yes"},
    ],
)
def test_a_bulk_update_needs_1_to_1000_ids(api, body):
    assert api.post("/templates/bulk-update", body).status_code == 422
