"""Deploying while workers advance the runs and the application tracks events."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from itertools import cycle

import pytest
from sqlalchemy import select

from plunk.db import transaction
from plunk.engine.shell.batch import advance_due
from plunk.engine.shell.revising import PAUSE, Reviser, revise_due
from plunk.models import Execution, Revision, StepExecution
from tests.conftest import Api

PEOPLE, ROUNDS = 60, 12
REFUSED, PATIENCE = 409, 500  # to pin who is still being brought over
FLOW = """
workflow "First" {
  on event "go"
  stop when event "never"
  @a wait 1 hour
  track "second"
  @b wait for event "seen" up to 1 hour
  @c wait 1 hour
  exit "first"
}
workflow "Second" {
  on event "second"
  @a wait 2 hours
  exit "second"
}
"""
EDITS = [
    FLOW.replace("1 hour", "30 minutes"),
    FLOW.replace("  @a wait 1 hour\n", "").replace("2 hours", "3 hours"),
    FLOW.replace("  @c wait 1 hour\n", "  wait 2 hours\n"),
    FLOW,
]


@pytest.mark.parametrize("policies", [["follow"], ["follow", "pin"]], ids=["follow", "mixed"])
def test_nobody_is_lost_between_revisions(api, app, machine, sessions, policies):
    deploy(api, FLOW, "follow")
    engine = replace(machine.worker.engine, batch_size=7)
    done = []

    def labour(_):
        reviser = Reviser()
        while not done:
            advance_due(engine)
            revise_due(engine, reviser)

    def serve(_):
        own = Api(app.test_client(), api.key)
        answers = []
        for number in range(PEOPLE):
            for event in ("go", "seen"):
                body = {"event": event, "email": f"c{number}@example.com"}
                answers.append(own.post("/v1/track", body).status_code)
        return answers

    with ThreadPoolExecutor(4) as pool:
        workers = [pool.submit(labour, number) for number in range(2)]
        tracked = pool.submit(serve, 0)
        statuses = []
        for _, text, policy in zip(range(ROUNDS), cycle(EDITS), cycle(policies), strict=False):
            statuses.append(deploy_in_time(api, machine.clock, text, policy))
            machine.clock.advance(timedelta(minutes=7))
        found = tracked.result(timeout=60)
        done.append(True)
        for worker in workers:
            worker.result(timeout=60)
    assert set(statuses) == {200}
    assert set(found) == {200}
    for _ in range(8):
        machine.sleep(hours=1)
    with transaction(sessions) as session:
        runs = session.execute(select(Execution.status, Execution.exit_reason)).all()
        failed = session.scalars(
            select(StepExecution.error).where(StepExecution.error.is_not(None))
        )
        assert failed.all() == []
        assert set(runs) == {("COMPLETED", "first"), ("COMPLETED", "second")}
        assert len(runs) == 2 * PEOPLE
        assert session.scalars(select(Revision).where(Revision.touched.is_not(None))).all() == []


def deploy_in_time(api, clock, text, policy):
    for _ in range(PATIENCE):
        status = deploy(api, text, policy)
        if status != REFUSED:
            break
        clock.advance(PAUSE)  # the workers look again for who is left behind
    return status


def deploy(api, text, policy):
    body = {"files": {"w.flow": text}, "inFlight": policy}
    return api.post("/flows/deploy", body).status_code
