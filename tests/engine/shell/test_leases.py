"""Chunks: what a worker takes at once is what it may have to repeat after a crash."""

from __future__ import annotations

from dataclasses import replace

from sqlalchemy import func, select

from plunk.db import transaction
from plunk.delivery.memory import accept
from plunk.engine.shell import hooks, mail
from plunk.engine.shell.batch import advance_due
from plunk.engine.shell.computing import compute_due
from plunk.models import Email, SegmentMember, WebhookCall
from plunk.outbound import Answer
from plunk.worker.jobs import call_webhooks, deliver_mail
from tests.factories import template, track, workflow


def test_i5_a_chunk_of_mail_is_no_larger_than_it_may_be(api, machine):
    workflow(api, ("SEND_EMAIL", {"templateId": template(api)}))
    for number in range(3 * mail.CHUNK):
        track(api, email=f"p{number}@example.org")
    advance_due(machine.worker.engine)
    assert mail.deliver_due(machine.worker.mailer) == mail.CHUNK


def test_i6_a_chunk_of_web_hooks_is_no_larger_than_it_may_be(api, machine, project):
    workflow(api, ("WEBHOOK", {"url": "https://hooks.example.com/"}))
    for number in range(3 * hooks.CHUNK):
        track(api, email=f"p{number}@example.org")
    advance_due(machine.worker.engine)
    assert hooks.call_project(machine.worker.caller, project.id) == hooks.CHUNK


def test_i6_calls_that_were_not_begun_are_given_back_by_a_worker_that_is_to_stop(
    api, machine, sessions
):
    workflow(api, ("WEBHOOK", {"url": "https://hooks.example.com/"}))
    for number in range(5):
        track(api, email=f"p{number}@example.org")
    advance_due(machine.worker.engine)

    def stop(request):
        machine.worker.stopping.set()
        return Answer(200, "", "text/plain", request.url)

    machine.hooks.answer = stop
    call_webhooks(machine.worker)
    assert len(machine.hooks.requests) == 1
    with transaction(sessions) as session:
        columns = select(WebhookCall.status, WebhookCall.attempts, WebhookCall.next_attempt_at)
        rows = [tuple(row) for row in session.execute(columns.order_by(WebhookCall.status))]
    assert rows == [("DONE", 1, None)] + [("PENDING", 0, machine.clock.now())] * 4


def test_a_worker_that_is_told_to_stop_gives_back_what_it_has_not_begun(api, machine, sessions):
    workflow(api, ("SEND_EMAIL", {"templateId": template(api)}))
    for number in range(5):
        track(api, email=f"p{number}@example.org")
    advance_due(machine.worker.engine)

    def stop(message):
        machine.worker.stopping.set()
        return accept(message)

    machine.mail.answer = stop
    deliver_mail(machine.worker)
    assert len(machine.mail.messages) == 1
    with transaction(sessions) as session:
        columns = select(Email.status, Email.attempts, Email.next_attempt_at)
        rows = [tuple(row) for row in session.execute(columns.order_by(Email.status))]
    assert rows == [("PENDING", 0, machine.clock.now())] * 4 + [("SENT", 1, None)]
    assert b'plunk_lag_seconds_count{queue="emails"} 1.0' in machine.worker.meter.text()


def test_a_segment_is_left_half_way_by_a_worker_that_is_told_to_stop(api, machine, sessions):
    for number in range(10):
        api.post("/contacts", {"email": f"p{number}@example.org", "data": {"plan": "pro"}})
    is_pro = {"field": "data.plan", "operator": "equals", "value": "pro"}
    condition = {"logic": "AND", "groups": [{"filters": [is_pro]}]}
    body = {"name": "Pro", "condition": condition, "trackMembership": True}
    assert api.post("/segments", body).status_code == 201
    engine = replace(machine.worker.engine, batch_size=1, clock=Stopping(machine, after=5))
    compute_due(engine)
    assert 0 < members(sessions) < 10
    machine.worker.stopping.clear()
    machine.sleep(minutes=6)
    assert members(sessions) == 10


class Stopping:
    """A clock that tells the worker to stop once it was asked for the time so often."""

    def __init__(self, machine, *, after: int) -> None:
        self._machine = machine
        self._left = after

    def now(self):
        self._left -= 1
        if self._left == 0:
            self._machine.worker.stopping.set()
        return self._machine.clock.now()


def members(sessions) -> int:
    with transaction(sessions) as session:
        return session.scalar(select(func.count()).select_from(SegmentMember))
