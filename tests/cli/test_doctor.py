"""`plunk doctor` on an installation whose work is not done."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from sqlalchemy import select, update

from plunk.cli import main
from plunk.clock import SystemClock
from plunk.models import Email, Execution, Segment
from tests.conftest import NOON, SECRET
from tests.factories import only_run, track, workflow

MAIL = {"to": "kim@example.com", "from": "a@example.com", "subject": "Hi", "body": "<p>Hi</p>"}


@pytest.fixture
def doctor(stage, monkeypatch, capsys, tmp_path):
    """Return a function that runs the doctor on this database, long after NOON."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DATABASE_URL", stage.url)
    monkeypatch.setenv("SECRET_KEY", SECRET)
    return lambda *options: (main(["doctor", *options]), capsys.readouterr().out)


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


@pytest.fixture
def stuck(api, machine, stage):
    """Leave a run behind that has ended and is due, and a segment that was counted wrong."""
    flow = workflow(api)
    track(api)
    machine.settle()
    segment = api.post("/segments", {"name": "VIP", "type": "STATIC"}).json["id"]
    soon = SystemClock().now() + timedelta(minutes=5)
    with stage.engine.begin() as connection:
        connection.execute(update(Execution).values(due_at=soon))
        connection.execute(update(Segment).values(member_count=7, compute_at=soon))
    return only_run(api, flow)["id"], segment


def test_broken_rows_are_named_with_what_mends_them(doctor, stuck):
    run_id, segment_id = stuck
    status, out = doctor()
    assert status == 1
    assert (
        "wrong  ended-run-waits (I9): 1 runs that have ended and still wait for something:"
        f" {run_id}. --fix: they wait for nothing.\n" in out
    )
    assert "segment-count-wrong (I10): 1 segments whose count is not that of" in out
    assert segment_id in out
    assert "2 thing(s) to mend." in out


def test_looking_changes_nothing(doctor, stuck):
    assert doctor() == doctor()


def test_fixing_tells_each_row_and_leaves_nothing_to_fix(doctor, stuck, stage):
    run_id, segment_id = stuck
    status, out = doctor("--fix")
    assert status == 0
    assert f"mended ended-run-waits {run_id}: they wait for nothing\n" in out
    assert f"mended segment-count-wrong {segment_id}: counted anew\n" in out
    assert "ok     No row breaks the engine's promises (I9, I10)." in out
    with stage.engine.connect() as connection:
        assert connection.execute(select(Execution.due_at)).scalar_one() is None
        assert connection.execute(select(Segment.member_count)).scalar_one() == 0
    status, out = doctor("--fix")
    assert (status, "mended" in out) == (0, False)


def test_machines_read_it_as_json(doctor, stuck):
    run_id, segment_id = stuck
    status, out = doctor("--json")
    told = json.loads(out)
    wrong = [one for one in told["findings"] if one["state"] == "wrong"]
    assert (status, told["wrong"]) == (1, 2)
    assert [(one["check"], one["invariant"], one["ids"]) for one in wrong] == [
        ("ended-run-waits", "I9", [run_id]),
        ("segment-count-wrong", "I10", [segment_id]),
    ]
    assert [(one["count"], one["truncated"]) for one in wrong] == [(1, False), (1, False)]
    assert told["settings"]["SECRET_KEY"] == "***"
    status, out = doctor("--json", "--fix")
    told = json.loads(out)
    states = {one["check"]: one["state"] for one in told["findings"] if "check" in one}
    assert states == {"ended-run-waits": "mended", "segment-count-wrong": "mended"}
    assert (status, told["wrong"]) == (0, 0)


def test_a_bad_setting_is_a_finding(doctor, monkeypatch):
    monkeypatch.setenv("LEASE_SECONDS", "soon")
    status, out = doctor("--json")
    told = json.loads(out)
    assert (status, told["wrong"], told["settings"]) == (1, 1, {})
    (wrong,) = told["findings"]
    assert wrong["state"] == "wrong"
    assert wrong["text"].startswith("LEASE_SECONDS must be a number")
    assert "wrong  LEASE_SECONDS must be" in doctor()[1]
