"""What platforms ask before they send requests, or restart a process."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from flask.testing import FlaskClient
from sqlalchemy import text

from plunk.application import create_app
from plunk.config import Settings
from plunk.db import db
from tests.conftest import SECRET, Backend


@pytest.fixture
def probe(empty: Backend) -> FlaskClient:
    return empty.app.test_client()


@contextmanager
def serving(url: str) -> Iterator[FlaskClient]:
    app = create_app(Settings(database_url=url, secret_key=SECRET))
    yield app.test_client()
    with app.app_context():
        db.session.remove()
        db.engine.dispose()


@pytest.fixture(params=["sqlite:///{}/none/plunk.db", "postgres://nobody@127.0.0.1:1/none"])
def cut_off(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[FlaskClient]:
    """Return a client of a process whose database cannot be reached."""
    with serving(request.param.format(tmp_path)) as client:
        yield client


@pytest.fixture
def stale(empty: Backend) -> Iterator[FlaskClient]:
    """Return a client of a process whose database an older version has made."""
    with empty.engine.begin() as connection:
        newest = connection.execute(text("SELECT version_num FROM alembic_version")).scalar_one()
        connection.execute(text("UPDATE alembic_version SET version_num = '0001'"))
    yield empty.app.test_client()
    with empty.engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = :it"), {"it": newest})


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
def test_all_is_well(probe: FlaskClient, path: str) -> None:
    answer = probe.get(path)
    assert (answer.status_code, answer.json) == (200, {"status": "ok"})


def test_a_process_without_its_database_lives_but_is_not_ready(cut_off: FlaskClient) -> None:
    assert cut_off.get("/healthz").status_code == 200
    answer = cut_off.get("/readyz")
    assert answer.status_code == 503
    error = answer.get_json()["error"]
    assert (error["code"], error["details"]) == ("NOT_READY", {"database": "silent"})
    assert "nobody" not in answer.text


def test_a_process_ahead_of_its_tables_is_not_ready(stale: FlaskClient) -> None:
    assert stale.get("/healthz").status_code == 200
    answer = stale.get("/readyz")
    assert answer.status_code == 503
    assert answer.get_json()["error"]["details"] == {"database": "ok", "migrations": "behind"}
    assert "plunk migrate" in answer.get_json()["error"]["message"]


def test_a_process_behind_its_tables_serves_on(stale: FlaskClient, empty: Backend) -> None:
    """While a release rolls out, the old version goes on with the tables of the new one."""
    with empty.engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    assert stale.get("/readyz").status_code == 200


def test_a_database_without_tables_is_not_ready(tmp_path: Path) -> None:
    with serving(f"sqlite:///{tmp_path}/fresh.db") as client:
        answer = client.get("/readyz")
    assert answer.status_code == 503
    assert answer.get_json()["error"]["details"]["migrations"] == "behind"
