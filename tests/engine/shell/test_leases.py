"""Chunks: what a worker takes at once is what it may have to repeat after a crash."""

from __future__ import annotations

from plunk.engine.shell import hooks, mail
from plunk.engine.shell.batch import advance_due
from tests.factories import template, track, workflow


def test_i5_a_chunk_of_mail_is_no_larger_than_it_may_be(api, machine):
    workflow(api, ("SEND_EMAIL", {"templateId": template(api)}))
    for number in range(3 * mail.CHUNK):
        track(api, email=f"p{number}@example.org")
    advance_due(machine.worker.engine)
    assert mail.deliver_due(machine.worker.mailer) == mail.CHUNK


def test_i6_a_chunk_of_web_hooks_is_no_larger_than_it_may_be(api, machine):
    workflow(api, ("WEBHOOK", {"url": "https://hooks.example.com/"}))
    for number in range(3 * hooks.CHUNK):
        track(api, email=f"p{number}@example.org")
    advance_due(machine.worker.engine)
    assert hooks.call_due(machine.worker.caller) == hooks.CHUNK
