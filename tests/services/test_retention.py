"""Retention: what is old goes in small batches, and nothing goes that is still asked for."""

from __future__ import annotations

from base64 import b64encode
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import func, select

from plunk.clock import SystemClock
from plunk.config import Settings
from plunk.db import transaction
from plunk.models import (
    AttachmentSet,
    Conversion,
    Email,
    Event,
    Execution,
    StepExecution,
    WebhookCall,
)
from plunk.services import retention
from plunk.worker.jobs import close_worker, drop_old, open_worker
from plunk.worker.schedule import TIMETABLE
from tests.factories import only_run, runs, template, track, visited, workflow

DAYS = 30
OLD = timedelta(days=DAYS + 1)
ALL = Settings(retention_events_days=DAYS, retention_runs_days=DAYS, retention_emails_days=DAYS)


@pytest.fixture
def age(machine):
    """Return a function that lets everything grow old, and then what is old go.

    Ids are made by the real time, so the clock goes beyond that.
    """

    def tell(settings: Settings = ALL) -> None:
        machine.clock.move_to(max(machine.clock.now(), SystemClock().now()) + OLD)
        drop_old(replace(machine.worker, rules=retention.rules(settings)))

    return tell


@pytest.fixture
def count(sessions):
    """Return a function that counts a table's rows."""

    def tell(model) -> int:
        with transaction(sessions) as session:
            return session.scalar(select(func.count()).select_from(model)) or 0

    return tell


def names(sessions) -> list[str]:
    with transaction(sessions) as session:
        return list(session.scalars(select(Event.name).order_by(Event.name)))


def test_by_default_everything_is_kept(api, machine, age, count):
    workflow(api, ("SEND_EMAIL", {"templateId": template(api)}), allowReentry=True)
    track(api)
    machine.settle()
    kept = {model: count(model) for model in (Event, Execution, StepExecution, Email)}
    age(Settings())
    assert {model: count(model) for model in kept} == kept


def test_old_events_go_and_young_ones_stay(api, machine, sessions, age):
    for number in range(3):
        track(api, f"old{number}")
    machine.clock.move_to(SystemClock().now() + OLD)
    track(api, "young")
    drop_old(replace(machine.worker, rules=retention.rules(ALL)))
    assert names(sessions) == ["young"]


def test_events_that_conditions_ask_about_stay(api, machine, sessions, age):
    seen = {"field": "event.seen", "operator": "triggered"}
    paid = {"field": {"$count": {"event": "paid"}}, "operator": "greaterThan", "value": 1}
    made = api.post("/segments", {"name": "Seen", "type": "DYNAMIC", "condition": tree(seen)})
    assert made.status_code == 201, made.text
    flow = {"condition": tree(paid)}
    workflow(api, ("CONDITION", flow))
    for name in ("seen", "paid", "paid", "nobody asks", "nobody asks"):
        track(api, name)
    age()
    assert names(sessions) == ["paid", "paid", "seen"]


def tree(test) -> dict:
    return {"logic": "AND", "groups": [{"filters": [test]}]}


def test_a_run_that_lets_its_contact_enter_again_goes_but_its_message_stays(
    api, machine, sessions, age, count
):
    flow = workflow(api, ("SEND_EMAIL", {"templateId": template(api)}), allowReentry=True)
    track(api)
    machine.settle()
    age()
    assert runs(api, flow) == []
    assert (count(StepExecution), count(Email)) == (0, 1)
    track(api)
    machine.settle()
    assert only_run(api, flow)["status"] == "COMPLETED"


def test_i2_a_run_that_keeps_its_contact_out_stays_without_its_steps(api, machine, age, count):
    flow = workflow(api, ("WEBHOOK", {"url": "https://hooks.example.com/"}))
    track(api)
    machine.settle()
    age()
    assert only_run(api, flow)["stepExecutions"] == []
    assert (count(StepExecution), count(WebhookCall)) == (0, 0)
    track(api)
    machine.settle()
    assert len(runs(api, flow)) == 1


def test_i2_a_run_stays_as_long_as_reentry_waits(api, machine, age):
    text = 'workflow "Again" {\n  on event "go"\n  reentry after 80 days\n  exit "done"\n}\n'
    deployed = api.post("/flows/deploy", {"files": {"again.flow": text}})
    assert deployed.status_code == 200, deployed.text
    flow = {"id": deployed.json["workflows"][0]["id"]}
    machine.clock.move_to(SystemClock().now())
    track(api)
    machine.settle()
    age()
    track(api)
    machine.settle()
    assert len(runs(api, flow)) == 1  # still the first, which kept the second out
    age()
    age()
    assert runs(api, flow) == []


def test_a_run_that_reached_a_goal_stays_and_counts(api, machine, age, count):
    text = (
        'workflow "Goals" {\n  on event "go"\n  reentry always\n  goal "paid" when event "paid"\n'
        '  wait for event "never" up to 1 day\n  exit "done"\n}\n'
    )
    deployed = api.post("/flows/deploy", {"files": {"goals.flow": text}})
    assert deployed.status_code == 200, deployed.text
    track(api)
    machine.settle()
    track(api, "paid")
    machine.sleep(days=2)
    assert count(Conversion) == 1
    age()
    assert (count(Conversion), count(Execution), count(StepExecution)) == (1, 1, 0)


def test_a_run_that_has_not_ended_stays_as_it_is(api, machine, age):
    flow = workflow(api, ("DELAY", {"amount": 90, "unit": "days"}), ("EXIT", {}))
    machine.clock.move_to(SystemClock().now())
    track(api)
    machine.settle()
    before = visited(only_run(api, flow))
    age()
    assert visited(only_run(api, flow)) == before
    machine.sleep(days=90)
    assert only_run(api, flow)["status"] in {"COMPLETED", "EXITED"}


def test_old_messages_lose_body_and_attachments_but_not_their_place(
    api, machine, sessions, age, count
):
    part = {
        "filename": "a.txt",
        "content": b64encode(b"x").decode(),
        "contentType": "text/plain",
    }
    message = {"subject": "s", "body": "<p>x</p>", "from": "e@b.co", "attachments": [part]}
    assert api.post("/v1/send", {**message, "to": ["a@b.co", "c@b.co"]}).status_code == 200
    machine.settle()
    age()
    with transaction(sessions) as session:
        rows = session.execute(select(Email.status, Email.subject, Email.body)).all()
    assert [tuple(row) for row in rows] == [("SENT", "s", "")] * 2
    assert count(AttachmentSet) == 0


def test_a_message_that_is_still_to_be_sent_keeps_its_body(api, machine, sessions, age):
    message = {"subject": "s", "body": "<p>x</p>", "from": "e@b.co", "to": "a@b.co"}
    assert api.post("/v1/send", message).status_code == 200
    age()
    with transaction(sessions) as session:
        assert session.scalars(select(Email.body)).one() == "<p>x</p>"


def test_one_transaction_takes_a_small_batch_and_a_walk_takes_all(api, machine, sessions, count):
    events = [{"event": "old", "email": "a@b.co"} for _ in range(retention.EVENTS + 10)]
    assert api.post("/v1/track/batch", {"events": events}).status_code == 200
    machine.clock.move_to(SystemClock().now() + OLD)
    now, walk = machine.clock.now(), retention.Walk()
    with transaction(sessions) as session:
        assert retention.drop_events(session, walk, now - timedelta(days=DAYS), now)
    assert count(Event) == 10
    drop_old(replace(machine.worker, rules=retention.rules(ALL)))
    assert count(Event) == 0


def test_the_workers_timetable_lets_go_of_what_the_settings_say(api, machine, sessions, empty):
    track(api, "old")
    machine.clock.move_to(SystemClock().now() + OLD)
    settings = replace(ALL, database_url=empty.url, mail_url="null://")
    worker = open_worker(settings, clock=machine.clock)
    (job,) = [job for job in TIMETABLE if job.name == "retention"]
    job.run(worker)
    close_worker(worker)
    assert names(sessions) == []


def test_what_somebody_sets_going_again_meanwhile_stays(api, machine, sessions, backend, count):
    if backend == "sqlite":
        pytest.skip("SQLite has one writer at a time")
    workflow(api, ("EXIT", {}), allowReentry=True)
    track(api)
    machine.settle()
    machine.clock.move_to(SystemClock().now() + OLD)
    with transaction(sessions) as repairing:
        repairing.scalars(select(Execution).with_for_update()).one()
        drop_old(replace(machine.worker, rules=retention.rules(ALL)))
    assert count(Execution) == 1
    drop_old(replace(machine.worker, rules=retention.rules(ALL)))
    assert count(Execution) == 0
