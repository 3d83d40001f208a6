"""`plunk secret set, list, delete`, against a real server."""

from __future__ import annotations

import io

import pytest

from plunk.cli import main
from plunk.db import transaction
from plunk.security import Seal
from plunk.services import secrets
from tests.conftest import SECRET


@pytest.fixture
def plunk(url, project, monkeypatch, capsys):
    """Return a function that runs one command with a text on standard input."""
    monkeypatch.setenv("PLUNK_API_URL", url)
    monkeypatch.setenv("PLUNK_API_KEY", project.secret)

    def run(*arguments: str, typed: str = ""):
        monkeypatch.setattr("sys.stdin", io.StringIO(typed))
        return main(arguments), *capsys.readouterr()

    return run


def test_secrets_are_set_listed_and_deleted(plunk, sessions, project):
    assert plunk("secret", "set", "TOKEN", typed="s3cr et\n") == (0, "secret TOKEN: stored\n", "")
    assert plunk("secret", "set", "A", typed="four")[0] == 0
    assert plunk("secret", "list") == (0, "A\nTOKEN\n", "")
    with transaction(sessions) as session:
        known = secrets.opened(session, project.id, ["TOKEN"], seal=Seal(SECRET))
    assert known == {"TOKEN": "s3cr et"}
    assert plunk("secret", "delete", "TOKEN") == (0, "secret TOKEN: deleted\n", "")
    assert plunk("secret", "list") == (0, "A\n", "")


def test_what_goes_wrong_is_one_line(plunk):
    status, out, err = plunk("secret", "set", "TOKEN")
    assert (status, out) == (1, "")
    assert "cannot be empty" in err
    status, out, err = plunk("secret", "delete", "NONE")
    assert (status, out, err) == (1, "", "plunk: Secret not found\n")
    status, out, err = plunk("secret", "set", "a b", typed="hush")
    assert status == 1
    assert "hush" not in err


def test_what_a_server_refuses_is_told_field_by_field(plunk):
    status, out, err = plunk("secret", "set", "TOKEN", typed="x" * 100_000)
    assert (status, out) == (1, "")
    assert "(value: " in err
    assert err.count("\n") == 1
    assert "xxx" not in err
