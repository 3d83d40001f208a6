"""Happenings: what comes from outside into a world, and what time does in it."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from plunk.addresses import is_address, normalise
from plunk.conditions.instants import instant
from plunk.engine.core import facts
from plunk.engine.core.answers import SUBSCRIPTION_EVENTS
from plunk.engine.core.signals import canonical_name, is_reserved
from plunk.errors import BadRequest
from plunk.services import contact_data
from plunk.simulation import occasions, recording
from plunk.simulation.activities import report
from plunk.simulation.catalogue import Catalogue
from plunk.simulation.moving import move_to, settle_anew
from plunk.simulation.people import Person, Walker, id_of
from plunk.simulation.timeline import json_text
from plunk.simulation.world import Event, Limits, World, zone_named

CHANGEABLE = ("email", "subscribed", "data")
OWN = (*CHANGEABLE, "id", "createdAt")


def open_world(
    catalogue: Catalogue, now: datetime, zone: str = "UTC", limits: Limits | None = None
) -> World:
    """Return a world in which nothing has happened yet."""
    zone_named(zone)
    world = World(catalogue, now, zone, limits or Limits(), began_at=now)
    occasions.begin(world)
    return world


def add_person(world: World, raw: Mapping[str, Any]) -> Person:
    """Let somebody exist."""
    fields, data = _parted(raw, OWN)
    email = normalise(_address(fields.get("email", "contact@example.com")))
    if email in world.people:
        raise BadRequest(f"there is a contact {email} already")
    created_at = _instant_of(fields, world.now)
    subscribed = _flag(fields.get("subscribed", True))
    kept = contact_data.merge(None, data) or {}
    id_ = str(fields.get("id") or id_of(email))
    contact = facts.Contact(id_, email, subscribed, kept, created_at, created_at)
    person = world.people[email] = Person(contact)
    world.touch(person)
    shown = {"email": email, **({} if subscribed else {"subscribed": False})}
    world.tell("contact", f"contact {json_text({**shown, 'data': kept})}", contact=email)
    return person


def change_person(world: World, person: Person, raw: Mapping[str, Any]) -> None:
    """Change somebody from outside, as PATCH /contacts/:id does."""
    fields, data = _parted(raw, CHANGEABLE)
    email = normalise(_address(fields.get("email", person.contact.email)))
    _move(world, person, email)
    world.tell("contact", f"contact {json_text(dict(raw))}", contact=email)
    _merge(world, person, data, fields.get("subscribed"))
    settle_anew(world)


def set_subscribed(world: World, person: Person, *, subscribed: bool) -> None:
    """Let somebody subscribe or unsubscribe."""
    word = "subscribes" if subscribed else "unsubscribes"
    world.tell("contact", f"contact {word}", contact=person.contact.email)
    _merge(world, person, {}, subscribed)
    settle_anew(world)


def track(
    world: World,
    person: Person,
    name: str,
    data: Mapping[str, Any] | None = None,
    *,
    merged: Mapping[str, Any] | None = None,
) -> None:
    """Let something happen; what is `merged` also becomes the contact's, as the API does it.

    `email.opened` and its like are what a provider reports about the latest message.
    """
    if canonical_name(name).startswith("email."):
        report(world, person, canonical_name(name), data or {})
    elif is_reserved(name):
        raise BadRequest(f"the event name {name} is reserved for the system")
    else:
        if merged is not None:
            _merge(world, person, merged, None, is_told=True)
        recording.record(world, [Event(name, person, person.contact, data, is_outside=True)])
    settle_anew(world)


def start(
    world: World, person: Person, workflow: str, context: Mapping[str, Any] | None = None
) -> Walker:
    """Send somebody through a workflow by hand."""
    flow = world.catalogue.flows[workflow]
    if not flow.enabled:
        raise BadRequest(f"the workflow {workflow!r} is disabled")
    key = f"start {len(world.walkers)}" if flow.allow_reentry else ""
    is_out = recording.is_shut_out(world, flow, person)
    given = None if context is None else dict(context)
    walker = None if is_out else recording.enter(world, flow, person, key, given)
    if walker is None:
        raise BadRequest(f"the contact has been in {workflow!r} and may not enter again")
    settle_anew(world)
    return walker


def pass_time(world: World, until: datetime) -> None:
    """Let time pass until then, and do everything that becomes due."""
    if until < world.now:
        raise BadRequest("time runs forward only")
    move_to(world, until)


def _parted(raw: Mapping[str, Any], keys: Collection[str]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return a contact's own fields, and its data."""
    unknown = [key for key in raw if key not in keys]
    if unknown:
        known = ", ".join(keys)
        raise BadRequest(f"a contact has {known}, not {unknown[0]!r}; all else stands in its data")
    data = raw.get("data")
    if data is not None and not isinstance(data, Mapping):
        raise BadRequest("the data of a contact must be an object")
    return {key: raw[key] for key in raw if key != "data"}, dict(data or {})


def _address(value: object) -> str:
    if not isinstance(value, str) or not is_address(normalise(value)):
        raise BadRequest(f"{json_text(value)} is no e-mail address")
    return value


def _flag(value: object) -> bool:
    if not isinstance(value, bool):
        raise BadRequest("subscribed must be true or false")
    return value


def _instant_of(fields: Mapping[str, Any], now: datetime) -> datetime:
    raw = fields.get("createdAt")
    if raw is None:
        return now
    at = instant(raw)
    if at is None:
        raise BadRequest(f"createdAt must be an ISO time, not {json_text(raw)}")
    return at


def _move(world: World, person: Person, email: str) -> None:
    old = person.contact
    if email == old.email:
        return
    if email in world.people:
        raise BadRequest(f"there is a contact {email} already")
    world.people[email] = world.people.pop(old.email)
    person.contact = replace(old, email=email, updated_at=world.now)
    recording.reconsider(world, [person])


def _merge(
    world: World,
    person: Person,
    data: Mapping[str, Any],
    subscribed: object,
    *,
    is_told: bool = False,
) -> None:
    """Write a contact as the API does: a flip emits its event, any other change is looked at."""
    old = person.contact
    wanted = old.subscribed if subscribed is None else _flag(subscribed)
    merged = contact_data.merge(old.data, data) or {}
    is_changed = wanted != old.subscribed or not _is_same(merged, old.data)
    if is_changed:
        person.contact = replace(old, data=merged, subscribed=wanted, updated_at=world.now)
        world.touch(person)
    if wanted != old.subscribed:
        name = SUBSCRIPTION_EVENTS[wanted]
        recording.record(world, [Event(name, person, person.contact)])
    elif is_changed and not is_told:
        recording.reconsider(world, [person])


def _is_same(one: object, other: object) -> bool:
    """Tell whether two JSON values are the same; 1 and true are not."""
    return json.dumps(one, sort_keys=True) == json.dumps(other, sort_keys=True)
