"""The stage of one test: its world, its contact, and what of it was looked at already."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from dsl.nodes import Object, Text
from dsl.values import mixed_json
from plunk.engine.core import facts
from plunk.engine.core.zones import at_local
from plunk.errors import BadRequest
from plunk.expressions import compute
from plunk.simulation import happenings
from plunk.simulation.answers import Answers
from plunk.simulation.catalogue import Catalogue, Flow
from plunk.simulation.outbox import Call, Mail
from plunk.simulation.people import Person, Walker
from plunk.simulation.world import Event, Limits, World, zone_named

STARTS_AT = "2026-01-05T09:00"  # a Monday
SOMEBODY = {"email": "contact@example.com"}
EARLY = "must stand before anything happens"


@dataclass(slots=True, eq=False)
class Stage:
    """Where a test is played; the world opens when something happens in it."""

    catalogue: Catalogue
    limits: Limits
    starts_at: str = STARTS_AT
    zone: str = "UTC"
    flow: Flow | None = None
    opened: World | None = None
    someone: Person | None = None
    seen: set[int] = field(default_factory=set)  # ids of mails, calls and events
    said_keys: set[str] = field(default_factory=set)  # of the contact's data, by the test itself

    @property
    def world(self) -> World:
        """The world, from now on open."""
        if self.opened is None:
            at = time_of(self.starts_at, zone_named(self.zone))
            self.opened = happenings.open_world(self.catalogue, at, self.zone, self.limits)
        return self.opened

    @property
    def person(self) -> Person:
        """The contact; a plain one when the test describes none."""
        if self.someone is None:
            self.someone = happenings.add_person(self.world, SOMEBODY)
        return self.someone

    def set_start(self, *, at: str | None = None, zone: str | None = None) -> None:
        """Say when and where the clock starts."""
        if self.opened is not None:
            raise BadRequest(f"{'at' if at else 'timezone'} {EARLY}")
        self.zone = self.zone if zone is None else zone
        self.starts_at = self.starts_at if at is None else at
        time_of(self.starts_at, zone_named(self.zone))

    def place(self, raw: Mapping[str, Any]) -> None:
        """Put the contact on the stage."""
        if self.someone is not None:
            raise BadRequest("there is a contact already; change it with set contact { … }")
        self.someone = happenings.add_person(self.world, raw)
        self._note(raw)

    def change(self, raw: Mapping[str, Any]) -> None:
        """Change the contact from outside."""
        happenings.change_person(self.world, self.person, raw)
        self._note(raw)

    def _note(self, raw: Mapping[str, Any]) -> None:
        data = raw.get("data")
        self.said_keys.update(data if isinstance(data, Mapping) else ())

    def values(self, written: Object | None) -> dict[str, Any]:
        """Return what an object says, computed as things are now."""
        if written is None:
            return {}
        made = compute(mixed_json(written), self.known())
        return made if isinstance(made, dict) else {}

    def under_test(self) -> Flow:
        """Return the workflow under test: the one that is named, or the only one there is."""
        flows = list(self.catalogue.flows.values())
        if self.flow is None and len(flows) != 1:
            raise BadRequest('which workflow is under test? say: workflow "…"')
        return self.flow or flows[0]

    def walker(self) -> Walker | None:
        """Return the contact's latest run through the workflow under test."""
        flow = self.under_test()
        mine = [one for one in self.person.walkers if one.flow is flow]
        return mine[-1] if mine else None

    def known(self) -> facts.Facts:
        """Return what conditions and values of the test may know."""
        person, world, flow = self.someone, self.world, self.flow
        contact = person.contact if person else _nobody(world.now)
        walkers = [one for one in person.walkers if flow in {None, one.flow}] if person else []
        run = walkers[-1].run if walkers else None
        return facts.Facts(
            contact,
            run=run,
            event=run.context if run else None,
            now=world.now,
            answers=Answers(world, person) if person else {},
            world=facts.World(zone=world.zone),
        )

    def unseen_mails(self) -> list[Mail]:
        """Return the messages that were sent and not yet expected, in their order."""
        sent = (mail for mail in self.world.mails if mail.error is None)
        return [mail for mail in sent if id(mail) not in self.seen]

    def unseen_calls(self) -> list[Call]:
        """Return the calls that were made and not yet expected, in their order."""
        return [call for call in self.world.calls if id(call) not in self.seen]

    def unseen_events(self) -> list[Event]:
        """Return the events that the test did not track itself and has not yet expected."""
        events = (event for event in self.world.events if not event.is_outside)
        return [event for event in events if id(event) not in self.seen]

    def see(self, one: Mail | Call | Event) -> None:
        """Note that something was expected."""
        self.seen.add(id(one))


def time_of(text: str, zone: ZoneInfo) -> datetime:
    """Return a time; one without an offset is what clocks of the zone show."""
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise BadRequest(f"{text!r} is no time; write it like 2026-03-01T09:00") from None
    return at_local(at, zone) if at.tzinfo is None else at.astimezone(zone_named("UTC"))


def said(text: Text | None) -> str | None:
    """Return what a text says, if it is there."""
    return text.value if text else None


def _nobody(now: datetime) -> facts.Contact:
    return facts.Contact("", "", subscribed=True, data={}, created_at=now, updated_at=now)
