"""Members of segments: put there by steps, or found by the conditions of tracked segments."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from heapq import heappop, heappush

from plunk.ids import slug
from plunk.simulation import recording
from plunk.simulation.answers import fulfils
from plunk.simulation.catalogue import SegmentRule
from plunk.simulation.looking import next_change
from plunk.simulation.people import Person, Walker
from plunk.simulation.starts import segment_event
from plunk.simulation.timeline import json_text
from plunk.simulation.world import Event, World

COMPUTE_EVERY = timedelta(minutes=5)  # as in the product
FOLLOWED_FOR = timedelta(seconds=30)  # likewise
MOMENT = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Move:
    """A step puts a person into a static segment, or takes the person out."""

    segment: str
    person: Person
    is_member: bool
    cause: Walker
    depth: int


def change(world: World, moves: Iterable[Move]) -> None:
    """Carry out what steps said; a person's own moves keep their order."""
    seen: Counter[tuple[str, int]] = Counter()
    groups: dict[tuple[int, str, bool], list[Move]] = {}
    for move in moves:
        place = (move.segment, id(move.person))
        groups.setdefault((seen[place], move.segment, move.is_member), []).append(move)
        seen[place] += 1
    for key in sorted(groups):
        _carry_out(world, groups[key])


def _carry_out(world: World, group: list[Move]) -> None:
    first = group[0]
    rule = world.catalogue.segments[first.segment]
    real = [move for move in group if (move.segment in move.person.segments) != move.is_member]
    for move in real:
        _note(world, rule, move.person, is_member=move.is_member)
    if rule.is_tracked:
        recording.record(world, [_event(rule, move) for move in real])
    else:
        depth = max((move.depth for move in group), default=0)
        recording.reconsider(world, [move.person for move in real], depth)


def _note(world: World, rule: SegmentRule, person: Person, *, is_member: bool) -> None:
    if is_member:
        person.segments.add(rule.name)
    else:
        person.segments.discard(rule.name)
    world.touch(person)
    text = f"{'enters' if is_member else 'leaves'} segment {json_text(rule.name)}"
    world.tell("segment", text, contact=person.contact.email)


def _event(rule: SegmentRule, move: Move) -> Event:
    return _told(rule, move.person, move.is_member, move.depth, move.cause)


def _told(
    rule: SegmentRule,
    person: Person,
    is_member: bool,  # noqa: FBT001 -- it is the new value
    depth: int = 0,
    cause: Walker | None = None,
) -> Event:
    when = "entry" if is_member else "exit"
    data = {"segmentId": rule.name, "segmentName": rule.name}
    also = (segment_event(rule.name, when),)
    name = f"segment.{slug(rule.name)}.{when}"
    return Event(name, person, person.contact, data, depth, cause, also)


def look_at(world: World, person: Person) -> None:
    """Look at the tracked segments at their next turn, because something has changed."""
    if not any(_is_computed(rule) for rule in world.catalogue.segments.values()):
        return
    if world.turn_at == world.now:  # what has had its turn already has to wait for the next one
        world.turn_people[id(person)] = person
        _again(world, person, world.now + MOMENT)
    else:
        _again(world, person, world.now)


def _is_computed(rule: SegmentRule) -> bool:
    return rule.is_tracked and rule.condition is not None


def _turn(world: World, at: datetime) -> datetime:
    """Return the first turn of the tracked segments then or later."""
    turns = -(-(at - world.began_at) // COMPUTE_EVERY)
    return world.began_at + turns * COMPUTE_EVERY


def _again(world: World, person: Person, at: datetime) -> None:
    heappush(world.checks, (_turn(world, at), next(world.order), person))


def compute_due(world: World) -> int:
    """Bring the members of one tracked segment up to date, if it is the turn of one.

    In each turn every segment is computed once, as in the product; what that sets going comes
    before the next segment.
    """
    if _turn(world, world.now) != world.now:
        return 0
    if world.turn_at != world.now:
        world.turn_at, world.turn_people = world.now, {}
        rules = world.catalogue.segments.values()
        world.turn_left = [rule.name for rule in rules if _is_computed(rule)]
    while world.checks and world.checks[0][0] <= world.now:
        person = heappop(world.checks)[2]
        world.turn_people[id(person)] = person
    if not world.turn_left:
        return 0
    people = list(world.turn_people.values())
    _compute(world, world.catalogue.segments[world.turn_left.pop(0)], people)
    return 1


def follow(world: World) -> int:
    """Look at all tracked segments for whom recent events were about; return what changed."""
    rules = [rule for rule in world.catalogue.segments.values() if _is_computed(rule)]
    if not rules:
        world.heard.clear()
        return 0
    since = world.now - FOLLOWED_FOR
    world.heard = {key: person for key, person in world.heard.items() if person.heard_at >= since}
    people = sorted(world.heard.values(), key=lambda person: person.contact.id)
    return sum(_compute(world, rule, people) for rule in rules)


def _compute(world: World, rule: SegmentRule, people: Iterable[Person]) -> int:
    """Mend the differences of one segment: those who come first, then those who go."""
    condition = rule.condition
    if condition is None:
        return 0
    moved: dict[bool, list[Event]] = {True: [], False: []}
    for person in people:
        world.look_at_time()
        is_meant = fulfils(world, person, condition)
        if is_meant != (rule.name in person.segments):
            _note(world, rule, person, is_member=is_meant)
            moved[is_meant].append(_told(rule, person, is_meant))
        at = next_change(world, person, condition)
        if at is not None:
            _again(world, person, max(at, world.now + MOMENT))
    for is_meant in (True, False):
        recording.record(world, moved[is_meant])
    return len(moved[True]) + len(moved[False])
