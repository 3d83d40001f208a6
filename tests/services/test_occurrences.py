"""Schedules and dates send contacts into workflows: each one once, whatever happens meanwhile."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select

from plunk.db import is_postgres, transaction
from plunk.engine.shell.firing import fire_due
from plunk.ids import new_id
from plunk.models import Segment, SegmentMember, Trigger
from plunk.services import occurrences
from tests import factories
from tests.conftest import NOON

DELAY = ("DELAY", {"amount": 10, "unit": "days"})
MONDAYS = {"type": "schedule", "cron": "0 15 * * MON"}  # NOON is a Monday's
BIRTHDAY = {"type": "date", "field": {"$expr": ["get", "contact", "data", "birthday"]}}


@pytest.fixture
def segment(sessions, project):
    """Return the id of a static segment."""
    with transaction(sessions) as session:
        made = Segment(
            id=new_id(), project_id=project.id, name="VIP", type="STATIC",
            created_at=NOON, updated_at=NOON,
        )  # fmt: skip
        session.add(made)
        return made.id


@pytest.fixture
def join(api, sessions, project, segment):
    """Return a function that makes a contact a member."""

    def run(email):
        contact = api.post("/contacts", {"email": email}).json["id"]
        with transaction(sessions) as session:
            session.add(
                SegmentMember(
                    segment_id=segment, contact_id=contact, project_id=project.id, entered_at=NOON
                )
            )
        return contact

    return run


@pytest.fixture
def flow(api):
    """Return a function that makes a workflow with these triggers."""

    def run(*triggers: dict, enabled=True, reentry=False):
        made = factories.workflow(api, DELAY, enabled=enabled, allowReentry=reentry)
        patched = api.patch(
            f"/workflows/{made['id']}",
            {"triggerType": "SCHEDULE", "triggerConfig": {"triggers": list(triggers)}},
        )
        assert patched.status_code == 200, patched.text
        return made

    return run


def weekly(segment, timezone=None):
    return {**MONDAYS, "segment": {"id": segment}, "timezone": timezone}


def small(machine):
    """Return the engine with batches of two."""
    return replace(machine.worker.engine, batch_size=2)


def entered(api, flow):
    """Return the addresses of all who are in the workflow, and what they came with."""
    found = [(run["contact"]["email"], run["context"]) for run in factories.runs(api, flow)]
    return sorted(found, key=str)


def names(api, flow):
    return [email for email, _ in entered(api, flow)]


def triggers(sessions):
    with sessions() as session:
        return list(session.scalars(select(Trigger).order_by(Trigger.position)))


def test_a_schedule_sends_a_segment_in(api, machine, flow, segment, join):
    join("a@example.com")
    join("b@example.com")
    api.post("/contacts", {"email": "nobody@example.com"})
    made = flow(weekly(segment))
    machine.sleep(hours=2, minutes=59)
    assert names(api, made) == []
    machine.sleep(minutes=1)
    context = {"scheduledFor": "2026-03-02T15:00:00.000Z"}
    assert entered(api, made) == [("a@example.com", context), ("b@example.com", context)]
    machine.sleep(hours=1)
    assert len(names(api, made)) == 2


def test_it_comes_round_again_only_where_re_entry_is_allowed(api, machine, flow, segment, join):
    join("a@example.com")
    once = flow(weekly(segment))
    often = flow(weekly(segment), reentry=True)
    machine.sleep(hours=3)
    join("late@example.com")
    machine.sleep(days=7)
    assert names(api, once) == ["a@example.com", "late@example.com"]
    assert names(api, often) == ["a@example.com", "a@example.com", "late@example.com"]


def test_local_time_counts(api, machine, flow, segment, join):
    join("a@example.com")
    made = flow(weekly(segment, timezone="America/New_York"))
    machine.sleep(hours=7, minutes=59)
    assert names(api, made) == []
    machine.sleep(minutes=1)
    assert names(api, made) == ["a@example.com"]


@pytest.mark.parametrize(("hours", "expected"), [(26, 1), (28, 0), (24 * 7 + 4, 1)])
def test_of_missed_occurrences_the_latest_is_made_up_for(
    api, machine, flow, segment, join, hours, expected
):
    join("a@example.com")
    made = flow(weekly(segment), reentry=True)
    machine.sleep(hours=hours)
    assert len(names(api, made)) == expected
    machine.settle()
    assert len(names(api, made)) == expected


def test_many_contacts_come_in_batches(api, machine, flow, segment, join):
    for number in range(5):
        join(f"{number}@example.com")
    made = flow(weekly(segment), reentry=True)
    machine.clock.advance(timedelta(hours=3))
    assert [fire_due(small(machine)) for _ in range(4)] == [1, 1, 1, 0]
    assert len(names(api, made)) == len(set(names(api, made))) == 5


def test_a_crash_repeats_nothing_and_loses_nobody(api, machine, flow, segment, join, sessions):
    for number in range(5):
        join(f"{number}@example.com")
    made = flow(weekly(segment), reentry=True)
    (trigger,) = triggers(sessions)
    now = machine.clock.advance(timedelta(hours=3))
    fire_due(small(machine))
    with sessions() as session:
        assert occurrences.fire(session, trigger.id, batch=2, now=now)
        session.rollback()
    assert len(names(api, made)) == 2
    machine.settle()
    assert len(names(api, made)) == len(set(names(api, made))) == 5


def test_a_second_worker_leaves_it_to_the_first(api, machine, flow, segment, join, sessions):
    join("a@example.com")
    made = flow(weekly(segment), reentry=True)
    (trigger,) = triggers(sessions)
    now = machine.clock.advance(timedelta(hours=3))
    with transaction(sessions) as first:
        assert occurrences.fire(first, trigger.id, now=now)
        if is_postgres(first):
            with transaction(sessions) as second:
                assert not occurrences.fire(second, trigger.id, now=now)
    with transaction(sessions) as second:
        assert not occurrences.fire(second, trigger.id, now=now)
    assert names(api, made) == ["a@example.com"]


def test_a_disabled_workflow_lets_its_times_go_by(api, machine, flow, segment, join):
    join("a@example.com")
    made = flow(weekly(segment), enabled=False)
    machine.sleep(hours=3)
    api.patch(f"/workflows/{made['id']}", {"enabled": True})
    machine.sleep(hours=3)
    assert names(api, made) == []
    machine.sleep(days=7)
    assert names(api, made) == ["a@example.com"]


def test_an_edit_elsewhere_does_not_disturb_an_occurrence(
    api, machine, flow, segment, join, sessions
):
    for number in range(3):
        join(f"{number}@example.com")
    made = flow(weekly(segment))
    (trigger,) = triggers(sessions)
    machine.clock.advance(timedelta(hours=3))
    fire_due(small(machine))
    assert len(names(api, made)) == 2
    two = {"triggers": [{"type": "manual"}, weekly(segment)]}
    api.patch(f"/workflows/{made['id']}", {"enabled": False})
    assert api.patch(f"/workflows/{made['id']}", {"triggerConfig": two}).status_code == 200
    api.patch(f"/workflows/{made['id']}", {"enabled": True})
    assert [(one.id, one.position) for one in triggers(sessions)] == [(trigger.id, 1)]
    machine.settle()
    assert len(names(api, made)) == 3


def test_dates_come_round(api, machine, flow):
    for email, birthday in (
        ("today@example.com", "1990-03-02"),
        ("soon@example.com", "1990-03-05"),
        ("leap@example.com", "1992-02-29"),
        ("none@example.com", None),
        ("odd@example.com", "next week"),
    ):
        api.post("/contacts", {"email": email, "data": {"birthday": birthday}})
    made = flow({**BIRTHDAY, "everyYear": True, "at": "14:00"}, reentry=True)
    ahead = flow(
        {**BIRTHDAY, "everyYear": True, "at": "14:00", "offset": {"amount": -3, "unit": "days"}}
    )
    machine.sleep(hours=2)
    assert entered(api, made) == [
        ("today@example.com", {"scheduledFor": "2026-03-02T14:00:00.000Z"})
    ]
    assert names(api, ahead) == ["soon@example.com"]
    for _ in range(3):
        machine.sleep(days=1)
    assert names(api, made) == ["soon@example.com", "today@example.com"]
    machine.clock.move_to(datetime(2027, 2, 28, 13, 50, tzinfo=UTC))
    machine.settle()
    machine.sleep(minutes=10)
    assert "leap@example.com" in names(api, made)
    machine.sleep(days=1)
    assert names(api, made).count("leap@example.com") == 1


def test_an_exact_time_counts_to_the_quarter(api, machine, flow):
    api.post("/contacts", {"email": "a@example.com", "data": {"ends": "2026-03-04T12:20:00Z"}})
    field = {"$expr": ["get", "contact", "data", "ends"]}
    made = flow({"type": "date", "field": field, "offset": {"amount": -2, "unit": "days"}})
    machine.sleep(minutes=15)
    assert names(api, made) == []
    machine.sleep(minutes=15)
    assert entered(api, made) == [("a@example.com", {"scheduledFor": "2026-03-02T12:20:00.000Z"})]


def test_the_day_of_joining_comes_round(api, machine, flow):
    api.post("/contacts", {"email": "a@example.com"})
    made = flow({"type": "date", "field": "contact.createdAt", "everyYear": True, "at": "14:00"})
    machine.clock.move_to(datetime(2027, 3, 2, 13, 50, tzinfo=UTC))
    machine.settle()
    assert names(api, made) == []
    machine.sleep(minutes=10)
    assert names(api, made) == ["a@example.com"]


def test_a_broken_trigger_holds_up_no_other(api, machine, flow, segment, join, sessions):
    join("a@example.com")
    broken, made = flow(weekly(segment)), flow(weekly(segment))
    with transaction(sessions) as session:
        row = session.scalars(select(Trigger).where(Trigger.workflow_id == broken["id"])).one()
        row.segment_id, row.date_config = None, {"field": ["data", "x"], "at": "no time"}
    machine.sleep(hours=3)
    assert names(api, made) == ["a@example.com"]
    assert names(api, broken) == []


BAD = [
    {"type": "dance"},
    {"type": "segment", "segment": {"name": "VIP"}},
    {"type": "segment", "segment": {"id": "SEGMENT"}, "when": "never"},
    {"type": "schedule", "cron": "every day", "segment": {"id": "SEGMENT"}},
    {"type": "schedule", "cron": "0 9 * * *"},
    {"type": "schedule", "cron": "0 9 * * *", "segment": {"id": "SEGMENT"}, "timezone": "Mars"},
    {"type": "date", "field": "event.day"},
    {"type": "date", "field": {"$expr": ["+", 1, 2]}},
    {**BIRTHDAY, "at": "9 o'clock"},
    {**BIRTHDAY, "everyYear": "yes"},
    {**BIRTHDAY, "offset": {"amount": 3, "unit": "moons"}},
    {**BIRTHDAY, "offset": {"amount": 999_999, "unit": "days"}},
]


@pytest.mark.parametrize("bad", BAD)
def test_what_cannot_come_round_is_refused(api, segment, bad):
    made = factories.workflow(api, DELAY)
    if bad.get("segment", {}).get("id"):
        bad = {**bad, "segment": {"id": segment}}
    answer = api.patch(f"/workflows/{made['id']}", {"triggerConfig": {"triggers": [bad]}})
    assert answer.status_code == 422
    assert answer.json["error"]["errors"][0]["field"].startswith("triggerConfig.triggers.0")


def test_a_segment_of_another_project_is_unknown(api, stranger_api, segment):
    made = factories.workflow(stranger_api, DELAY)
    config = {"triggerConfig": {"triggers": [weekly(segment)]}}
    answer = stranger_api.patch(f"/workflows/{made['id']}", config)
    assert (answer.status_code, answer.json["error"]["code"]) == (404, "SEGMENT_NOT_FOUND")


def test_a_local_time_that_clocks_skip_is_the_end_of_the_gap_for_all(
    api, machine, flow, segment, join
):
    zone = {"timezone": "Europe/Brussels"}
    join("a@example.com")
    api.post("/contacts", {"email": "a@example.com", "data": {"day": "2026-03-29"}})
    day = {"$expr": ["get", "contact", "data", "day"]}
    by_cron = flow({**weekly(segment, **zone), "cron": "30 2 29 3 *"})
    by_date = flow({"type": "date", "field": day, "at": "02:30", **zone})
    machine.sleep(days=26)
    headers = {"timezone": {"field": None, "default": "Europe/Brussels"}}
    until = ("DELAY", {"until": {"timeOfDay": "02:30", "days": ["sunday"]}})
    by_wait = factories.workflow(api, until, **headers)
    factories.track(api, "go", "a@example.com")
    machine.settle()
    machine.sleep(hours=12, minutes=59)
    assert names(api, by_cron) == names(api, by_date) == []
    assert factories.only_run(api, by_wait)["status"] == "WAITING"
    machine.sleep(minutes=1)  # 03:00 in Brussels
    assert names(api, by_cron) == names(api, by_date) == ["a@example.com"]
    assert factories.only_run(api, by_wait)["status"] == "COMPLETED"
