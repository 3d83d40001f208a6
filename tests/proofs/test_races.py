"""Races that stories meet too seldom, each played in the one order that matters."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select, text

from plunk.cli.waiting import wait_for
from plunk.clock import ManualClock
from plunk.db import transaction
from plunk.engine.shell.batch import Engine, advance_due
from plunk.engine.shell.hooks import Caller, call_due
from plunk.models import Execution, WebhookCall
from plunk.outbound import Answer, OutgoingRequest
from plunk.services import batches, tracking
from plunk.services.tracking import TrackRequest
from tests.proofs.baton import Baton
from tests.proofs.ground import HEALER, START, Ground
from tests.proofs.outside import LEASE
from tests.proofs.stage import Stage
from tests.proofs.workers import URL, AtOnce

BLOCKED = """SELECT count(*) FROM pg_stat_activity
WHERE datname = current_database() AND wait_event_type = 'Lock'"""
LOCK = select(Execution.id).with_for_update(key_share=True, nowait=True)


@pytest.fixture(scope="module")
def grounds(databases: Any) -> Iterator[dict[str, Ground]]:
    """Return a ground on each database."""
    made = {kind: Ground(databases(kind, "plunk_races")) for kind in ("sqlite", "postgres")}
    yield made
    for one in made.values():
        one.close()


@pytest.fixture
def ground(grounds: dict[str, Ground], backend: str) -> Ground:
    """Return one on which nothing has happened yet."""
    grounds[backend].reset()
    return grounds[backend]


def track(ground: Ground, name: str, email: str) -> None:
    with transaction(ground.wires["web"].sessions) as session:
        request = TrackRequest(name, email)
        tracking.track(session, ground.project_id, request, trusted=True, now=START)


def caller(ground: Ground, clock: ManualClock, name: str, send: Any) -> Caller:
    sessions = ground.wires[name].sessions
    return Caller(sessions, clock, send, AtOnce(), AtOnce(), lambda: 0.5, ground.seal, lease=LEASE)


def ask(ground: Ground, question: str) -> int:
    with ground.observer.connect() as connection:
        return connection.execute(text(question)).scalar_one()


def test_who_was_overtaken_does_not_write(ground: Ground) -> None:
    clock, is_calling, may_end = ManualClock(START), threading.Event(), threading.Event()
    track(ground, "chained", "ada@example.org")
    advance_due(Engine(ground.wires[HEALER].sessions, clock, URL))

    def answer(name: str) -> Answer:
        return Answer(200, json.dumps({"by": name}), "application/json", "https://hooks.acme.test")

    def first(_request: OutgoingRequest) -> Answer:
        is_calling.set()
        may_end.wait()
        return answer("first")

    with ThreadPoolExecutor(1) as threads:
        overtaken = threads.submit(call_due, caller(ground, clock, "first", first))
        is_calling.wait()
        clock.advance(LEASE + timedelta(seconds=1))

        def second(_request: OutgoingRequest) -> Answer:
            may_end.set()
            overtaken.result()
            return answer("second")

        assert call_due(caller(ground, clock, "second", second)) == 1
    with ground.observer.connect() as connection:
        body = connection.scalar(select(WebhookCall.response_body))
    assert json.loads(body or "null") == {"by": "second"}


@pytest.fixture
def postgres(grounds: dict[str, Ground]) -> Ground:
    """Return the ground on PostgreSQL: SQLite has one lock for everything."""
    grounds["postgres"].reset()
    return grounds["postgres"]


def test_events_lock_runs_in_the_order_of_their_ids(postgres: Ground) -> None:
    people = ["ada@example.org", "bob@example.org"]
    for email in people:
        track(postgres, "go", email)
    advance_due(Engine(postgres.wires[HEALER].sessions, ManualClock(START), URL))
    with postgres.observer.connect() as connection:
        first, last = connection.scalars(select(Execution.id).order_by(Execution.id))

    def pay() -> None:
        paid = [TrackRequest("paid", email) for email in reversed(people)]
        with transaction(postgres.wires[HEALER].sessions) as session:
            batches.track_all(session, postgres.project_id, paid, trusted=True, now=START)

    with ThreadPoolExecutor(1) as threads, postgres.wires["web"].sessions() as session:
        session.scalars(LOCK.where(Execution.id == first)).one()
        paying = threads.submit(pay)
        wait_for(lambda: ask(postgres, BLOCKED), "The lock", seconds=10)
        try:
            # It fails if they hold the last one while they wait for the first.
            assert session.scalars(LOCK.where(Execution.id == last)).one() == last
        finally:
            session.rollback()
        paying.result()


def test_a_deadlock_is_told_and_ends(postgres: Ground) -> None:
    for email in ("ada@example.org", "bob@example.org"):
        track(postgres, "go", email)
    stage = Stage(0, START)
    stage.baton = Baton(stage.random, 1.0)  # who may pause does
    lock = "SELECT id FROM contacts WHERE email = '{}' FOR UPDATE"

    def part(name: str, *people: str) -> None:
        wire = postgres.wires[name]
        wire.stage = stage
        with wire.sessions() as session:
            for email in people:
                session.execute(text(lock.format(email)))
                stage.baton.rest()

    crosswise = {
        "first": lambda: part("first", "ada@example.org", "bob@example.org"),
        "second": lambda: part("second", "bob@example.org", "ada@example.org"),
    }
    with pytest.raises(Exception, match="lock timeout"):
        stage.baton.play(crosswise)
    assert [set(one) for one in stage.baton.deadlocks] == [{"first", "second"}]
