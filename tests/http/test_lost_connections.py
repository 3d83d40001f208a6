"""A database that was restarted costs no request; a commit that broke is told."""

from __future__ import annotations

import sqlite3

import pytest
from sqlalchemy import create_engine, event, text
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from tests.conftest import Backend


def test_a_request_after_the_database_was_restarted_is_answered(api, empty: Backend, backend):
    assert api.get("/contacts").status_code == 200
    assert api.post("/v1/track", {"event": "go", "email": "lee@example.org"}).status_code == 200
    empty.engine.dispose()  # the fixtures' own connections shall not be cut
    if backend == "postgres":
        admin = create_engine(empty.url)
        with admin.connect() as connection:
            connection.execute(
                text(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                    " WHERE pid <> pg_backend_pid() AND datname = current_database()"
                )
            )
        admin.dispose()
    assert api.post("/v1/track", {"event": "go", "email": "kim@example.org"}).status_code == 200
    assert api.post("/contacts", {"email": "kim@example.org"}).status_code == 200
    assert api.get("/contacts").json["total"] == 2


@pytest.mark.parametrize("path", ["/v1/track", "/v1/track/batch", "/contacts"])
def test_a_commit_that_breaks_may_have_been_done_and_the_answer_says_so(api, path):
    tracked = {"event": "go", "email": "lee@example.org"}
    body = {"events": [tracked]} if path.endswith("batch") else tracked

    def fail(session):
        if session.new or session.dirty or not session.in_nested_transaction():
            raise OperationalError("COMMIT", {}, sqlite3.OperationalError("the line is dead"))

    event.listen(Session, "before_commit", fail)
    try:
        answer = api.post(path, body)
    finally:
        event.remove(Session, "before_commit", fail)
    assert answer.status_code == 503
    assert "Retry-After" not in answer.headers
    assert "may have been stored" in answer.json["error"]["suggestion"]
