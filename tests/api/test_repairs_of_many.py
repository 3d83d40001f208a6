"""Repair by hand in batches, and by many hands at once."""

from __future__ import annotations

from base64 import urlsafe_b64encode
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from threading import Barrier
from typing import Any

import pytest
from sqlalchemy import func, select

from plunk.clock import ManualClock
from plunk.engine.shell.batch import advance_due
from plunk.ids import NO_ID
from plunk.models import Email, Execution, StepExecution
from plunk.services import sweeping
from tests.api.hands import DELAY, EXIT, HOOK, WAIT, WHY, bulk, crowd, down, failed, path
from tests.conftest import NOON, Api
from tests.factories import ANSWER, Machine, only_run, runs, template, track, visited, workflow


def test_a_dry_run_counts_and_changes_nothing(api: Api, machine: Machine) -> None:
    flow = failed(api, machine, *crowd(5))
    before = runs(api, flow)
    told = bulk(api, flow, action="retry", dryRun=True)
    assert told == {"matched": 5, "repaired": 0, "ended": 0, "refused": [], "cursor": None}
    assert runs(api, flow) == before


def test_all_failed_runs_are_retried_batch_by_batch(api: Api, machine: Machine) -> None:
    flow = failed(api, machine, *crowd(5))
    batches, cursor = [], None
    while batches == [] or cursor:
        fields = {} if cursor is None else {"cursor": cursor}
        told = bulk(api, flow, action="retry", limit=2, **fields)
        batches.append((told["matched"], told["repaired"]))
        cursor = told["cursor"]
        machine.settle()
    assert batches == [(2, 2), (2, 2), (1, 1)]
    assert Counter(run["status"] for run in runs(api, flow)) == {"COMPLETED": 5}
    assert bulk(api, flow, action="retry")["matched"] == 0


def test_with_a_cursor_nobody_is_repaired_twice(api: Api, machine: Machine) -> None:
    """Who is skipped comes to the next delay at once, and would be found again without it."""
    flow = workflow(api, DELAY, DELAY, EXIT)
    for email in crowd(4):
        track(api, email=email)
    machine.settle()
    cursor: Any = None
    for _ in range(2):
        fields = {} if cursor is None else {"cursor": cursor}
        cursor = bulk(api, flow, action="skip", limit=2, **fields)["cursor"]
        machine.settle()
    assert bulk(api, flow, action="skip", limit=2, cursor=cursor)["matched"] == 0
    for run in runs(api, flow):
        assert [status for _, status in visited(run)].count("SKIPPED") == 1
        assert run["status"] == "WAITING"


def test_a_cursor_goes_on_behind_a_run_that_has_gone(api: Api, machine: Machine) -> None:
    flow = failed(api, machine, *crowd(4))
    cursor = bulk(api, flow, action="retry", limit=2)["cursor"]
    for contact in api.get("/contacts").json["data"]:
        if contact["email"] in crowd(2):
            assert api.delete(f"/contacts/{contact['id']}").status_code == 204
    told = bulk(api, flow, action="retry", limit=3, cursor=cursor)
    assert (told["matched"], told["repaired"], told["cursor"]) == (2, 2, None)


def test_a_batch_is_chosen_by_step_and_status(api: Api, machine: Machine) -> None:
    flow = workflow(api, DELAY, WAIT, EXIT)
    track(api, email="1@example.org")
    machine.settle()
    machine.sleep(hours=3)
    track(api, email="2@example.org")
    machine.settle()
    _, delay, wait, end = (one["id"] for one in flow["steps"])
    told = bulk(api, flow, action="move", status="WAITING", stepId=wait, toStepId=end)
    assert (told["matched"], told["repaired"]) == (1, 1)
    machine.settle()
    assert {run["contact"]["email"]: run["status"] for run in runs(api, flow)} == {
        "1@example.org": "COMPLETED",
        "2@example.org": "WAITING",
    }
    assert bulk(api, flow, action="move", status="FAILED", toStepId=delay)["matched"] == 0


def test_who_cannot_be_repaired_is_told_and_left(api: Api, machine: Machine) -> None:
    flow = workflow(api, HOOK, EXIT)
    track(api)
    fresh = only_run(api, flow)["id"]
    while advance_due(machine.worker.engine):
        pass
    track(api, email="new@example.org")
    told = bulk(api, flow, action="skip", status="RUNNING")
    assert (told["matched"], told["repaired"]) == (2, 1)
    (refused,) = told["refused"]
    assert refused["executionId"] != fresh
    assert "does not wait" in refused["message"]


def cursor_of(text: str) -> str:
    return urlsafe_b64encode(text.encode()).decode()


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"action": "move"}, 400),
        ({"action": "move", "status": "WAITING"}, 400),
        ({"action": "retry", "cursor": "01890000-0000-7000-8000-000000000000"}, 400),
        ({"action": "retry", "cursor": "é"}, 400),
        ({"action": "retry", "cursor": cursor_of("2026-03-02T12:00:00+00:00 nobody")}, 400),
        ({"action": "retry", "cursor": cursor_of(f"soon {NO_ID}")}, 400),
        ({"action": "retry", "cursor": cursor_of(f"0001-01-01T00:00+14:00 {NO_ID}")}, 400),
        ({"action": "retry", "cursor": "x" * 201}, 422),
        ({"action": "retry", "limit": 501}, 422),
        ({"action": "retry", "limit": 0}, 422),
        ({"action": "drop"}, 422),
        ({"action": "retry", "status": "COMPLETED"}, 422),
        ({}, 422),
    ],
)
def test_batches_that_make_no_sense_are_refused(api: Api, body: Any, status: int) -> None:
    flow = workflow(api)
    answer = api.post(f"/workflows/{flow['id']}/executions/repair", {**WHY, **body})
    assert answer.status_code == status, answer.text


CROWD, WORKERS = 24, 2


@pytest.fixture
def at_once(app: Any, api: Api, machine: Machine) -> Any:
    """Return a function that lets requests and workers loose on the same runs."""

    def run(requests: list[tuple[str, Any]]) -> Counter[int]:
        barrier = Barrier(WORKERS + 2)
        headers = {"Authorization": f"Bearer {api.key}"}

        def labour() -> None:
            barrier.wait(timeout=60)
            engine = replace(machine.worker.engine, batch_size=5)
            while advance_due(engine):
                pass

        def serve(mine: list[tuple[str, Any]]) -> list[int]:
            barrier.wait(timeout=60)
            client = app.test_client()
            return [client.post(url, json=body, headers=headers).status_code for url, body in mine]

        with ThreadPoolExecutor(WORKERS + 2) as threads:
            workers = [threads.submit(labour) for _ in range(WORKERS)]
            served = [threads.submit(serve, mine) for mine in (requests, requests[::-1])]
            answers = [status for one in served for status in one.result(timeout=120)]
            for one in workers:
                one.result(timeout=120)
        return Counter(answers)

    return run


def test_repairs_and_workers_at_once_move_everybody_once(
    api: Api, machine: Machine, at_once: Any, sessions: Any
) -> None:
    """Each run is skipped by two hands while its delay is just over: one of the three wins."""
    flow = workflow(api, DELAY, ("SEND_EMAIL", {"templateId": template(api)}), EXIT)
    for email in crowd(CROWD):
        track(api, email=email)
    machine.settle()
    machine.clock.advance(timedelta(hours=2))
    answers = at_once([(path(flow, run, "skip"), WHY) for run in runs(api, flow)])
    assert set(answers) <= {200, 409}
    assert answers.total() == 2 * CROWD
    machine.settle()
    told = runs(api, flow)
    assert Counter(run["status"] for run in told) == {"COMPLETED": CROWD}
    skipped = sum(("DELAY", "SKIPPED") in visited(run) for run in told)
    assert skipped == answers[200]
    assert_whole(sessions, CROWD)


def test_failed_runs_retried_by_many_hands_fail_or_go_on_once(
    api: Api, machine: Machine, at_once: Any, sessions: Any
) -> None:
    send = ("SEND_EMAIL", {"templateId": template(api)})
    flow = workflow(api, HOOK, send, EXIT)
    machine.hooks.answer = down
    for email in crowd(CROWD):
        track(api, email=email)
    machine.settle()
    machine.hooks.answer = lambda _: ANSWER
    single = [(path(flow, run, "retry"), WHY) for run in runs(api, flow)]
    url = f"/workflows/{flow['id']}/executions/repair"
    many = [(url, {**WHY, "action": "retry", "limit": 7})] * 6
    answers = at_once([*single[::2], *many, *single[1::2]])
    assert set(answers) <= {200, 409}
    machine.settle()
    told = runs(api, flow)
    assert Counter(run["status"] for run in told) == {"COMPLETED": CROWD}
    for run in told:
        assert visited(run).count(("WEBHOOK", "SKIPPED")) == 1
    assert len(machine.hooks.requests) == 2 * CROWD
    assert_whole(sessions, CROWD)


def assert_whole(sessions: Any, mails: int) -> None:
    """Everybody got one message, and no history has a gap or a doubled visit."""
    with sessions() as session:
        assert session.scalar(select(func.count()).select_from(Email)) == mails
        rows = session.execute(
            select(Execution.visit, func.count(), func.max(StepExecution.visit))
            .join(StepExecution, StepExecution.execution_id == Execution.id)
            .group_by(Execution.id, Execution.visit)
        ).all()
    assert all(visit == count == last for visit, count, last in rows)
    assert sweeping.sweep(sessions, ManualClock(NOON + timedelta(hours=3))) == []
