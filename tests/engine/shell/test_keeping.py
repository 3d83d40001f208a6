"""A lease that is worked on is never taken over, however long the work takes."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from sqlalchemy import select

from plunk.cli.waiting import wait_for
from plunk.clock import SystemClock
from plunk.db import transaction
from plunk.delivery.memory import MemoryProvider, accept
from plunk.engine.shell.batch import advance_due
from plunk.engine.shell.hooks import call_due
from plunk.engine.shell.mail import deliver_due
from plunk.models import Email, WebhookCall
from tests.factories import ANSWER, Receiver, template, track, workflow

SHORT = timedelta(seconds=1)


@pytest.fixture
def ends(sessions):
    """Return a function that tells when the only lease of a queue ends."""

    def tell(queue) -> datetime:
        with transaction(sessions) as session:
            end = session.scalars(select(queue.lease_until)).one()
        assert end is not None
        return end

    return tell


def outlast(ends, queue) -> None:
    """Return once the lease that holds now would have run out, had it not been renewed.

    It asserts nothing: whatever a receiver raises counts as its answer.
    """
    first = ends(queue)
    wait_for(lambda: SystemClock().now() > first or None, "The end of the first lease", seconds=10)


def test_i5_a_message_that_outlasts_its_lease_is_not_sent_by_another(api, machine, ends):
    workflow(api, ("SEND_EMAIL", {"templateId": template(api)}))
    track(api)
    advance_due(machine.worker.engine)
    mailer = replace(machine.worker.mailer, clock=SystemClock(), lease=SHORT)

    def slow(message):
        outlast(ends, Email)
        deliver_due(replace(mailer, provider=machine.mail))
        return accept(message)

    tarpit = MemoryProvider(slow)
    assert deliver_due(replace(mailer, provider=tarpit)) == 1
    assert (len(tarpit.attempts), len(machine.mail.attempts)) == (1, 0)


def test_i6_a_call_that_outlasts_its_lease_is_not_made_by_another(api, machine, ends):
    workflow(api, ("WEBHOOK", {"url": "https://hooks.example.com/"}))
    track(api)
    advance_due(machine.worker.engine)
    caller = replace(machine.worker.caller, clock=SystemClock(), lease=SHORT)

    def slow(_request):
        outlast(ends, WebhookCall)
        with ThreadPoolExecutor(1) as threads:  # the first worker's only thread is busy here
            call_due(replace(caller, send=machine.hooks, threads=threads))
        return ANSWER

    tarpit = Receiver(slow)
    assert call_due(replace(caller, send=tarpit)) == 1
    assert (len(tarpit.requests), len(machine.hooks.requests)) == (1, 0)
