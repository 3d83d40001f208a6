"""Workers are told of work that is due; what they are told is never needed, only quicker."""

from __future__ import annotations

from queue import Empty, SimpleQueue
from threading import Event, Thread
from typing import Any

import pytest
from sqlalchemy import text

from plunk.engine.shell.batch import advance_due
from plunk.engine.shell.hooks import call_due
from plunk.services import notices
from plunk.worker.bell import Bell
from plunk.worker.turns import Job, Turns
from tests.factories import template, track, workflow

PATIENCE = 20  # seconds, for a machine that has much to do
RINGS = 2  # for each notice: at once, and when everybody has been quiet for long enough
HOOK: tuple[str, dict[str, Any]] = ("WEBHOOK", {"url": "https://x.example.com", "method": "POST"})


@pytest.fixture
def rung(stage, backend):
    """Return what a bell rings for, from now on."""
    if backend == "sqlite":
        pytest.skip("SQLite tells nobody anything: its workers look by themselves")
    heard: SimpleQueue[str] = SimpleQueue()
    queues = ("runs", "emails", "hooks")
    rings = {queue: lambda queue=queue: heard.put(queue) for queue in queues}
    bell = Bell(stage.engine, rings, retry_seconds=0.05)
    bell.start()
    try:
        assert rings_of(heard, RINGS * len(queues)) == set(queues)  # it has begun to listen
        yield heard
    finally:
        bell.stop()


def rings_of(heard: SimpleQueue[str], count: int) -> set[str]:
    return {heard.get(timeout=PATIENCE) for _ in range(count)}


def test_an_event_that_enrols_and_one_that_wakes_ring_for_runs(api, machine, rung):
    workflow(api, ("WAIT_FOR_EVENT", {"eventName": "paid", "timeout": 3_600}))
    track(api)
    assert rings_of(rung, RINGS) == {"runs"}
    machine.settle()
    track(api, "paid")
    assert rings_of(rung, RINGS) == {"runs"}


def test_a_message_rings_for_mail(api, rung):
    message = {"to": "a@example.org", "subject": "Hi", "body": "Hello", "from": "b@example.org"}
    assert api.post("/v1/send", message).status_code == 200
    assert rings_of(rung, RINGS) == {"emails"}


def test_what_a_run_leaves_to_do_rings_too(api, machine, rung):
    workflow(api, ("SEND_EMAIL", {"templateId": template(api)}), HOOK)
    track(api)
    assert rings_of(rung, RINGS) == {"runs"}
    advance_due(machine.worker.engine)
    assert rings_of(rung, 2 * RINGS) == {"emails", "hooks"}


def test_nothing_rings_for_what_was_not_committed(api, sessions, rung):
    workflow(api, ("EXIT", {}))
    with sessions() as session:
        notices.due(session, "emails")
        with session.begin_nested():
            notices.due(session, "hooks")
        session.rollback()
    track(api, "nobody listens")
    with pytest.raises(Empty):
        rung.get(timeout=8 * notices.QUIET)
    track(api, "go")
    assert rings_of(rung, RINGS) == {"runs"}


def test_an_answered_web_hook_rings_for_its_run(api, machine, rung):
    workflow(api, HOOK)
    track(api)
    assert rings_of(rung, RINGS) == {"runs"}
    advance_due(machine.worker.engine)
    assert rings_of(rung, RINGS) == {"hooks"}
    call_due(machine.worker.caller)
    assert rings_of(rung, RINGS) == {"runs"}


def test_a_bell_whose_connection_broke_hears_again(api, stage, rung):
    workflow(api, ("EXIT", {}))
    listener = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE 'LISTEN%'"
    listener += " AND datname = current_database()"
    with stage.engine.begin() as connection:
        assert connection.execute(text(listener)).all()
    rings_of(rung, RINGS * 3)
    track(api)
    assert rings_of(rung, RINGS) == {"runs"}


def test_who_asks_while_a_job_runs_makes_it_run_again(machine):
    begun, asked, turns = Event(), Event(), []

    def run(_worker):
        turns.append(len(turns))
        begun.set()
        assert asked.wait(PATIENCE)

    turn = Turns(machine.worker, Job("advance", run))
    first = Thread(target=turn.take)
    first.start()
    assert begun.wait(PATIENCE)
    for _ in range(3):
        turn.take()  # comes back at once: the other thread is at it
    asked.set()
    first.join(PATIENCE)
    assert turns == [0, 1]
