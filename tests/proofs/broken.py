"""Builds broken on purpose: for each invariant, what keeps it is taken away."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Where = Literal["sqlite", "postgres"]
CORE = "tests/engine/core/"
PROOFS = "tests/proofs/"


@dataclass(frozen=True)
class Build:
    """One build: a file in which `good` is replaced by `bad`, and the proof that must notice.

    Stories are played on one database; a `table` is a test that needs none. `also` are other
    invariants that may be seen to be broken first.
    """

    name: str
    invariant: str
    file: str
    good: str
    bad: str
    where: Where = "sqlite"
    table: str | None = None
    also: tuple[str, ...] = ()


BUILDS = (
    Build(
        "events wake nobody",
        "I1",
        "plunk/services/events.py",
        "    if known.is_awaited:\n        waking.wake(session, project_id, quick, now=now)\n",
        "",
    ),
    Build(
        "events start nobody",
        "I1",
        "plunk/services/events.py",
        "    enrolment.enrol(session, project_id, quick, starts, now=now)\n",
        "",
    ),
    Build(
        "who tracks locks nobody",
        "I4",
        "plunk/services/contact_sets.py",
        '        table_of(Contact).c.email == bindparam("email"),\n'
        "    )\n"
        "    .with_for_update(key_share=True)\n",
        '        table_of(Contact).c.email == bindparam("email"),\n    )\n',
        where="postgres",
    ),
    Build(
        "who edits a contact locks nobody",
        "I3",
        "plunk/services/contacts.py",
        'column == bindparam("wanted"))\n        .with_for_update(key_share=True)\n',
        'column == bindparam("wanted"))\n',
        where="postgres",
    ),
    Build(
        "who records what was sent locks nobody",
        "I4",
        "plunk/engine/shell/mail.py",
        "        .order_by(contact.c.id)\n        .with_for_update(key_share=True)\n",
        "        .order_by(contact.c.id)\n",
        where="postgres",
    ),
    Build(
        "stops and goals do not hear of events",
        "I1",
        "plunk/services/events.py",
        "    watching.meet(session, project_id, attached, watches, now=now)\n",
        "",
    ),
    Build(
        "everybody may enter again",
        "I2",
        "plunk/services/enrolment.py",
        "        if not _is_shut_out(entry, known.get(_pair(entry, event)), now):\n"
        "            rows.append(run_row(project_id, entry, event, now))\n",
        "        if event.id:\n"
        "            rows.append(run_row(project_id, entry, event, now))\n"
        '            rows[-1]["entry_key"] = event.id\n',
    ),
    Build(
        "two workers write the same contact",
        "I3",
        "plunk/engine/shell/claim.py",
        "of=[Contact, Execution]",
        "of=[Execution]",
        where="postgres",
        also=("I1", "I7"),  # what an event brought is lost; they wait for each other
    ),
    Build(
        "positions are committed after effects",
        "I3",
        "plunk/engine/shell/store.py",
        "    _update_runs(session, writes)\n"
        "    insert_rows(session, StepExecution, writes.visits)\n",
        "    insert_rows(session, StepExecution, writes.visits)\n"
        '    session.connection().exec_driver_sql("COMMIT")\n'
        "    _update_runs(session, writes)\n",
        where="postgres",
    ),
    Build(
        "a time-out beats the event that came before it",
        "I4",
        "plunk/engine/shell/rows.py",
        'case "event":',
        'case "event" if left["deadline"] is None:',
    ),
    Build(
        "who was cancelled is still due",
        "I4",
        "plunk/services/ending.py",
        "            due_at=None,\n",
        "            due_at=now,\n",
    ),
    Build(
        "a second event takes the place of the first",
        "I4",
        "plunk/services/waking.py",
        '            run.c.status == "WAITING",\n            run.c.signal.is_(None),\n',
        '            run.c.status == "WAITING",\n',
    ),
    Build(
        "who was stopped hands over the rest of its chunk",
        "I5",
        "plunk/engine/shell/mail.py",
        "if mailer.stopping.is_set() or _is_late(mailer, enough):",
        "if mailer.stopping.is_set():",
    ),
    Build(
        "leases end at once",
        "I5",
        "plunk/engine/shell/lease.py",
        '"until": now + length,',
        '"until": now - length,',
        also=("I6",),
    ),
    Build(
        "each attempt has a Message-ID of its own",
        "I5",
        "plunk/engine/shell/letters.py",
        "message_id=letter.message_id,",
        'message_id=letter.message_id.replace("<", f"<{letter.attempts}."),',
    ),
    Build(
        "each attempt has an Idempotency-Key of its own",
        "I6",
        "plunk/engine/shell/calls.py",
        '"Idempotency-Key": self.id,',
        '"Idempotency-Key": f"{self.id}-{self.attempts}",',
    ),
    Build(
        "who was overtaken still writes",
        "I6",
        "plunk/engine/shell/lease.py",
        " & (queue.lease_token == token)",
        "",
        table=PROOFS + "test_races.py::test_who_was_overtaken_does_not_write[sqlite]",
    ),
    Build(
        "events take the locks of runs as they come",
        "I7",
        "plunk/services/waking.py",
        "        .order_by(run.c.id)\n        .with_for_update(key_share=True)\n",
        "        .order_by(run.c.id)\n",
        table=PROOFS + "test_races.py::test_events_lock_runs_in_the_order_of_their_ids",
    ),
    Build(
        "a batch fails as one",
        "I7",
        "plunk/engine/shell/batch.py",
        "return sum(_advance_alone(engine, project_id, item.run.id, wanted) for item in claimed)",
        "return 0",
        where="postgres",
    ),
    Build(
        "the step budget is twice as large",
        "I8",
        "plunk/engine/core/advance.py",
        "number - self.run.visit > STEP_BUDGET",
        "number - self.run.visit > 2 * STEP_BUDGET",
        table=CORE + "test_advance_rules.py::test_a_loop_without_a_wait_fails_at_the_budget",
    ),
    Build(
        "what a dead worker held is never taken over",
        "I9",
        "plunk/engine/shell/lease.py",
        "    return _reclaim(session, queue, now)\n",
        "    return 0\n",
    ),
    Build(
        "who leaves a segment is counted on",
        "I10",
        "plunk/services/segment_members.py",
        "    if by:\n",
        "    if by > 0:\n",
    ),
    Build(
        "nobody asks again before mail goes out",
        "I11",
        "plunk/engine/shell/mail.py",
        "if letter.needs_consent and not letter.subscribed:",
        "if letter.needs_consent and letter.subscribed is None:",
    ),
    Build(
        "of an hour that comes twice the second is meant",
        "I12",
        "plunk/engine/core/zones.py",
        "late = local.replace(tzinfo=zone, fold=0)",
        "late = local.replace(tzinfo=zone, fold=1)",
        table=CORE + "test_zones.py::test_local_times_as_instants",
    ),
)
