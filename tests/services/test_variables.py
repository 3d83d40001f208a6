"""What templates may use, and which name wins."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from plunk.engine.core.facts import Contact
from plunk.rendering import render
from plunk.services.variables import send_variables, workflow_variables

BORN = datetime(2026, 1, 1, tzinfo=UTC)
MOVED = datetime(2026, 2, 1, tzinfo=UTC)
URL = "https://app.example"


def contact(**data: object):
    return Contact(
        "c-1", "ada@example.com", subscribed=True, data=data, created_at=BORN, updated_at=MOVED
    )


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("{{id}} {{plunk_id}} {{contact.id}}", "c-1 c-1 c-1"),
        ("{{email}} {{plunk_email}} {{contact.email}}", "ada@example.com " * 2 + "ada@example.com"),
        ("{{subscribed}} {{contact.subscribed}}", "true true"),
        ("{{locale ?? en}}", "en"),
        ("{{plan}} {{data.plan}} {{contact.plan}} {{contact.data.plan}}", "pro pro pro pro"),
        ("{{contact.createdAt}}", "2026-01-01T00:00:00.000Z"),
        ("{{contact.updatedAt}}", "2026-02-01T00:00:00.000Z"),
        ("{{unsubscribeUrl}}", "https://app.example/unsubscribe/c-1"),
        ("{{subscribeUrl}}", "https://app.example/subscribe/c-1"),
        ("{{manageUrl}}", "https://app.example/manage/c-1"),
        ("{{event.plan ?? none}} {{missing}}", "none "),
    ],
)
def test_every_message_knows_its_contact(source, expected):
    ada = contact(plan="pro")
    assert render(source, send_variables(ada, None, URL)) == expected
    assert render(source, workflow_variables(ada, None, {}, URL)) == expected


@pytest.mark.parametrize(
    ("stored", "given", "source", "expected"),
    [
        ({"plan": "old"}, {"plan": "new"}, "{{plan}} {{data.plan}}", "new new"),
        ({"plan": "old"}, {"plan": {"value": "now", "persistent": False}}, "{{data.plan}}", "now"),
        ({"plan": "old"}, {"plan": None}, "{{plan ?? gone}}", "gone"),
        ({"plan": "old"}, {}, "{{plan}}", "old"),
        ({}, {"email": "x", "id": "y", "plunk_id": "z"}, "{{id}} {{plunk_id}}", "c-1 c-1"),
        ({}, {"email": {"value": "x", "persistent": False}}, "{{email}}", "ada@example.com"),
        ({}, {"unsubscribeUrl": "http://evil.example"}, "{{unsubscribeUrl | slice: 0, 19}}", URL),
        ({"locale": "de"}, {}, "{{locale}}", "de"),
        (
            {"subscribed": "sometimes"},
            {},
            "{{subscribed}} {{contact.subscribed}}",
            "sometimes true",
        ),
        ({"contact": "x", "data": "y"}, {}, "{{contact.id}} {{data.contact}}", "c-1 x"),
        ({"email": "x"}, {}, "{{contact.email}}", "ada@example.com"),
    ],
)
def test_data_of_a_request_wins_but_not_over_the_system(stored, given, source, expected):
    assert render(source, send_variables(contact(**stored), given, URL)) == expected


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("{{a}}{{b}}{{c}}", "contact event step "),
        ("{{data.a}}{{data.b}}{{data.c}}", "contact contact contact "),
        ("{{event.b}}{{event.c}}", "event event "),
        ("{{contact.c}}", "contact "),
        ("{{email}}", "shadow@example.com"),
        ("{{contact.email}}", "ada@example.com"),
        ("{{manageUrl | size}}", "30"),
    ],
)
def test_in_a_workflow_the_nearest_name_wins(source, expected):
    ada = contact(a="contact ", b="contact ", c="contact ")
    context = {"b": "event ", "c": "event ", "email": "shadow@example.com", "manageUrl": "x"}
    known = workflow_variables(ada, context, {"c": "step "}, URL)
    assert render(source, known) == expected


def test_the_contact_itself_stays_as_it_was():
    ada = contact(plan="pro")
    known = send_variables(ada, {"plan": "new"}, URL)
    known["data"]["plan"] = "changed"
    workflow_variables(ada, {"x": 1}, {}, URL)["data"]["plan"] = "changed"
    assert ada.data == {"plan": "pro"}
