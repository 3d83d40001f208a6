"""`plunk doctor` on an installation whose work is not done."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import update

from plunk.cli import main
from plunk.models import Email
from tests.conftest import NOON, SECRET

MAIL = {"to": "kim@example.com", "from": "a@example.com", "subject": "Hi", "body": "<p>Hi</p>"}


@pytest.fixture
def doctor(stage, monkeypatch, capsys, tmp_path):
    """Return a function that runs the doctor on this database, long after NOON."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DATABASE_URL", stage.url)
    monkeypatch.setenv("SECRET_KEY", SECRET)
    return lambda: (main(["doctor"]), capsys.readouterr().out)


def test_overdue_mail_is_wrong(api, doctor):
    assert api.post("/v1/send", MAIL).status_code == 200
    status, out = doctor()
    assert status == 1
    assert "wrong  1 e-mails are overdue, the oldest by" in out
    assert "start `plunk worker`" in out
    assert "ok     Workers keep up with web hooks: 0 due." in out


def test_a_lease_that_ran_out_is_wrong(api, doctor, stage):
    api.post("/v1/send", MAIL)
    with stage.engine.begin() as connection:
        past = NOON + timedelta(minutes=5)
        held = {"status": "SENDING", "next_attempt_at": None, "lease_until": past}
        connection.execute(update(Email).values(held))
    status, out = doctor()
    assert status == 1
    assert "wrong  1 e-mails were left behind by a worker that died" in out
