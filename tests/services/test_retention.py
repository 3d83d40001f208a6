"""Retention: what is old goes in small batches, and nothing goes that is still asked for."""

from __future__ import annotations

from base64 import b64encode
from dataclasses import replace
from datetime import timedelta
from itertools import pairwise

import pytest
from sqlalchemy import func, insert, select

from plunk.clock import SystemClock
from plunk.config import Settings
from plunk.db import Base, transaction
from plunk.ids import new_id
from plunk.models import (
    AttachmentSet,
    Conversion,
    Email,
    Event,
    Execution,
    IdempotencyKey,
    RetentionWalk,
    StepExecution,
    WebhookCall,
)
from plunk.services import retention
from plunk.services.asked_events import Questions
from plunk.services.old_rows import EVENTS, KEYS
from plunk.services.old_runs import ROWS
from plunk.worker.jobs import close_worker, drop_old, open_worker
from plunk.worker.schedule import TIMETABLE, start
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
    drop(machine)
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


def test_only_the_time_that_is_asked_about_is_kept(api, machine, sessions, age):
    """Longer than the setting, for who looks further back; else as the setting says."""
    for name, days in (("visit", 7), ("login", 50)):
        recent = {"operator": "triggeredWithin", "value": days, "unit": "days"}
        segment(api, name, {"field": f"event.{name}", **recent})
    count = {"field": {"$count": {"event": "buy", "within": {"value": 1, "unit": "weeks"}}}}
    segment(api, "buyers", {**count, "operator": "greaterThan", "value": 1})
    old = {"field": "event.stale", "operator": "triggeredOlderThan", "value": 7, "unit": "days"}
    segment(api, "stale", old)
    machine.clock.move_to(SystemClock().now())
    for name in ("visit", "login", "buy", "stale"):
        track(api, name)
    age()
    assert names(sessions) == ["login", "stale"]
    age()
    assert names(sessions) == ["stale"]


def test_the_longest_look_back_counts(api, machine, sessions, age):
    recent = {"field": "event.visit", "operator": "notTriggeredWithin", "value": 7, "unit": "days"}
    segment(api, "recent", recent)
    segment(api, "ever", {"field": "event.visit", "operator": "triggered"})
    track(api, "visit")
    age()
    assert names(sessions) == ["visit"]


def segment(api, name, test) -> str:
    made = api.post("/segments", {"name": name, "type": "DYNAMIC", "condition": tree(test)})
    assert made.status_code == 201, made.text
    return made.json["id"]


def test_what_pinned_runs_ask_about_stays_until_they_have_ended(api, machine, sessions, age):
    text = 'workflow "Late" {{\n  on event "go"\n  wait 90 days\n  if triggered "{}" {{\n'
    text += '    exit "yes"\n  }}\n  exit "no"\n}}\n'
    flow = {"id": deploy(api, text.format("seen"))}
    machine.clock.move_to(SystemClock().now())
    track(api, "seen")
    track(api)
    machine.settle()
    deploy(api, text.format("other"), inFlight="pin")
    track(api, "other")
    age()
    assert names(sessions) == ["other", "seen"]
    machine.sleep(days=90)
    assert only_run(api, flow)["exitReason"] == "yes"
    age()
    assert names(sessions) == ["other"]


def deploy(api, text, **fields: str) -> str:
    deployed = api.post("/flows/deploy", {"files": {"w.flow": text}, **fields})
    assert deployed.status_code == 200, deployed.text
    return deployed.json["workflows"][0]["id"]


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


@pytest.fixture
def turns(machine, sessions):
    """Return a function that takes a rule's turns one by one, and yields after each of them."""

    def take(name: str, settings: Settings = ALL):
        (rule,) = [one for one in retention.rules(settings) if one.name == name]
        questions = Questions()
        goes_on = True
        while goes_on:
            with transaction(sessions) as session:
                goes_on = retention.take(session, rule, questions, now=machine.clock.now())
            yield

    return take


def losses(count, turns, *models: type[Base]) -> list[int]:
    """Return how many rows of these tables each turn takes."""
    left = [sum(map(count, models)), *(sum(map(count, models)) for _ in turns)]
    return [before - after for before, after in pairwise(left) if before != after]


def test_one_turn_takes_a_small_batch_of_events(api, machine, count, turns):
    events = [{"event": "old", "email": "a@b.co"} for _ in range(EVENTS + 10)]
    assert api.post("/v1/track/batch", {"events": events}).status_code == 200
    machine.clock.move_to(SystemClock().now() + OLD)
    assert losses(count, turns("events"), Event) == [EVENTS, 10]


def test_one_turn_takes_a_small_batch_of_what_one_run_left(api, machine, sessions, count, turns):
    workflow(api, ("EXIT", {}), allowReentry=True)
    track(api)
    machine.settle()
    with transaction(sessions) as session:
        row = dict(session.execute(select(StepExecution.__table__)).mappings().first())
        visits = [{**row, "id": new_id(), "visit": 100 + n} for n in range(2 * ROWS)]
        session.execute(insert(StepExecution), visits)
    machine.clock.move_to(SystemClock().now() + OLD)
    lost = losses(count, turns("runs"), StepExecution, Execution)
    assert max(lost) <= ROWS
    assert (count(StepExecution), count(Execution)) == (0, 0)


def test_one_turn_takes_a_small_batch_of_keys(api, machine, sessions, project, count, turns):
    spent = {"project_id": project.id, "request": "POST /x", "created_at": machine.clock.now()}
    with transaction(sessions) as session:
        rows = [{**spent, "key": f"k{number}"} for number in range(KEYS + 10)]
        session.execute(insert(IdempotencyKey), rows)
    machine.clock.advance(timedelta(hours=25))
    assert losses(count, turns("keys", Settings()), IdempotencyKey) == [KEYS, 10]


def test_a_walk_goes_on_where_it_was_and_begins_anew_after_a_day(api, machine, sessions, age):
    seen = segment(api, "Seen", {"field": "event.seen", "operator": "triggered"})
    track(api, "seen")
    age()
    assert names(sessions) == ["seen"]
    assert api.delete(f"/segments/{seen}").status_code == 204
    drop(machine)
    assert names(sessions) == ["seen"]  # was looked at today
    machine.clock.advance(timedelta(days=1))
    drop(machine)
    assert names(sessions) == []


def test_a_condition_that_comes_while_a_long_walk_lasts_is_soon_heeded(api, machine, count, turns):
    events = [{"event": "old", "email": "a@b.co"} for _ in range(EVENTS)]
    for _ in range(3):
        assert api.post("/v1/track/batch", {"events": events}).status_code == 200
    machine.clock.move_to(SystemClock().now() + OLD)
    walk = turns("events")
    next(walk)
    segment(api, "Old", {"field": "event.old", "operator": "triggered"})
    machine.clock.advance(timedelta(minutes=5))
    for _ in walk:
        pass
    assert count(Event) == 2 * EVENTS


def test_one_worker_walks_at_a_time(api, machine, sessions, backend, turns):
    if backend == "sqlite":
        pytest.skip("SQLite has one writer at a time")
    track(api, "old")
    machine.clock.move_to(SystemClock().now() + OLD)
    drop(machine)
    with transaction(sessions) as other:
        other.scalars(select(RetentionWalk).with_for_update()).all()
        track(api, "older")
        machine.clock.advance(OLD)
        drop(machine)
    assert names(sessions) == ["older"]
    drop(machine)
    assert names(sessions) == []


def test_a_rule_that_fails_does_not_hold_up_the_others(api, machine, sessions):
    def broken(_session, _walk):
        raise RuntimeError("broken")

    track(api, "old")
    machine.clock.move_to(SystemClock().now() + OLD)
    rules = (retention.Rule("broken", broken, OLD), *retention.rules(ALL))
    with pytest.raises(ExceptionGroup) as failed:
        drop_old(replace(machine.worker, rules=rules))
    assert [str(error) for error in failed.value.exceptions] == ["broken"]
    assert names(sessions) == []


def test_a_worker_that_is_restarted_often_lets_go_too(machine):
    running = start(machine.worker, poll_seconds=3_600)
    try:
        jobs = {job.id: job.next_run_time for job in running.scheduler.get_jobs()}
    finally:
        running.stop()
    soon = (jobs["retention"] - SystemClock().now()).total_seconds()
    assert 30 < soon < 300


def drop(machine) -> None:
    drop_old(replace(machine.worker, rules=retention.rules(ALL)))


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
        drop(machine)
    assert count(Execution) == 1
    machine.clock.advance(timedelta(days=1))
    drop(machine)
    assert count(Execution) == 0
