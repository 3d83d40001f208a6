"""POST /v1/send: messages to one or more people, queued all or not at all."""

from __future__ import annotations

import base64

import pytest
from sqlalchemy import func, select

from plunk.db import transaction
from plunk.models import AttachmentSet, Contact, Email
from tests import factories

NOBODY = "01890000-0000-7000-8000-000000000000"
PLAIN = {
    "to": "ada@example.com",
    "subject": "Hi {{name ?? you}}",
    "body": "<p>Dear {{name}}</p>",
    "from": "team@acme.test",
}


def rows(sessions):
    with transaction(sessions) as session:
        return list(session.scalars(select(Email).order_by(Email.created_at, Email.id)))


def only_row(sessions):
    (row,) = rows(sessions)
    return row


def count(sessions, table):
    with transaction(sessions) as session:
        return session.scalar(select(func.count()).select_from(table))


def problems(answer):
    return [(item["field"], item["code"]) for item in answer.json["error"]["errors"]]


def sent(api, **fields: object):
    answer = api.post("/v1/send", {**PLAIN, **fields})
    assert answer.status_code == 200, answer.text
    return answer.json["data"]


@pytest.fixture
def welcome(api):
    """Make a template that may be sent to anybody."""
    return factories.template(
        api,
        subject="Welcome {{name}}",
        body="<p>{{data.plan}}</p>",
        type="TRANSACTIONAL",
        fromName="Acme",
        replyTo="help@acme.test",
    )


def test_a_message_is_queued(api, sessions):
    answer = api.post("/v1/send", {**PLAIN, "to": "ADA@example.com"})
    assert answer.status_code == 200
    row = only_row(sessions)
    assert answer.json == {
        "success": True,
        "data": {
            "emails": [
                {"contact": {"id": row.contact_id, "email": "ada@example.com"}, "email": row.id}
            ],
            "timestamp": "2026-03-02T12:00:00.000Z",
        },
    }
    assert (row.status, row.lane, row.source_type) == ("PENDING", 1, "TRANSACTIONAL")
    assert (row.type, row.template_id, row.reply_to) == ("TRANSACTIONAL", None, None)
    assert (row.to_address, row.to_name) == ("ada@example.com", None)
    assert (row.from_address, row.from_name) == ("team@acme.test", None)
    assert (row.subject, row.body) == ("Hi you", "<p>Dear </p>")


def test_the_message_arrives(api, machine):
    sent(api, to={"email": "ada@example.com", "name": "Ada"}, headers={"X-Order": "5"})
    machine.settle()
    (message,) = machine.mail.messages
    assert (message.to_address, message.to_name) == ("ada@example.com", "Ada")
    assert message.subject == "Hi Ada"
    assert ("X-Order", "5") in message.headers


@pytest.mark.parametrize(
    ("to", "addresses"),
    [
        ("a@b.co", ["a@b.co"]),
        ({"email": "A@b.co"}, ["a@b.co"]),
        ({"email": "a@b.co", "name": "Ann", "more": 1}, ["a@b.co"]),
        (["c@d.co", {"email": "a@b.co"}], ["c@d.co", "a@b.co"]),
        (["a@b.co", "A@b.co"], ["a@b.co", "a@b.co"]),
        ([], []),
    ],
)
def test_recipients_are_answered_in_their_order(api, sessions, to, addresses):
    emails = sent(api, to=to)["emails"]
    assert [item["contact"]["email"] for item in emails] == addresses
    assert sorted(item["email"] for item in emails) == sorted(row.id for row in rows(sessions))
    assert count(sessions, Contact) == len(set(addresses))


@pytest.mark.parametrize(
    ("to", "field", "code"),
    [
        (..., "to", "invalid_union"),
        (None, "to", "invalid_union"),
        (5, "to", "invalid_union"),
        ({}, "to", "invalid_union"),
        ({"name": "Ann"}, "to", "invalid_union"),
        ({"email": 5}, "to", "invalid_union"),
        ({"email": "a@b.co", "name": 5}, "to", "invalid_union"),
        (["a@b.co", 5], "to", "invalid_union"),
        ([["a@b.co"]], "to", "invalid_union"),
        ("nobody", "to", "invalid_string"),
        ({"email": "nobody"}, "to.email", "invalid_string"),
        (["a@b.co", "nobody"], "to.1", "invalid_string"),
        (["a@b.co", {"email": "nobody"}], "to.1.email", "invalid_string"),
        ({"email": "a@b.co", "name": "A\r\nBcc: x@y.z"}, "to.name", "invalid_string"),
    ],
)
def test_a_wrong_recipient_is_named_by_its_path(api, sessions, to, field, code):
    body = {key: value for key, value in {**PLAIN, "to": to}.items() if value is not ...}
    answer = api.post("/v1/send", body)
    assert answer.status_code == 422
    assert problems(answer) == [(field, code)]
    if code == "invalid_union":
        assert answer.json["error"]["errors"][0]["message"] == "Invalid input"
    assert rows(sessions) == []


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"from": None}, ("from", "invalid_union")),
        ({"from": ["a@b.co"]}, ("from", "invalid_union")),
        ({"from": {"name": "Ann"}}, ("from", "invalid_union")),
        ({"from": "nobody"}, ("from", "invalid_string")),
        ({"from": {"email": "nobody"}}, ("from.email", "invalid_string")),
        ({"from": {"email": "a@b.co", "name": "a\nb"}}, ("from.name", "invalid_string")),
        ({"name": "a\nb"}, ("name", "invalid_string")),
        ({"subject": ""}, ("subject", "too_small")),
        ({"subject": "x" * 999}, ("subject", "too_big")),
        ({"subject": "a\r\nBcc: x@y.z"}, ("subject", "invalid_string")),
        ({"subject": 5}, ("subject", "invalid_type")),
        ({"body": ""}, ("body", "too_small")),
        ({"body": None}, ("body", "invalid_type")),
        ({"template": "welcome"}, ("template", "invalid_string")),
        ({"reply": "nobody"}, ("reply", "invalid_string")),
        ({"subscribed": "no"}, ("subscribed", "invalid_type")),
        ({"data": [1]}, ("data", "invalid_type")),
        ({"headers": ["X-A: b"]}, ("headers", "invalid_type")),
        ({"headers": {"X-A": 5}}, ("headers.X-A", "invalid_type")),
        ({"headers": {"": "b"}}, ("headers.", "too_small")),
        ({"headers": {"X A": "b"}}, ("headers.X A", "invalid_string")),
        ({"headers": {"X-A:": "b"}}, ("headers.X-A:", "invalid_string")),
        ({"headers": {"X-A\r\nBcc": "b"}}, ("headers.X-A\r\nBcc", "invalid_string")),
        ({"headers": {"X-A": "b\r\nBcc: x@y.z"}}, ("headers.X-A", "invalid_string")),
        ({"headers": {"X-A": "b" * 999}}, ("headers.X-A", "too_big")),
        ({"headers": {"Bcc": "x@y.z"}}, ("headers.Bcc", "invalid_string")),
        ({"headers": {"content-type": "text/plain"}}, ("headers.content-type", "invalid_string")),
    ],
)
def test_every_field_has_its_rule(api, sessions, change, problem):
    answer = api.post("/v1/send", {**PLAIN, **change})
    assert answer.status_code == 422
    assert answer.json["error"]["code"] == "VALIDATION_ERROR"
    assert problems(answer) == [problem]
    assert rows(sessions) == []
    assert count(sessions, Contact) == 0


@pytest.mark.parametrize("missing", [("subject",), ("body",), ("subject", "body")])
def test_a_message_needs_a_template_or_a_text(api, missing):
    body = {key: value for key, value in PLAIN.items() if key not in missing}
    answer = api.post("/v1/send", body)
    assert (answer.status_code, problems(answer)) == (422, [("template", "custom")])


def test_a_message_needs_a_sender(api):
    answer = api.post("/v1/send", {key: value for key, value in PLAIN.items() if key != "from"})
    assert (answer.status_code, problems(answer)) == (422, [("from", "required")])
    error = answer.json["error"]
    assert error["details"] == {"errors": error["errors"]}


def test_the_template_fills_what_is_missing(api, sessions, welcome):
    api.post("/v1/send", {"to": "a@b.co", "template": welcome, "data": {"plan": "pro"}})
    row = only_row(sessions)
    assert (row.subject, row.body) == ("Welcome ", "<p>pro</p>")
    assert (row.from_address, row.from_name) == ("team@acme.test", "Acme")
    assert (row.reply_to, row.template_id) == ("help@acme.test", welcome)


@pytest.mark.parametrize(
    ("given", "column", "expected"),
    [
        ({"subject": "Other"}, "subject", "Other"),
        ({"body": "Other"}, "body", "Other"),
        ({"from": "x@y.co"}, "from_address", "x@y.co"),
        ({"from": "x@y.co"}, "from_name", "Acme"),
        ({"from": {"email": "x@y.co", "name": "X"}, "name": "Y"}, "from_name", "X"),
        ({"from": {"email": "x@y.co", "name": ""}, "name": "Y"}, "from_name", "Y"),
        ({"name": "Y"}, "from_name", "Y"),
        ({"reply": "r@y.co"}, "reply_to", "r@y.co"),
    ],
)
def test_the_request_overrides_its_template(api, sessions, welcome, given, column, expected):
    answer = api.post("/v1/send", {"to": "a@b.co", "template": welcome, **given})
    assert answer.status_code == 200
    assert getattr(only_row(sessions), column) == expected


def test_a_template_of_somebody_else_is_unknown(api, stranger_api, sessions):
    theirs = factories.template(stranger_api)
    for template in (theirs, NOBODY):
        answer = api.post("/v1/send", {"to": [], "template": template})
        assert (answer.status_code, answer.json["error"]["code"]) == (404, "TEMPLATE_NOT_FOUND")
        assert answer.json["error"]["details"] == {"resource": "Template", "id": template}
        assert answer.json["error"]["suggestion"]
    assert rows(sessions) == []


@pytest.mark.parametrize(
    ("known", "given", "expected"),
    [
        (None, None, False),
        (None, True, True),
        (True, None, True),
        (False, None, False),
        (False, True, True),
        (True, False, False),
    ],
)
def test_sending_subscribes_nobody_unasked(api, known, given, expected):
    if known is not None:
        api.post("/contacts", {"email": "ada@example.com", "subscribed": known})
    sent(api, **({} if given is None else {"subscribed": given}))
    (contact,) = api.get("/contacts").json["data"]
    assert contact["subscribed"] is expected


@pytest.mark.parametrize(
    ("kind", "status"), [("MARKETING", 400), ("TRANSACTIONAL", 200), ("HEADLESS", 200)]
)
def test_marketing_reaches_subscribers_only(api, sessions, kind, status):
    template = factories.template(api, type=kind)
    answer = api.post("/v1/send", {"to": "Ada@example.com", "template": template})
    assert answer.status_code == status
    if status == 200:
        assert only_row(sessions).type == kind
    else:
        assert "ada@example.com" in answer.json["error"]["message"]
        assert count(sessions, Contact) == 0


def test_one_bad_recipient_refuses_all(api, sessions):
    template = factories.template(api, type="MARKETING")
    api.post("/contacts", {"email": "a@b.co"})
    api.post("/contacts", {"email": "z@b.co"})
    body = {"to": ["a@b.co", "new@b.co", "z@b.co"], "template": template, "data": {"plan": "pro"}}
    assert api.post("/v1/send", body).status_code == 400
    assert rows(sessions) == []
    assert [contact["data"] for contact in api.get("/contacts").json["data"]] == [None, None]


def test_names_and_data_are_stored_with_the_contact(api):
    sent(
        api,
        to=[{"email": "a@b.co", "name": "Ann"}, "c@d.co"],
        data={"plan": "pro", "name": "Somebody", "code": {"value": 1, "persistent": False}},
    )
    found = {item["email"]: item["data"] for item in api.get("/contacts").json["data"]}
    assert found == {
        "a@b.co": {"plan": "pro", "name": "Ann"},
        "c@d.co": {"plan": "pro", "name": "Somebody"},
    }


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("{{code}} {{data.code}}", "7 7"),
        ("{% if code == 7 %}yes{% endif %}", "yes"),
        ("{{code | plus: 1}}", "8"),
        ("{{stored}}-{{data.stored}}-{{contact.stored}}", "old-old-old"),
        ("{{email}} {{contact.email}}", "ada@example.com ada@example.com"),
        ("{{subscribed}} {{locale ?? none}}", "false none"),
        ("{{injected}}", "{{stored}}"),
        ("{{missing ?? 'a b'}}", "a b"),
        ("{{first name}}", "Ada"),
        ("{{tags}}", "<li>x</li>\n<li>y</li>"),
    ],
)
def test_rendering_happens_once_with_everything_known(api, sessions, body, expected):
    api.post("/contacts", {"email": PLAIN["to"], "subscribed": False, "data": {"stored": "old"}})
    data = {
        "code": {"value": 7, "persistent": False},
        "injected": "{{stored}}",
        "first name": "Ada",
        "tags": ["x", "y"],
    }
    sent(api, body=body, data=data)
    assert only_row(sessions).body == expected


def test_links_lead_to_the_contacts_own_pages(api, sessions):
    sent(api, body="{{unsubscribeUrl}} {{subscribeUrl}} {{manageUrl}}")
    row = only_row(sessions)
    base = "http://127.0.0.1:8000"
    pages = ("unsubscribe", "subscribe", "manage")
    assert row.body == " ".join(f"{base}/{page}/{row.contact_id}" for page in pages)


def test_a_broken_template_text_still_goes_out(api, sessions):
    sent(api, subject="Hi {{name", body="{% if %}{{name}}", data={"name": "Ada"})
    assert only_row(sessions).body == "{% if %}Ada"


@pytest.mark.parametrize("value", ["a\r\nBcc: x@y.z", "a\nb", "a\rb", "a\u2028b", "a\x0bb"])
def test_data_cannot_smuggle_headers_into_the_subject(api, sessions, value):
    answer = api.post("/v1/send", {**PLAIN, "data": {"name": value}})
    assert (answer.status_code, problems(answer)) == (422, [("subject", "invalid_string")])
    assert rows(sessions) == []
    assert count(sessions, Contact) == 0


def test_a_nul_made_by_a_filter_is_dropped(api, sessions):
    sent(api, subject="Hi", body="a{{ '%00' | url_decode }}b")
    assert only_row(sessions).body == "ab"


def attachment(**change: object):
    item = {
        "filename": "report.pdf",
        "content": base64.b64encode(b"hello").decode(),
        "contentType": "application/pdf",
        **change,
    }
    return {key: value for key, value in item.items() if value is not ...}


def test_attachments_are_stored_once_for_all(api, sessions, machine):
    items = [attachment(), attachment(contentId="logo", disposition="inline")]
    sent(api, to=["a@b.co", "c@d.co"], attachments=items)
    assert count(sessions, AttachmentSet) == 1
    assert len({row.attachment_set_id for row in rows(sessions)}) == 1
    machine.settle()
    assert [
        [(part.filename, part.content, part.content_id) for part in message.attachments]
        for message in machine.mail.messages
    ] == [[("report.pdf", b"hello", None), ("report.pdf", b"hello", "logo")]] * 2


def test_without_recipients_no_attachment_is_kept(api, sessions):
    sent(api, to=[], attachments=[attachment()])
    assert count(sessions, AttachmentSet) == 0


def test_base64_may_have_line_breaks(api, machine):
    content = base64.encodebytes(b"x" * 100).decode()
    sent(api, attachments=[attachment(content=content)])
    machine.settle()
    assert machine.mail.messages[0].attachments[0].content == b"x" * 100


@pytest.mark.parametrize(
    ("change", "field", "code"),
    [
        ({"filename": ...}, "filename", "invalid_type"),
        ({"filename": ""}, "filename", "too_small"),
        ({"filename": "x" * 256}, "filename", "too_big"),
        ({"filename": 'a".pdf'}, "filename", "invalid_string"),
        ({"filename": "a\r\nb.pdf"}, "filename", "invalid_string"),
        ({"content": ...}, "content", "invalid_type"),
        ({"content": ""}, "content", "too_small"),
        ({"content": "not base64!"}, "content", "invalid_string"),
        ({"content": "aGVsbG8"}, "content", "invalid_string"),
        ({"contentType": ...}, "contentType", "invalid_type"),
        ({"contentType": "text/plain\r\nX-A: b"}, "contentType", "invalid_string"),
        ({"contentType": "x" * 256}, "contentType", "too_big"),
        ({"contentId": "<logo>"}, "contentId", "invalid_string"),
        ({"contentId": "x" * 256}, "contentId", "too_big"),
        ({"disposition": "hidden"}, "disposition", "invalid_enum_value"),
        ({"disposition": "inline"}, "contentId", "custom"),
    ],
)
def test_every_attachment_field_has_its_rule(api, change, field, code):
    answer = api.post("/v1/send", {**PLAIN, "attachments": [attachment(), attachment(**change)]})
    assert (answer.status_code, problems(answer)) == (422, [(f"attachments.1.{field}", code)])


@pytest.mark.parametrize(("number", "status"), [(10, 200), (11, 422)])
def test_there_are_at_most_ten_attachments(api, number, status):
    answer = api.post("/v1/send", {**PLAIN, "attachments": [attachment()] * number})
    assert answer.status_code == status
    if status == 422:
        assert problems(answer) == [("attachments", "too_big")]


@pytest.mark.parametrize(("length", "status"), [(13_981_012, 200), (13_981_016, 422)])
def test_attachments_take_at_most_ten_megabytes(api, length, status):
    answer = api.post("/v1/send", {**PLAIN, "attachments": [attachment(content="A" * length)]})
    assert answer.status_code == status
    if status == 422:
        assert problems(answer) == [("attachments", "custom")]


def test_a_body_may_take_twenty_megabytes(api):
    answer = api.post("/v1/send", {**PLAIN, "body": "x" * 20 * 1024 * 1024})
    assert (answer.status_code, answer.json["error"]["code"]) == (413, "BAD_REQUEST")
    assert api.post("/v1/send", {**PLAIN, "body": "x" * 1_900_000}).status_code == 200


def test_sending_is_for_the_secret_key(public_api):
    answer = public_api.post("/v1/send", PLAIN)
    assert (answer.status_code, answer.json["error"]["code"]) == (401, "INVALID_API_KEY")
