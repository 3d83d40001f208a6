"""Connections: none of them waits for hours for somebody who is gone."""

from __future__ import annotations

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from plunk.cli.waiting import wait_for
from plunk.db import answer_soon, db, is_passing, open_engine, take_time
from tests.conftest import Backend


@pytest.fixture
def patience(stage: Backend, backend: str):
    """Return a function that tells how long a connection by a URL is patient with its peer."""
    if backend != "postgres":
        pytest.skip("SQLite has no connections to other hosts")

    def tell(url: str) -> tuple[str, str, str]:
        engine = open_engine(url)
        with engine.connect() as connection:
            own = connection.connection.driver_connection.info.get_parameters()
            idle = connection.scalar(text("SHOW idle_in_transaction_session_timeout"))
        engine.dispose()
        return own["tcp_user_timeout"], own["connect_timeout"], idle

    return tell


def test_a_peer_that_is_gone_is_given_up_on_both_sides(patience, stage: Backend) -> None:
    assert patience(stage.url) == ("30000", "10", "1min")


def test_what_the_url_says_about_patience_counts(patience, stage: Backend) -> None:
    mark = "&" if "?" in stage.url else "?"
    assert patience(f"{stage.url}{mark}tcp_user_timeout=5000&connect_timeout=3")[:2] == (
        "5000",
        "3",
    )


def test_a_transaction_that_the_server_ended_is_worth_another_try(
    stage: Backend, backend: str
) -> None:
    if backend != "postgres":
        pytest.skip("SQLite has no connections to other hosts")
    engine = open_engine(stage.url)
    other = open_engine(stage.url, isolation_level="AUTOCOMMIT")  # it looks anew each time
    alive = text("SELECT count(*) FROM pg_stat_activity WHERE pid = :pid")
    with engine.connect() as connection, other.connect() as watching:
        pid = connection.scalar(text("SELECT pg_backend_pid()"))
        connection.execute(text("SET idle_in_transaction_session_timeout = '200ms'"))
        wait_for(lambda: not watching.scalar(alive, {"pid": pid}), "Its end", seconds=10)
        with pytest.raises(DBAPIError) as ended:
            connection.execute(text("SELECT 1"))
        assert is_passing(ended.value)
    engine.dispose()
    other.dispose()


def test_a_request_over_http_does_not_wait_for_ever(stage: Backend, backend: str) -> None:
    if backend != "postgres":
        pytest.skip("SQLite has a time-out of its own")
    with stage.app.app_context(), db.engine.connect() as connection:
        limits = [connection.scalar(text(f"SHOW {it}_timeout")) for it in ("statement", "lock")]
        assert limits == ["15s", "5s"]
        connection.execute(text("SET LOCAL statement_timeout = '50ms'"))
        with pytest.raises(DBAPIError) as ended:
            connection.execute(text("SELECT pg_sleep(5)"))
        assert is_passing(ended.value)


def test_what_grows_may_take_its_time(stage: Backend, backend: str) -> None:
    if backend != "postgres":
        pytest.skip("SQLite has a time-out of its own")
    with stage.app.app_context(), db.session.begin():
        take_time(db.session())
        assert db.session.scalar(text("SHOW statement_timeout")) == "0"
        assert db.session.scalar(text("SHOW lock_timeout")) == "5s"


def test_what_the_url_says_about_time_outs_counts(stage: Backend, backend: str) -> None:
    if backend != "postgres":
        pytest.skip("SQLite has a time-out of its own")
    mark = "&" if "?" in stage.url else "?"
    engine = open_engine(f"{stage.url}{mark}options=-c%20statement_timeout%3D45s")
    answer_soon(engine)
    with engine.connect() as connection:
        assert connection.scalar(text("SHOW statement_timeout")) == "45s"
    engine.dispose()


@pytest.mark.parametrize(
    ("state", "passes"),
    [
        ("40P01", True),
        ("53100", True),
        ("53200", True),
        ("55P03", True),
        ("57014", True),
        ("58030", True),
        ("25006", True),
        ("22003", False),
        ("23505", False),
        ("54000", False),
    ],
)
def test_which_errors_of_postgresql_pass(stage: Backend, backend: str, state, passes) -> None:
    if backend != "postgres":
        pytest.skip("SQLite has no such states")
    raised = f"DO $$ BEGIN RAISE EXCEPTION 'no' USING ERRCODE = '{state}'; END $$"
    with stage.engine.connect() as connection, pytest.raises(DBAPIError) as error:
        connection.execute(text(raised))
    assert is_passing(error.value) == passes


def test_a_full_disk_passes_and_a_wrong_statement_does_not() -> None:
    engine = open_engine("sqlite://")
    with engine.connect() as connection:
        connection.execute(text("CREATE TABLE t (x)"))
        connection.execute(text("PRAGMA max_page_count = 3"))
        with pytest.raises(DBAPIError) as full:
            connection.execute(text("INSERT INTO t VALUES (zeroblob(100000))"))
        with pytest.raises(DBAPIError) as wrong:
            connection.execute(text("SELECT * FROM nothing"))
    assert (is_passing(full.value), is_passing(wrong.value)) == (True, False)
    engine.dispose()
