"""Occasions: schedules and dates that come round send people into workflows."""

from __future__ import annotations

from datetime import datetime, timedelta
from heapq import heappop, heappush
from zoneinfo import ZoneInfo

from plunk.conditions.instants import iso
from plunk.engine.core import facts
from plunk.engine.core.zones import find_zone
from plunk.errors import PlunkError
from plunk.services import schedules
from plunk.services.schedules import LOOK_EVERY
from plunk.simulation import recording
from plunk.simulation.answers import Past
from plunk.simulation.catalogue import Flow
from plunk.simulation.people import Person
from plunk.simulation.starts import Occasion
from plunk.simulation.world import World, zone_named

AHEAD = timedelta(days=9 * 366)  # leap days can be eight years apart


def begin(world: World) -> None:
    """Set the clocks of all schedules."""
    for flow in world.catalogue.flows.values():
        for place, occasion in enumerate(flow.occasions):
            if flow.enabled and occasion.cron is not None:
                _tick(world, flow, place, occasion.cron, world.now)


def _tick(world: World, flow: Flow, place: int, cron: str, after: datetime) -> None:
    at = schedules.following_cron(cron, flow.occasions[place].zone, after)
    if at is not None:
        heappush(world.ticks, (at, next(world.order), flow, place))


def expect_dates(world: World, person: Person) -> None:
    """Find out when the dates of a person come round next, because something has changed."""
    for flow in world.catalogue.flows.values():
        for place, occasion in enumerate(flow.occasions):
            if flow.enabled and occasion.rule is not None:
                _expect(world, person, flow, place)


def _expect(world: World, person: Person, flow: Flow, place: int) -> None:
    last = schedules.latest_look(world.now)
    moment = _moment(world, person, flow, place, max(last, world.began_at), world.now + AHEAD)
    key = (flow.name, place)
    if moment is None:
        person.dates.pop(key, None)
        return
    exact = schedules.latest_look(moment)
    look = exact if exact == moment else exact + LOOK_EVERY
    if person.dates.get(key) != look:
        person.dates[key] = look
        heappush(world.dates, (look, next(world.order), person, flow, place))


def _moment(
    world: World, person: Person, flow: Flow, place: int, start: datetime, end: datetime
) -> datetime | None:
    """Return when a date of a person comes round after the start and up to the end."""
    occasion = flow.occasions[place]
    if occasion.rule is None:
        return None
    known = facts.Facts(person.contact, now=world.now)
    zone = _zone(flow, occasion, known)
    return schedules.due(occasion.rule, known.get(occasion.path), zone, start, end)


def _zone(flow: Flow, occasion: Occasion, known: facts.Facts) -> ZoneInfo:
    """Return whose clocks count: the contact's own, where the workflow says how to know them."""
    header = flow.graph.headers.timezone
    match header.field if header else None:
        case {"$expr": expression}:
            try:
                own = find_zone(known.evaluate(expression))
            except PlunkError:
                own = None
            return own or zone_named(occasion.zone)
    return zone_named(occasion.zone)


def fire_due(world: World) -> int:
    """Send in everybody for whom the schedule or date that is due for longest has come round."""
    tick = world.ticks[0][0] if world.ticks else None
    look = world.dates[0][0] if world.dates else None
    if tick is not None and tick <= world.now and (look is None or tick <= look):
        _fire_schedule(world)
        return 1
    if look is not None and look <= world.now:
        _fire_date(world)
        return 1
    return 0


def _fire_schedule(world: World) -> None:
    at, _, flow, place = heappop(world.ticks)
    occasion = flow.occasions[place]
    for person in world.people.values():
        if Past(world, person).is_member(occasion.segment or ""):
            _enter(world, flow, person, at)
    _tick(world, flow, place, occasion.cron or "", at)


def _fire_date(world: World) -> None:
    look, _, person, flow, place = heappop(world.dates)
    if person.dates.get((flow.name, place)) != look:
        return  # the date has changed since
    del person.dates[flow.name, place]
    start = max(look - LOOK_EVERY, world.began_at)
    moment = _moment(world, person, flow, place, start, look)
    if moment is not None:
        _enter(world, flow, person, moment)
    _expect(world, person, flow, place)


def _enter(world: World, flow: Flow, person: Person, moment: datetime) -> None:
    if recording.is_shut_out(world, flow, person):
        return
    key = f"{moment:%Y%m%dT%H%M%S}" if flow.allow_reentry else ""
    recording.enter(world, flow, person, key, {"scheduledFor": iso(moment)})
