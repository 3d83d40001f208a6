"""The sweep: rows that were mended go on as if nothing had been; what is alive is left alone."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import null, select, text, update

from plunk.clock import ManualClock
from plunk.engine.shell.batch import advance_due
from plunk.models import Email, Execution, Revision, WebhookCall
from plunk.services import sweeping
from tests.conftest import NOON, Api, Backend
from tests.factories import Machine, only_run, runs, track, visited, workflow
from tests.services.stories import DELAY, EXIT, HOOK, LIMITED, LIMITED_PRO, queued, sent

at = ManualClock
FAR = NOON + timedelta(days=400)
HELD = {"status": "SENDING", "next_attempt_at": None, "lease_until": None}


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


@pytest.mark.parametrize(
    ("wait", "lost"),
    [(LIMITED, "due_at"), (LIMITED_PRO, "deadline_at")],
    ids=["event", "condition"],
)
def test_a_lost_time_out_comes_when_it_was_to(
    api: Api, machine: Machine, hurt: Any, sessions: Any, wait: Any, lost: str
) -> None:
    flow = workflow(api, wait, EXIT)
    track(api)
    machine.settle()
    hurt(update(Execution).values({lost: null()}))
    machine.sleep(hours=1)
    assert fix(sessions, machine) == ["time-out-never-comes"]
    machine.sleep(minutes=59)
    assert only_run(api, flow)["status"] == "WAITING"
    machine.sleep(minutes=2)
    run = only_run(api, flow)
    assert (run["status"], run["exitReason"]) == ("COMPLETED", "rested")
    assert run["stepExecutions"][1]["output"]["timedOut"]


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
