"""Violations: what breaks I9 and I10 is found, named and mended, and nothing else is.

A healthy database refuses such rows. They are made here as they come about: by a restored dump
whose constraints are not checked, or by a hand in the database.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, NamedTuple

import pytest
from sqlalchemy import null, update

from plunk.clock import ManualClock
from plunk.db import Base
from plunk.models import Email, Execution, Segment, StepExecution, Trigger, WebhookCall
from plunk.services import sweeping
from tests.conftest import NOON, Api, Backend
from tests.factories import Machine, only_run, track, workflow
from tests.services.stories import (
    DELAY,
    HOOK,
    LIMITED,
    LIMITED_PRO,
    UNTIL_PRO,
    WAIT,
    called,
    ended,
    entered,
    grouped,
    parked,
    queued,
    scheduled,
    sent,
)

at = ManualClock


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
    Case("time-out-never-comes", parked(LIMITED_PRO), Execution, {"deadline_at": None}),
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


def test_the_longest_pause_of_a_message_is_nobodys_violation(
    api: Api, machine: Machine, hurt: Any, sessions: Any
) -> None:
    queued(api, machine)
    hurt(update(Email).values(next_attempt_at=NOON + timedelta(hours=14.4)))
    assert sweeping.sweep(sessions, at(NOON)) == []


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
