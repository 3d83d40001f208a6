"""The sweep: rows that break I9 and I10 are found, mended, and then go on as if nothing had been.

A healthy database refuses such rows. They are made here as they come about: by a restored dump
whose constraints are not checked, or by a hand in the database.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any, NamedTuple

import pytest
from sqlalchemy import CheckConstraint, Connection, Update, null, select, text, update
from sqlalchemy.schema import AddConstraint, DropConstraint

from plunk.clock import ManualClock
from plunk.db import Base, table_of
from plunk.engine.shell.batch import advance_due
from plunk.models import (
    Email,
    Execution,
    Revision,
    Segment,
    StepExecution,
    Trigger,
    WebhookCall,
)
from plunk.services import sweeping
from tests.conftest import NOON, Api, Backend
from tests.factories import Machine, only_run, runs, track, visited, workflow

EXIT = ("EXIT", {"reason": "rested"})
DELAY = ("DELAY", {"amount": 2, "unit": "hours"})
WAIT = ("WAIT_FOR_EVENT", {"eventName": "paid"})
LIMITED = ("WAIT_FOR_EVENT", {"eventName": "paid", "timeout": 7_200})
HOOK = ("WEBHOOK", {"url": "https://hooks.example.com/"})
MAIL = {"to": "a@x.test", "from": "a@acme.test", "subject": "Hi", "body": "Hi"}
UNTIL_PRO = ("WAIT_FOR_EVENT", {"condition": 'contact.data.plan == "pro"'})
CHECKED = [
    constraint
    for table in (Execution, Email, WebhookCall)
    for constraint in table_of(table).constraints
    if isinstance(constraint, CheckConstraint)
    and str(constraint.name).endswith(("parked_has_wake", "waiting_has_deadline"))
]


@pytest.fixture
def hurt(empty: Backend) -> Iterator[Callable[[Update], None]]:
    """Return a function that changes rows without any check of them."""
    is_sqlite = empty.engine.dialect.name == "sqlite"

    def change(statement: Update) -> None:
        with empty.engine.connect() as connection:
            if is_sqlite:
                connection.connection.driver_connection.execute(IGNORE.format("ON"))
            connection.execute(statement)
            connection.commit()
            if is_sqlite:
                connection.connection.driver_connection.execute(IGNORE.format("OFF"))

    if not is_sqlite:
        with empty.engine.begin() as connection:
            for constraint in CHECKED:
                connection.execute(DropConstraint(constraint))
    yield change
    if not is_sqlite:
        with empty.engine.begin() as connection:
            clear(connection)
            for constraint in CHECKED:
                connection.execute(AddConstraint(constraint))


at = ManualClock
IGNORE = "PRAGMA ignore_check_constraints = {}"


def clear(connection: Connection) -> None:
    for table in reversed(Base.metadata.sorted_tables):
        connection.execute(table.delete())


def parked(*steps: Any) -> Callable[[Api, Machine], None]:
    """Return a story after which a run stands in the first of these steps."""

    def tell(api: Api, machine: Machine) -> None:
        workflow(api, *steps, ("EXIT", {}))
        track(api)
        while advance_due(machine.worker.engine):
            pass

    return tell


def entered(api: Api, _machine: Machine) -> None:
    workflow(api)
    track(api)


def ended(api: Api, machine: Machine) -> None:
    workflow(api)
    track(api)
    machine.settle()


def queued(api: Api, _machine: Machine) -> None:
    assert api.post("/v1/send", MAIL).status_code == 200


def sent(api: Api, machine: Machine) -> None:
    queued(api, machine)
    machine.settle()


def called(api: Api, machine: Machine) -> None:
    workflow(api, HOOK, ("EXIT", {}))
    track(api)
    machine.settle()


def scheduled(api: Api, _machine: Machine) -> None:
    flow = workflow(api)
    vip = api.post("/segments", {"name": "VIP", "type": "STATIC"}).json["id"]
    trigger = {"type": "schedule", "cron": "0 15 * * *", "segment": {"id": vip}}
    answer = api.patch(f"/workflows/{flow['id']}", {"triggerConfig": {"triggers": [trigger]}})
    assert answer.status_code == 200, answer.text


def grouped(api: Api, _machine: Machine) -> None:
    api.post("/contacts", {"email": "a@x.test"})
    vip = api.post("/segments", {"name": "VIP", "type": "STATIC"}).json["id"]
    answer = api.post(f"/segments/{vip}/members", {"emails": ["a@x.test"]})
    assert answer.status_code in {200, 201}, answer.text


class Case(NamedTuple):
    """A story, what then happens to its rows, and the kind of violation that this is."""

    check: str
    story: Callable[[Api, Machine], None]
    table: Any
    values: dict[str, Any]


FAR = NOON + timedelta(days=400)
HELD = {"status": "SENDING", "next_attempt_at": None, "lease_until": None}
DONE = {"status": "DONE", "next_attempt_at": None}
SIGNAL = {"type": "look"}
CASES = [
    Case("run-never-wakes", parked(DELAY), Execution, {"due_at": None}),
    Case("run-never-wakes", parked(WAIT), Execution, {"awaited_event": None}),
    Case("run-never-wakes", parked(HOOK), Execution, {"due_at": None}),
    Case("run-never-wakes", entered, Execution, {"due_at": FAR}),
    Case("run-never-wakes", parked(HOOK), Execution, {"due_at": FAR}),
    Case("condition-never-looked-at", parked(UNTIL_PRO), Execution, {"due_at": None}),
    Case("condition-never-looked-at", parked(UNTIL_PRO), Execution, {"due_at": FAR}),
    Case("signal-never-seen", parked(WAIT), Execution, {"signal": SIGNAL}),
    Case("signal-never-seen", parked(WAIT), Execution, {"signal": SIGNAL, "due_at": FAR}),
    Case("time-out-never-comes", parked(LIMITED), Execution, {"due_at": None}),
    Case(
        "call-never-answered",
        parked(HOOK),
        WebhookCall,
        {"status": "DONE", "next_attempt_at": None},
    ),
    Case("ended-run-waits", ended, Execution, {"due_at": NOON}),
    Case("ended-run-waits", ended, Execution, {"awaited_event": "paid"}),
    Case("visit-never-closed", ended, StepExecution, {"status": "WAITING"}),
    Case("email-never-due", queued, Email, {"next_attempt_at": None}),
    Case("email-never-due", queued, Email, {"next_attempt_at": FAR}),
    Case("email-held-for-ever", queued, Email, HELD),
    Case("email-held-for-ever", queued, Email, HELD | {"lease_until": FAR}),
    Case("email-due-after-its-end", sent, Email, {"next_attempt_at": NOON}),
    Case("email-due-after-its-end", sent, Email, {"lease_until": NOON}),
    Case("call-never-due", parked(HOOK), WebhookCall, {"next_attempt_at": None}),
    Case("call-never-due", parked(HOOK), WebhookCall, {"next_attempt_at": FAR}),
    Case("call-held-for-ever", parked(HOOK), WebhookCall, HELD),
    Case("call-due-after-its-end", called, WebhookCall, {"next_attempt_at": NOON}),
    Case("schedule-never-fires", scheduled, Trigger, {"next_at": None}),
    Case("schedule-never-fires", scheduled, Trigger, {"next_at": FAR}),
    Case("segment-never-counted", grouped, Segment, {"compute_at": None}),
    Case("segment-never-counted", grouped, Segment, {"compute_at": FAR}),
    Case("segment-count-wrong", grouped, Segment, {"member_count": 7}),
]


def rows(stage: Backend) -> dict[str, list[Any]]:
    """Return everything that the database holds."""
    with stage.engine.connect() as connection:
        return {
            table.name: sorted(map(repr, connection.execute(table.select())))
            for table in Base.metadata.sorted_tables
        }


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.check}-{[*case.values][-1]}")
def test_a_violation_is_found_and_mended_for_good(
    api: Api, machine: Machine, hurt: Any, empty: Backend, sessions: Any, case: Case
) -> None:
    case.story(api, machine)
    assert sweeping.sweep(sessions, at(NOON)) == []
    given = {name: null() if one is None else one for name, one in case.values.items()}
    hurt(update(case.table).values(given))
    found = sweeping.sweep(sessions, at(NOON))
    assert [one.check.name for one in found] == [case.check]
    (broken,) = found
    mended = list(sweeping.mend(sessions, found, at(NOON)))
    assert [one.id for one in mended] == list(broken.ids)
    assert sweeping.sweep(sessions, at(NOON)) == []
    before = rows(empty)
    assert list(sweeping.mend(sessions, found, at(NOON))) == []
    assert rows(empty) == before


def test_who_lost_its_time_goes_on_when_it_was_to(
    api: Api, machine: Machine, hurt: Any, sessions: Any
) -> None:
    flow = workflow(api, DELAY, EXIT)
    track(api)
    machine.settle()
    hurt(update(Execution).values(due_at=null()))
    machine.sleep(hours=1)
    fix(sessions, machine)
    machine.sleep(minutes=59)
    assert only_run(api, flow)["status"] == "WAITING"
    machine.sleep(minutes=2)
    run = only_run(api, flow)
    assert (run["status"], run["exitReason"]) == ("COMPLETED", "rested")
    assert visited(run) == [("TRIGGER", "COMPLETED"), ("DELAY", "COMPLETED"), ("EXIT", "COMPLETED")]


def test_a_lost_time_out_comes_when_it_was_to(
    api: Api, machine: Machine, hurt: Any, sessions: Any
) -> None:
    flow = workflow(api, LIMITED, EXIT)
    track(api)
    machine.settle()
    hurt(update(Execution).values(due_at=null()))
    machine.sleep(hours=1)
    assert fix(sessions, machine) == ["time-out-never-comes"]
    machine.sleep(minutes=59)
    assert only_run(api, flow)["status"] == "WAITING"
    machine.sleep(minutes=2)
    run = only_run(api, flow)
    assert (run["status"], run["exitReason"]) == ("COMPLETED", "rested")
    assert run["stepExecutions"][1]["output"]["timedOut"]


def test_a_wait_whose_time_out_was_taken_away_is_nobodys_violation(
    api: Api, machine: Machine, sessions: Any
) -> None:
    """Its history goes on saying when it was to end as it was when the run came there."""
    text = 'workflow "Flow" {\n  on event "go"\n  wait for event "paid" up to 2 hours\n}\n'
    assert api.post("/flows/deploy", {"files": {"a.flow": text}}).status_code == 200
    (flow,) = api.get("/workflows").json["data"]
    api.patch(f"/workflows/{flow['id']}", {"enabled": True})
    track(api)
    machine.settle()
    edited = {"files": {"a.flow": text.replace(" up to 2 hours", "")}}
    assert api.post("/flows/deploy", edited).status_code == 200
    machine.sleep(hours=3)
    assert only_run(api, flow)["stepExecutions"][1]["executeAfter"] is not None
    assert only_run(api, flow)["status"] == "WAITING"
    assert sweeping.sweep(sessions, machine.clock) == []


def test_a_run_that_was_moved_out_of_a_delay_is_due_now(
    api: Api, machine: Machine, hurt: Any, sessions: Any
) -> None:
    """The delay in its history was to last for longer; it has left that."""
    flow = workflow(api, DELAY, EXIT)
    track(api)
    machine.settle()
    run = only_run(api, flow)
    path = f"/workflows/{flow['id']}/executions/{run['id']}/move"
    assert api.post(path, {"reason": "now", "stepId": flow["steps"][2]["id"]}).status_code == 200
    hurt(update(Execution).values(due_at=FAR))
    assert fix(sessions, machine) == ["run-never-wakes"]
    machine.settle()
    assert only_run(api, flow)["status"] == "COMPLETED"


def test_the_longest_pause_of_a_message_is_nobodys_violation(
    api: Api, machine: Machine, hurt: Any, sessions: Any
) -> None:
    queued(api, machine)
    hurt(update(Email).values(next_attempt_at=NOON + timedelta(hours=14.4)))
    assert sweeping.sweep(sessions, at(NOON)) == []


def fix(sessions: Any, machine: Machine) -> list[str]:
    found = sweeping.sweep(sessions, machine.clock)
    return [one.check.name for one in sweeping.mend(sessions, found, machine.clock)]


def test_a_message_that_was_held_for_ever_goes_out_once(
    api: Api, machine: Machine, hurt: Any, sessions: Any
) -> None:
    queued(api, machine)
    hurt(update(Email).values(HELD | {"next_attempt_at": null(), "lease_until": null()}))
    machine.sleep(days=1)
    assert machine.mail.messages == []
    assert fix(sessions, machine) == ["email-held-for-ever"]
    machine.sleep(seconds=1)
    assert len(machine.mail.messages) == 1


def test_a_sent_message_is_not_sent_again_because_somebody_held_it(
    api: Api, machine: Machine, hurt: Any, sessions: Any
) -> None:
    sent(api, machine)
    hurt(update(Email).values(lease_until=NOON))
    assert fix(sessions, machine) == ["email-due-after-its-end"]
    machine.sleep(days=1)
    assert len(machine.mail.messages) == 1


def test_a_run_whose_call_was_lost_fails_and_says_why(
    api: Api, machine: Machine, hurt: Any, sessions: Any
) -> None:
    flow = workflow(api, HOOK, ("EXIT", {}))
    track(api)
    while advance_due(machine.worker.engine):
        pass
    hurt(update(WebhookCall).values(status="CANCELLED", next_attempt_at=null()))
    assert fix(sessions, machine) == ["call-never-answered"]
    machine.settle()
    run = only_run(api, flow)
    assert run["status"] == "FAILED"
    assert "not answered" in run["stepExecutions"][-1]["error"]
    assert machine.hooks.requests == []


def test_many_are_mended_in_small_transactions(
    api: Api, machine: Machine, hurt: Any, sessions: Any
) -> None:
    flow = workflow(api, DELAY)
    for number in range(7):
        track(api, email=f"{number}@x.test")
    machine.settle()
    hurt(update(Execution).values(due_at=null()))
    found = sweeping.sweep(sessions, at(NOON))
    mending = sweeping.mend(sessions, found, at(NOON), batch=3)
    first = next(mending)
    with sessions() as session:
        due = session.scalars(select(Execution.id).where(Execution.due_at.is_not(None))).all()
    assert first.id in due
    assert len(due) == 3
    assert len(list(mending)) == 6
    machine.sleep(hours=3)
    assert {run["status"] for run in runs(api, flow)} == {"COMPLETED"}


LEASED = {"status": "SENDING", "next_attempt_at": null()}


class Slow:
    """A clock by which every question takes an hour."""

    def __init__(self) -> None:
        self._now = NOON

    def now(self) -> datetime:
        self._now += timedelta(hours=1)
        return self._now


def test_the_longest_lease_that_may_be_set_is_nobodys_violation(
    api: Api, machine: Machine, hurt: Any, sessions: Any
) -> None:
    queued(api, machine)
    hurt(update(Email).values(LEASED | {"lease_until": NOON + timedelta(seconds=3_601)}))
    assert sweeping.sweep(sessions, at(NOON)) == []


def test_what_was_taken_up_while_the_sweep_went_on_is_left_to_its_holder(
    api: Api, machine: Machine, hurt: Any, sessions: Any
) -> None:
    queued(api, machine)
    hurt(update(Email).values(LEASED | {"lease_until": NOON + timedelta(hours=6)}))
    assert sweeping.sweep(sessions, Slow()) == []


def test_what_was_taken_up_before_it_was_mended_is_left_to_its_holder(
    api: Api, machine: Machine, hurt: Any, sessions: Any
) -> None:
    queued(api, machine)
    hurt(update(Email).values(LEASED | {"lease_until": null()}))
    found = sweeping.sweep(sessions, machine.clock)
    assert [one.check.name for one in found] == ["email-held-for-ever"]
    until = machine.clock.advance(timedelta(hours=5)) + timedelta(seconds=60)
    hurt(update(Email).values(lease_until=until))
    assert list(sweeping.mend(sessions, found, machine.clock)) == []
    machine.settle()
    assert machine.mail.messages == []


def test_what_cannot_be_mended_hides_nothing_behind_it(
    api: Api, machine: Machine, empty: Backend, sessions: Any
) -> None:
    """Of three revisions that are not settled, a worker has to come for the first two."""
    flows = sorted(workflow(api, DELAY, name=name)["id"] for name in "abc")
    track(api)
    machine.settle()
    with empty.engine.begin() as connection:
        for flow in flows:
            steps = [step["id"] for step in api.get(f"/workflows/{flow}").json["steps"]]
            mine = (Revision.workflow_id == flow, Revision.number == 2)
            connection.execute(update(Revision).where(*mine).values(touched=steps))
        behind = update(Execution).where(Execution.workflow_id.in_(flows[:2]))
        connection.execute(behind.values(revision=1))
    later = at(NOON + timedelta(minutes=11))
    found = sweeping.sweep(sessions, later)
    (mended,) = sweeping.mend(sessions, found, later, batch=1)
    assert mended.id == f"{flows[2]}:2"
    (left,) = sweeping.sweep(sessions, later)
    assert list(left.ids) == [f"{flow}:2" for flow in flows[:2]]


def test_all_are_named_or_it_says_that_there_are_more(
    api: Api, machine: Machine, hurt: Any, sessions: Any
) -> None:
    workflow(api, DELAY)
    for number in range(5):
        track(api, email=f"{number}@x.test")
    machine.settle()
    hurt(update(Execution).values(due_at=null()))
    for most, count, is_truncated in ((5, 5, False), (6, 5, False), (2, 2, True)):
        (found,) = sweeping.sweep(sessions, at(NOON), most=most)
        assert (len(found.ids), found.is_truncated) == (count, is_truncated)
    assert len(list(sweeping.mend(sessions, [found], at(NOON)))) == 5


def test_a_revision_that_nobody_brings_runs_over_to_is_told(
    api: Api, machine: Machine, empty: Backend, sessions: Any, clock: ManualClock
) -> None:
    flow = workflow(api, ("DELAY", {"amount": 9, "unit": "days"}))
    track(api)
    machine.settle()
    step_id = flow["steps"][1]["id"]
    touched = update(Revision).where(Revision.number == select_newest(empty))
    with empty.engine.begin() as connection:
        connection.execute(touched.values(touched=[step_id]))
        connection.execute(update(Execution).values(revision=1))
    assert sweeping.sweep(sessions, at(NOON + timedelta(minutes=9))) == []
    later = at(NOON + timedelta(minutes=11))
    (found,) = sweeping.sweep(sessions, later)
    assert found.check.name == "revision-never-settled"
    assert found.ids[0].startswith(flow["id"])
    assert list(sweeping.mend(sessions, [found], later)) == []  # that is a worker's to do
    machine.settle()
    assert only_run(api, flow)["status"] == "WAITING"
    assert [one.id for one in sweeping.mend(sessions, [found], later)] == list(found.ids)
    assert sweeping.sweep(sessions, later) == []


def select_newest(stage: Backend) -> int:
    with stage.engine.connect() as connection:
        return int(connection.execute(text("SELECT max(number) FROM revisions")).scalar_one())


def test_a_contact_that_goes_leaves_its_segments_counted_right(
    api: Api, machine: Machine, sessions: Any
) -> None:
    grouped(api, machine)
    (contact,) = api.get("/contacts").json["data"]
    assert api.delete(f"/contacts/{contact['id']}").status_code == 204
    assert sweeping.sweep(sessions, at(NOON)) == []
    (segment,) = api.get("/segments").json
    assert segment["memberCount"] == 0


def test_a_segment_that_is_yet_to_be_computed_is_not_wrong(
    api: Api, machine: Machine, sessions: Any
) -> None:
    api.post("/contacts", {"email": "a@x.test", "data": {"plan": "pro"}})
    condition = {
        "logic": "AND",
        "groups": [{"filters": [{"field": "data.plan", "operator": "equals", "value": "pro"}]}],
    }
    body = {"name": "Pros", "condition": condition, "trackMembership": True}
    assert api.post("/segments", body).json["memberCount"] == 1
    assert sweeping.sweep(sessions, at(NOON)) == []
    machine.settle()
    assert sweeping.sweep(sessions, at(NOON)) == []
