"""What a provider would report about messages: delivered, opened, clicked, bounced, complained."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from plunk.conditions.instants import iso
from plunk.conditions.names import canonical_activity
from plunk.errors import BadRequest
from plunk.simulation import recording
from plunk.simulation.delivering import event_data
from plunk.simulation.outbox import Mail
from plunk.simulation.people import Person
from plunk.simulation.timeline import json_text
from plunk.simulation.world import Event, World

EVENTS = {"delivered", "opened", "clicked", "bounced", "complained"}
STAMPS = {"delivered": "deliveredAt", "opened": "openedAt", "clicked": "clickedAt"}
MORE_STAMPS = {"bounced": "bouncedAt", "complained": "complainedAt"}


def report(world: World, person: Person, name: str, data: Mapping[str, Any]) -> None:
    """Let something become of the latest message; `template` in the data chooses among them."""
    activity = canonical_activity(name.removeprefix("email."))
    if activity not in EVENTS:
        raise BadRequest(f"the event name {name} is reserved for the system")
    mail = _latest(world, person, data.get("template"))
    mail.activities.setdefault(activity, world.now)
    stamp = {**STAMPS, **MORE_STAMPS}[activity]
    given = {key: value for key, value in data.items() if key != "template"}
    happened = {**event_data(mail), stamp: iso(mail.activities[activity]), **given}
    event = Event(name, person, person.contact, happened, mail.depth, is_outside=True)
    recording.record(world, [event])


def _latest(world: World, person: Person, template: object) -> Mail:
    for mail in reversed(world.mails):
        is_meant = template is None or mail.template == template
        if is_meant and mail.walker.person is person and "sent" in mail.activities:
            return mail
    which = "message" if template is None else f"message {json_text(template)}"
    raise BadRequest(f"no {which} has been sent that this could be about")
