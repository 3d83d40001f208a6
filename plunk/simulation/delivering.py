"""Delivering: messages are sent and calls are answered in the moment they are asked for."""

from __future__ import annotations

from plunk.conditions.history import StoredEmail
from plunk.conditions.instants import iso
from plunk.engine.core.run import AwaitedCall
from plunk.engine.core.signals import CallReturned
from plunk.simulation import recording, telling
from plunk.simulation.outbox import Call, Mail
from plunk.simulation.world import Event, World

UNSUBSCRIBED = "the contact unsubscribed before the message was sent"


def deliver_due(world: World) -> int:
    """Send the messages that were asked for, the most urgent first; return how many there were."""
    mails = sorted(world.unsent, key=lambda mail: (mail.lane, mail.number))
    world.unsent = []
    recording.record(world, [event for mail in mails if (event := _send(world, mail))])
    return len(mails)


def _send(world: World, mail: Mail) -> Event | None:
    person = mail.walker.person
    if mail.needs_consent and not person.contact.subscribed:  # I11
        mail.error = UNSUBSCRIBED
        telling.tell_mail(world, mail)
        return None
    mail.activities["sent"] = world.now
    person.mails.append(StoredEmail(mail.template, mail.activities))
    data = {**event_data(mail), "sentAt": iso(world.now)}
    return Event("email.sent", person, person.contact, data, mail.depth)


def event_data(mail: Mail) -> dict[str, object]:
    """Return what every event about a message says."""
    return {
        "subject": mail.subject,
        "from": mail.sender,
        "fromName": mail.sender_name,
        "messageId": f"<email-{mail.number}@{mail.sender.rpartition('@')[2] or 'localhost'}>",
        "emailId": f"email-{mail.number}",
        "templateId": mail.template,
        "campaignId": None,
        "sourceType": "TRANSACTIONAL" if mail.lane == 0 else "WORKFLOW",
    }


def call_due(world: World) -> int:
    """Make the calls that are still waited for, and leave their answers with the runs."""
    calls, world.uncalled = world.uncalled, []
    for call in calls:
        awaiting = call.walker.run.awaiting
        if isinstance(awaiting, AwaitedCall) and awaiting.call == call.visit:
            _call(world, call)
    return len(calls)


def _call(world: World, call: Call) -> None:
    answer = world.mocks.answer(call.url)
    call.status, call.answer, call.error = answer.status, answer.body, answer.error
    call.is_mocked = answer.is_mocked
    world.calls.append(call)
    telling.tell_call(world, call)
    call.walker.signal = CallReturned(
        call.visit, answer.status, answer.body, answer.error, call.url
    )
    world.wake(call.walker, world.now)
