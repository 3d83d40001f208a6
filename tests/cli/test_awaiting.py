"""A process that starts while its database does waits for it, and says so."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import make_url

from plunk.cli.database import await_database
from plunk.config import Settings
from plunk.errors import Misconfigured

NOBODY = "postgresql://nobody@127.0.0.1:1/nothing"


def refuse(_seconds: float) -> None:
    pytest.fail("it waited")


@pytest.fixture
def starting(postgres_server: str, tmp_path: Path) -> tuple[str, Callable[[float], None]]:
    """Return the URL of a server that is away, and a function that makes it come."""
    url = make_url(postgres_server)
    folder = str(url.query.get("host", ""))
    if not folder.startswith("/"):
        pytest.skip("needs a PostgreSQL on a socket of this machine")
    name = f".s.PGSQL.{url.port or 5432}"
    (socket,) = Path(folder).glob(name)
    away = url.update_query_dict({"host": str(tmp_path)}).render_as_string(hide_password=False)
    return away, lambda _seconds: (tmp_path / name).symlink_to(socket)


def test_it_goes_on_when_the_database_has_come(
    starting: tuple[str, Callable[[float], None]], capsys: pytest.CaptureFixture[str]
) -> None:
    url, come = starting
    await_database(Settings(database_url=url), pause=come)
    assert capsys.readouterr().out.count("database.awaited") == 1


def test_it_gives_up_in_the_end() -> None:
    with pytest.raises(Misconfigured, match="cannot be reached"):
        await_database(Settings(database_url=NOBODY), seconds=0, pause=refuse)


def test_the_pauses_are_as_long_as_the_patience() -> None:
    pauses: list[float] = []

    def pause(seconds: float) -> None:
        pauses.append(seconds)
        if len(pauses) == 6:
            raise InterruptedError

    with pytest.raises(InterruptedError):
        await_database(Settings(database_url=NOBODY), pause=pause)
    assert pauses == [1, 2, 4, 8, 10, 10]


@pytest.mark.parametrize("database", ["nowhere", "no_such_role"])
def test_who_is_refused_does_not_wait(postgres_server: str, database: str) -> None:
    url = make_url(postgres_server)
    url = url.set(database=database) if database == "nowhere" else url.set(username=database)
    settings = Settings(database_url=url.render_as_string(hide_password=False))
    with pytest.raises(Misconfigured, match="cannot be reached"):
        await_database(settings, pause=refuse)


def test_a_file_that_cannot_be_opened_is_not_waited_for() -> None:
    with pytest.raises(Misconfigured, match="cannot be reached"):
        await_database(Settings(database_url="sqlite:////nowhere/at/all.db"), pause=refuse)
