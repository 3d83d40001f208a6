"""What must hold when the story is over and everything has settled: I1 to I11, by SQL."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row, func, select

from plunk.models import (
    Contact,
    Conversion,
    Email,
    Event,
    Execution,
    Segment,
    SegmentMember,
    Step,
    StepExecution,
    WebhookCall,
)
from tests.proofs.cast import COUNTERS, WAITS
from tests.proofs.ground import Ground
from tests.proofs.outside import Outside
from tests.proofs.watching import STARTS, Watcher, hold

OVER = {"COMPLETED", "FAILED", "CANCELLED"}


@dataclass
class Remains:
    """All that a story has left behind."""

    ground: Ground
    outside: Outside
    watcher: Watcher
    runs: dict[str, Row[Any]]
    visits: dict[str, list[Row[Any]]]  # by run, in order
    emails: list[Row[Any]]
    calls: list[Row[Any]]
    events: list[Row[Any]]
    contacts: dict[str, Row[Any]]

    def workflow(self, run: Row[Any]) -> str:
        """Return the name of a run's workflow."""
        return next(name for name, id_ in self.ground.workflows.items() if id_ == run.workflow_id)


def gather(ground: Ground, outside: Outside, watcher: Watcher) -> Remains:
    """Read everything there is."""
    with ground.observer.connect() as connection:
        visits = defaultdict(list)
        columns = (*StepExecution.__table__.c, Step.label, Step.type)
        joined = select(*columns).join(Step, Step.id == StepExecution.step_id)
        for row in connection.execute(joined.order_by(StepExecution.visit)):
            visits[row.execution_id].append(row)
        read = {
            model: connection.execute(select(*model.__table__.c)).all()
            for model in (Execution, Email, WebhookCall, Event, Contact)
        }
    return Remains(
        ground,
        outside,
        watcher,
        {row.id: row for row in read[Execution]},
        visits,
        read[Email],
        read[WebhookCall],
        read[Event],
        {row.id: row for row in read[Contact]},
    )


def no_event_is_lost(left: Remains) -> None:
    """I1: what was accepted is stored, and nothing runs that no stored event has started."""
    stored = {row.id: row for row in left.events}
    for event_id, request in left.watcher.accepted.items():
        hold("I1", event_id in stored, f"the accepted event {event_id} is gone")
        hold("I1", stored[event_id].data == request.data, f"{event_id} has other data: {request}")
    for run in left.runs.values():
        if left.workflow(run) != "Once":
            hold("I1", run.entry_key in stored, f"the run {run.id} has no event {run.entry_key}")
    told = Counter(row.email_id for row in left.events if row.name == "email.sent")
    sent = {row.id for row in left.emails if row.status == "SENT"}
    hold("I1", told.keys() == sent, "not every sent message has its event")
    hold("I3", set(told.values()) <= {1}, "a message was told to be sent twice")


def contacts_are_merged(left: Remains) -> None:
    """I1: what came with an event is in its contact, of one key the last; so is the last choice."""
    for contact in left.contacts.values():
        data = contact.data or {}
        for key, value in left.watcher.merged[contact.email].items():
            hold("I1", data.get(key) == value, f"{contact.email} has lost {key} = {value}: {data}")
        wanted = left.watcher.choices.get(contact.email, contact.subscribed)
        hold("I1", contact.subscribed == wanted, f"{contact.email} has chosen {wanted}")


def nobody_enters_twice(left: Remains) -> None:
    """I1, I2: one run per contact, or with re-entry one per event."""
    happened = Counter((row.contact_id, row.name) for row in left.events)
    begun = Counter((run.contact_id, left.workflow(run)) for run in left.runs.values())
    for name, workflow in {**STARTS, "chained": "Chained"}.items():
        for contact_id in left.contacts:
            count = happened[contact_id, name]
            wanted = min(count, 1) if workflow == "Once" else count
            found = begun[contact_id, workflow]
            told = f"{count} times {name} of {contact_id} began {found} runs"
            hold("I1", found >= wanted, told)
            hold("I2", found <= wanted, told)


def steps_happen_once(left: Remains) -> None:
    """I3: visits without gaps, and of each its effects exactly once."""
    for run in left.runs.values():
        numbers = [visit.visit for visit in left.visits[run.id]]
        hold("I3", numbers == list(range(1, run.visit + 1)), f"{run.id} made visits {numbers}")
    done = [one for visits in left.visits.values() for one in visits]
    for kind, rows in (("SEND_EMAIL", left.emails), ("WEBHOOK", left.calls)):
        wanted = Counter(
            (one.execution_id, one.visit)
            for one in done
            if one.type == kind and (kind == "WEBHOOK" or one.status == "COMPLETED")
        )
        found = Counter((row.execution_id, row.visit) for row in rows)
        hold("I3", found == wanted, f"{kind}: rows {found} for visits {wanted}")
    counted = Counter(
        (left.runs[one.execution_id].contact_id, one.label)
        for one in done
        if one.label in COUNTERS and one.status == "COMPLETED"
    )
    for contact in left.contacts.values():
        for name in COUNTERS:
            has, wanted = (contact.data or {}).get(name, 0), counted[contact.id, name]
            hold("I3", has == wanted, f"{contact.email} has {name} = {has} after {wanted} visits")


def only_one_wins(left: Remains) -> None:
    """I4: event or time-out, never both; a run that got its event goes on with that."""
    left.watcher.look()
    for run in left.runs.values():
        visits = left.visits[run.id]
        ways = {one.label for one in visits} & {"paid", "late"}
        waited = [one for one in visits if one.label in WAITS and one.status == "COMPLETED"]
        hold("I4", len(ways) <= 1, f"{run.id} went both ways")
        late = [one for one in waited if (one.output or {}).get("timedOut")]
        if run.id in left.watcher.reached:
            hold("I4", not late, f"{run.id} had its event and timed out")
            _the_first_counts(left, run, waited)
        if run.status in OVER:
            is_open = [one for one in visits if one.status in {"RUNNING", "WAITING"}]
            hold("I4", not is_open, f"{run.id} has ended as {run.status} and still waits")


def _the_first_counts(left: Remains, run: Row[Any], waited: list[Row[Any]]) -> None:
    """See that a wait went on with the first event that reached its run."""
    first = left.watcher.accepted[left.watcher.reached[run.id]]
    for one in waited:
        has = (one.output or {}).get("eventData")
        hold("I4", has == first.data, f"{run.id} had {first.data} first, and went on with {has}")


def mail_goes_out_once(left: Remains) -> None:
    """I5: what is SENT was taken; more than once only around a crash, as the same message."""
    late = left.outside.begun_late
    hold("I5", not late, f"handed over although half of the lease was over: {late}")
    rows = {row.message_id: row for row in left.emails}
    for message_id, times in left.outside.taken.items():
        hold("I5", message_id in rows, f"a message went out under the strange id {message_id}")
        most = 1 + left.outside.excused[message_id]
        hold("I5", times <= most, f"{message_id} went out {times} times, not {most}")
    for row in left.emails:
        if row.status == "SENT":
            taken = left.outside.taken[row.message_id]
            hold("I5", taken, f"{row.message_id} is SENT and nobody took it")


def calls_are_made(left: Remains) -> None:
    """I6: every call was made, always with its own key, and its run has heard of it."""
    calls = {row.id: row for row in left.calls}
    for key, requests in left.outside.called.items():
        hold("I6", key in calls, f"a call went out under the strange key {key}")
        hold("I6", len({one.body for one in requests}) == 1, f"{key} changed from call to call")
    for call in calls.values():
        if call.status == "DONE":
            hold("I6", call.id in left.outside.called, f"{call.id} is DONE and was never made")
            _the_holder_counts(left, call)
        run, visits = left.runs[call.execution_id], left.visits[call.execution_id]
        status, error = visits[call.visit - 1].status, visits[call.visit - 1].error
        if run.status != "CANCELLED":
            wanted = {"DONE": "COMPLETED", "FAILED": "FAILED"}.get(call.status)
            told = f"the call {call.id} is {call.status}, its step {status}: {error}"
            hold("I6", status == wanted, told)


def _the_holder_counts(left: Remains, call: Row[Any]) -> None:
    """See that the answer is the last one given under a lease; who lost it may not write."""
    late = left.outside.late
    numbers = range(1, len(left.outside.called[call.id]) + 1)
    in_time = [number for number in numbers if (call.id, number) not in late]
    said = json.loads(call.response_body)["number"]
    if (call.id, said) not in late:
        told = f"{call.id} was answered for the last time by {in_time[-1]}, and has answer {said}"
        hold("I6", said == in_time[-1], told)


def nobody_is_held_up(left: Remains) -> None:
    """I7: whoever poisons a batch fails alone."""
    for run in left.runs.values():
        is_poison = left.workflow(run) == "Poisoned" and left.ground.is_postgres
        has_failed = run.status == "FAILED"
        failed_call = any(
            one.status == "FAILED" and one.type == "WEBHOOK" for one in left.visits[run.id]
        )
        if is_poison and run.status != "CANCELLED":
            hold("I7", has_failed, f"the poisonous run {run.id} is {run.status}")
        elif has_failed:
            reasons = [one.error for one in left.visits[run.id] if one.error]
            hold("I7", failed_call, f"{run.id} failed with others: {reasons}")
        if left.watcher.is_poisoned and run.due_at is not None:
            hold("I7", run.status in OVER, f"{run.id} is held up")


def nothing_is_stuck(left: Remains) -> None:
    """I9: what still waits, waits for an event that never came; no lease is left."""
    for run in left.runs.values():
        is_waiting = (run.status, run.awaited_event, run.due_at) == ("WAITING", "never", None)
        hold("I9", run.status in OVER or is_waiting, f"{run.id} is stuck: {run}")
        hold("I9", run.signal is None, f"{run.id} never heard of {run.signal}")
    for row in (*left.emails, *left.calls):
        hold("I9", row.status not in {"PENDING", "SENDING"}, f"{row.id} is stuck: {row.status}")
        hold("I9", row.lease_until is None, f"the lease of {row.id} never ended")


def counts_are_true(left: Remains) -> None:
    """I10: a segment has as many members as it says."""
    is_in = SegmentMember.left_at.is_(None)
    rows = select(func.count()).select_from(SegmentMember).where(is_in).scalar_subquery()
    with left.ground.observer.connect() as connection:
        said, there = connection.execute(select(Segment.member_count, rows)).one()
    hold("I10", said == there, f"the segment says {said} and has {there} members")


def goals_are_counted(left: Remains) -> None:
    """I1: every run that had its event has reached its goal."""
    with left.ground.observer.connect() as connection:
        reached = set(connection.scalars(select(Conversion.execution_id)))
    missed = left.watcher.paying - reached
    hold("I1", not missed, f"{missed} were paid for and have not reached their goal")


def no_mail_to_who_left(left: Remains) -> None:
    """I11: no marketing to whoever had unsubscribed before the chunk was taken."""
    hold("I11", not left.outside.unwanted, f"marketing went to {left.outside.unwanted}")


CHECKS: tuple[Callable[[Remains], None], ...] = (
    no_mail_to_who_left,
    no_event_is_lost,
    contacts_are_merged,
    goals_are_counted,
    nobody_enters_twice,
    steps_happen_once,
    only_one_wins,
    nobody_is_held_up,
    nothing_is_stuck,
    mail_goes_out_once,
    calls_are_made,
    counts_are_true,
)
