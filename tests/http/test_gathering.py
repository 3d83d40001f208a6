"""Events that come in together: each gets its own answer, whoever stored it."""

from __future__ import annotations

import sqlite3
from collections import Counter
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import contextmanager
from threading import Barrier
from threading import Event as Signal

import pytest
from sqlalchemy import event, func, select
from sqlalchemy.exc import DataError, OperationalError

from plunk.db import InDoubt
from plunk.errors import DatabaseBusy, Invalid
from plunk.http.gathering import MOST_ROUNDS, PATIENCE, Gatherer
from plunk.models import Contact, Event, Execution
from plunk.services.tracking import Tracked, TrackRequest
from tests.conftest import NOON
from tests.factories import workflow

AT_ONCE = 12


def all_at_once(gatherer, project, requests, *, trusted=True, now=lambda: NOON):
    """Track with a thread for each request, and return results and errors in their order."""
    ready = Barrier(len(requests))

    def one(request):
        ready.wait(20)
        try:
            return gatherer.track(project.id, request, trusted=trusted, now=now)
        except Exception as error:  # noqa: BLE001 - it is what the test looks at
            return error

    with ThreadPoolExecutor(len(requests)) as threads:
        return list(threads.map(one, requests))


def count(sessions, table):
    with sessions() as session:
        return session.scalar(select(func.count()).select_from(table))


def test_each_thread_gets_its_own_event_back(sessions, project):
    gatherer = Gatherer(sessions)
    for turn in range(4):
        requests = [TrackRequest(f"e{turn}-{n}", f"p{n % 5}@x.example") for n in range(AT_ONCE)]
        results = all_at_once(gatherer, project, requests)
        with sessions() as session:
            for request, result in zip(requests, results, strict=True):
                assert isinstance(result, Tracked)
                assert session.get_one(Event, result.event_id).name == request.event
                assert session.get_one(Contact, result.contact_id).email == request.email
    assert (count(sessions, Event), count(sessions, Contact)) == (4 * AT_ONCE, 5)


def test_everybody_enters_once_whoever_else_comes(api, sessions, project):
    workflow(api, ("EXIT", {}))
    requests = [TrackRequest("go", f"p{n % 6}@x.example") for n in range(AT_ONCE)]
    all_at_once(Gatherer(sessions), project, requests)
    assert (count(sessions, Event), count(sessions, Execution)) == (AT_ONCE, 6)


def test_what_is_refused_is_refused_alone(sessions, project):
    names = ["go" if n % 3 else "email.sent" for n in range(AT_ONCE)]
    requests = [TrackRequest(name, f"p{n}@x.example") for n, name in enumerate(names)]
    results = all_at_once(Gatherer(sessions), project, requests)
    assert [isinstance(one, Invalid) for one in results] == [name != "go" for name in names]
    assert count(sessions, Event) == names.count("go")


def test_what_cannot_be_stored_fails_alone(sessions, project, backend):
    if backend == "sqlite":
        pytest.skip("SQLite stores addresses of any length")
    requests = [TrackRequest("go", "x" * (400 if n == 5 else n + 1)) for n in range(AT_ONCE)]
    for _ in range(3):
        results = all_at_once(Gatherer(sessions), project, requests)
        assert Counter(map(type, results)) == {Tracked: AT_ONCE - 1, DataError: 1}
    assert count(sessions, Event) == 3 * (AT_ONCE - 1)


def test_keys_of_both_kinds_keep_their_rights(sessions, project):
    gatherer = Gatherer(sessions)
    out = [TrackRequest("left", f"p{n}@x.example", subscribed=False) for n in range(AT_ONCE)]
    back = [TrackRequest("came", f"p{n}@x.example", subscribed=True) for n in range(AT_ONCE)]
    all_at_once(gatherer, project, out)
    all_at_once(gatherer, project, back, trusted=False)
    with sessions() as session:
        assert set(session.scalars(select(Contact.subscribed))) == {False}


@pytest.mark.parametrize("moment", ["before_commit", "after_commit"])
def test_a_commit_that_fails_is_not_tried_again(sessions, project, moment):
    """Whether it was done or not: nobody can know, so nothing may be stored a second time."""
    commits = []

    def fail(session):
        if not session.in_nested_transaction():
            commits.append(1)
            raise OSError("the line is dead")

    event.listen(sessions, moment, fail)
    try:
        requests = [TrackRequest(f"e{n}", f"p{n}@x.example") for n in range(AT_ONCE)]
        results = all_at_once(Gatherer(sessions), project, requests)
    finally:
        event.remove(sessions, moment, fail)
    assert Counter(map(type, results)) == {InDoubt: AT_ONCE}
    assert {type(one.cause) for one in results} == {OSError}
    assert 1 <= len(commits) <= AT_ONCE
    assert count(sessions, Event) == (AT_ONCE if moment == "after_commit" else 0)
    with sessions() as session:
        names = list(session.scalars(select(Event.name)))
    assert len(names) == len(set(names))


def test_a_leader_whose_clock_fails_leaves_nobody_waiting(sessions, project):
    gatherer, failing = Gatherer(sessions), iter([True, False, True, False])

    def now():
        if next(failing, False):
            raise OSError("no time")
        return NOON

    requests = [TrackRequest("go", f"p{n}@x.example") for n in range(AT_ONCE)]
    for _ in range(3):
        assert len(all_at_once(gatherer, project, requests, now=now)) == AT_ONCE
    (result,) = all_at_once(gatherer, project, requests[:1])
    assert isinstance(result, Tracked)


def test_no_project_waits_for_another_one(backend, sessions, project, stranger):
    if backend == "sqlite":
        pytest.skip("SQLite has one writer")
    gatherer = Gatherer(sessions)
    (held,) = all_at_once(gatherer, project, [TrackRequest("go", "held@x.example")])
    with ThreadPoolExecutor(1) as threads, sessions() as session:
        session.get_one(Contact, held.contact_id, with_for_update=True)
        waiting = threads.submit(
            all_at_once, gatherer, project, [TrackRequest("go", "held@x.example")]
        )
        (other,) = all_at_once(gatherer, stranger, [TrackRequest("go", "free@x.example")])
        assert isinstance(other, Tracked)
        assert not waiting.done()
        session.rollback()
        assert isinstance(waiting.result(20)[0], Tracked)


def test_what_passes_by_itself_is_told_to_all_at_once(sessions, project):
    gatherer, attempts = Gatherer(sessions), []

    def now():
        attempts.append(1)
        raise OperationalError("SELECT 1", {}, sqlite3.OperationalError("database is locked"))

    requests = [TrackRequest("go", f"p{n}@x.example") for n in range(AT_ONCE)]
    results = all_at_once(gatherer, project, requests, now=now)
    assert Counter(map(type, results)) == {OperationalError: AT_ONCE}
    assert len(attempts) <= AT_ONCE


@pytest.fixture
def locked(backend, sessions, project):
    """Return a function that locks a contact until it is left."""
    if backend == "sqlite":
        pytest.skip("SQLite locks no rows")
    (made,) = all_at_once(Gatherer(sessions), project, [TrackRequest("go", "held@x.example")])

    @contextmanager
    def lock():
        with sessions() as session:
            session.get_one(Contact, made.contact_id, with_for_update=True)
            yield
            session.rollback()

    return lock


def test_a_locked_contact_holds_up_nobody_else(locked, sessions, project):
    gatherer = Gatherer(sessions)
    requests = [TrackRequest("go", f"p{n}@x.example") for n in range(AT_ONCE - 1)]
    with ThreadPoolExecutor(1) as threads, locked():
        held = threads.submit(
            all_at_once, gatherer, project, [TrackRequest("go", "held@x.example")]
        )
        results = all_at_once(gatherer, project, requests)
        assert {type(one) for one in results} == {Tracked}
        assert not held.done()
    assert isinstance(held.result(20)[0], Tracked)
    assert count(sessions, Event) == AT_ONCE + 1


def test_a_contact_that_many_events_wait_for_holds_up_nobody_else(locked, sessions, project):
    gatherer, over = Gatherer(sessions), Signal()

    def insist(_):
        while not over.is_set():
            all_at_once(gatherer, project, [TrackRequest("go", "held@x.example")])

    requests = [TrackRequest("go", f"p{n}@x.example") for n in range(4)]
    with ThreadPoolExecutor(8) as threads, locked():
        for _ in range(8):
            threads.submit(insist, None)
        rounds = [all_at_once(gatherer, project, requests) for _ in range(3)]
        over.set()
    assert {type(one) for results in rounds for one in results} == {Tracked}


def test_who_waits_for_a_locked_contact_is_refused_when_too_many_do(locked, sessions, project):
    gatherer = Gatherer(sessions)
    requests = [TrackRequest("go", "held@x.example")] * AT_ONCE
    with ThreadPoolExecutor(1) as threads:
        with locked():
            all_of_them = threads.submit(all_at_once, gatherer, project, requests)
            wait([all_of_them], timeout=PATIENCE * (MOST_ROUNDS + 2))
        results = Counter(map(type, all_of_them.result(20)))
    assert results.keys() <= {Tracked, DatabaseBusy, OperationalError}
    assert 1 <= results[Tracked] <= AT_ONCE / 2
    assert count(sessions, Event) == 1 + results[Tracked]
    (after,) = all_at_once(gatherer, project, requests[:1])
    assert isinstance(after, Tracked)


def test_a_group_with_a_locked_contact_falls_apart(locked, sessions, project):
    gatherer = Gatherer(sessions)
    addresses = [f"p{n}@x.example" for n in range(AT_ONCE - 1)]
    requests = [TrackRequest("go", email) for email in ["held@x.example", *addresses]]
    for _ in range(3):
        with ThreadPoolExecutor(1) as threads:
            with locked():
                all_of_them = threads.submit(all_at_once, gatherer, project, requests)
                wait([all_of_them], timeout=PATIENCE * 3)
            held, *others = all_of_them.result(20)
            assert {type(one) for one in others} == {Tracked}
            assert isinstance(held, Tracked | OperationalError | DatabaseBusy)
    assert 3 * len(others) <= count(sessions, Event) - 1 <= 3 * AT_ONCE
