"""Secrets go in, can be used, and never come out."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from plunk.db import transaction
from plunk.errors import Misconfigured
from plunk.models import Secret
from plunk.security import Seal
from plunk.services import secrets
from tests.conftest import NOON, SECRET

VALUE = "tok_3f9a-π"


def opened(sessions, project, name, key=SECRET):
    with transaction(sessions) as session:
        return secrets.opened(session, project.id, [name, "NONE"], seal=Seal(key))


def test_a_secret_is_set_listed_replaced_and_deleted(api, sessions, project):
    first = api.put("/secrets/CRM_TOKEN", {"value": "old one"})
    assert first.status_code == 201
    assert first.json == {
        "name": "CRM_TOKEN",
        "createdAt": "2026-03-02T12:00:00.000Z",
        "updatedAt": "2026-03-02T12:00:00.000Z",
    }
    assert api.put("/secrets/CRM_TOKEN", {"value": VALUE}).status_code == 200
    api.put("/secrets/A", {"value": "four"})
    assert [one["name"] for one in api.get("/secrets").json["secrets"]] == ["A", "CRM_TOKEN"]
    assert opened(sessions, project, "CRM_TOKEN") == {"CRM_TOKEN": VALUE}
    assert api.delete("/secrets/CRM_TOKEN").status_code == 204
    assert opened(sessions, project, "CRM_TOKEN") == {}
    assert api.delete("/secrets/CRM_TOKEN").status_code == 404


def test_neither_answers_nor_tables_show_the_value(api, sessions):
    answers = [api.put("/secrets/T", {"value": VALUE}), api.get("/secrets")]
    assert all(VALUE not in answer.text and "value" not in answer.text for answer in answers)
    with transaction(sessions) as session:
        assert VALUE not in session.scalars(select(Secret.sealed)).one()


def test_another_server_key_opens_nothing(api, sessions, project):
    api.put("/secrets/T", {"value": VALUE})
    with pytest.raises(Misconfigured):
        opened(sessions, project, "T", key="another secret key")


def test_projects_keep_their_secrets_apart(api, stranger_api, sessions, stranger):
    api.put("/secrets/T", {"value": VALUE})
    assert stranger_api.get("/secrets").json == {"secrets": []}
    assert stranger_api.delete("/secrets/T").status_code == 404
    assert opened(sessions, stranger, "T") == {}


@pytest.mark.parametrize("name", ["1A", "A-B", "A B", "ä", "A" * 101, "A%00"])
def test_names_are_words(api, name):
    answer = api.put(f"/secrets/{name}", {"value": "four"})
    assert answer.status_code == 422
    assert answer.json["error"]["errors"][0]["field"] == "name"


@pytest.mark.parametrize(
    "body", [{}, {"value": ""}, {"value": "abc"}, {"value": 5}, {"value": "x" * 8193}]
)
def test_values_are_texts(api, body):
    assert api.put("/secrets/A", body).status_code == 422


def test_there_is_a_limit(api, sessions, project):
    with transaction(sessions) as session:
        session.add_all(
            Secret(
                project_id=project.id, name=f"S{at}", sealed="", created_at=NOON, updated_at=NOON
            )
            for at in range(secrets.MAX_SECRETS)
        )
    assert api.put("/secrets/ONE_MORE", {"value": "four"}).status_code == 400
    assert api.put("/secrets/S1", {"value": "four"}).status_code == 200
