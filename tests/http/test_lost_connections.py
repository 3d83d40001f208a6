"""A database that was restarted in between costs no request."""

from __future__ import annotations

from sqlalchemy import create_engine, text

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
