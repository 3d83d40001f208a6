"""Recording: events are kept, and what they concern is stopped, woken and started.

The order is the product's: what an event stops is not woken by it, and all events of one moment
are kept before any of them is acted on.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from datetime import timedelta

from plunk.conditions.history import StoredEvent
from plunk.engine.core.headers import ConditionWatch, EventWatch, Watch
from plunk.engine.core.progress import abandoned
from plunk.engine.core.run import AwaitedCondition, AwaitedEvent, Run
from plunk.engine.core.signals import (
    EventArrived,
    Looked,
    canonical_name,
    event_context,
)
from plunk.engine.core.watching import STOPPED, goal_reason
from plunk.simulation.answers import is_met
from plunk.simulation.catalogue import Flow
from plunk.simulation.people import Person, Walker
from plunk.simulation.timeline import json_text
from plunk.simulation.world import MAX_DEPTH, Event, World

IsMet = Callable[[Walker, Watch], bool]


def record(world: World, happened: Sequence[Event]) -> None:
    """Keep events; stop, wake and start the runs that they concern, in this order."""
    if not happened:
        return
    for event in happened:
        _keep(world, event)
    _meet(world, _people(event.person for event in happened), _judge_of(world, happened))
    quick = [event for event in happened if _is_shallow(world, event)]
    _wake(world, quick)
    _enrol(world, quick)


def reconsider(world: World, changed: Iterable[Person], depth: int = 0) -> None:
    """Look at everything that waits or watches for a condition on these changed people."""
    people = _people(changed)
    _meet(world, people, _judge_of(world, ()))
    for person in people:
        for walker in person.walking():
            if walker.signal is None and _awaits(world, walker):
                _leave(world, walker, Looked(depth))


def _people(several: Iterable[Person]) -> list[Person]:
    return list({id(person): person for person in several}.values())


def _keep(world: World, event: Event) -> None:
    name = canonical_name(event.name)
    event.at, event.number = world.now, len(world.events) + 1
    stored = StoredEvent(name, world.now, event_context(event.data))
    event.person.past.setdefault(name, []).append(stored)
    world.events.append(event)
    event.person.heard_at = world.now
    world.heard[id(event.person)] = event.person
    world.touch(event.person)
    if name != "email.sent":  # the message itself has been told
        _tell(world, event, name)


def _tell(world: World, event: Event, name: str) -> None:
    is_own = event.is_outside or event.cause is not None
    data = f" {json_text(event.data)}" if event.data and is_own else ""
    details = {"name": name, "data": event.data, "isOutside": event.is_outside}
    contact = event.contact.email
    world.tell("event", f"event {json_text(name)}{data}", details=details, contact=contact)


def _is_shallow(world: World, event: Event) -> bool:
    if event.depth <= MAX_DEPTH:
        return True
    text = f"event {json_text(event.name)} sets nothing going: workflows set each other going"
    world.tell("note", text, contact=event.contact.email)
    return False


def _judge_of(world: World, happened: Sequence[Event]) -> IsMet:
    """Return what judges a watch of a run: by the events, and by how things are now."""
    contacts = {id(event.person): event.contact for event in happened}

    def judge(walker: Walker, watch: Watch) -> bool:
        person, run = walker.person, walker.run
        contact = contacts.get(id(person), person.contact)
        match watch:
            case ConditionWatch(condition):
                return is_met(world, person, condition, run.context, contact=contact, run=run)
            case EventWatch(name, where):
                return any(
                    is_met(world, person, where, event_context(one.data), contact=contact, run=run)
                    for one in happened
                    if one.person is person
                    and one.cause is not walker
                    and name == canonical_name(one.name)
                )

    return judge


def _meet(world: World, people: Iterable[Person], judge: IsMet) -> None:
    """End the runs that are stopped, and count the goals that are reached."""
    walkers = sorted(
        (walker for person in people for walker in person.walking()), key=lambda one: one.number
    )
    for walker in walkers:
        headers = walker.flow.graph.headers
        if not (headers.stops or headers.goals):
            continue
        reason = STOPPED if any(judge(walker, stop) for stop in headers.stops) else None
        for goal in headers.goals:
            if judge(walker, goal.watch):
                reach(world, walker, goal.name)
                reason = reason or (goal_reason(goal.name) if goal.exits else None)
        if reason is not None:
            _end(world, walker, reason)


def reach(world: World, walker: Walker, goal: str) -> None:
    """Count a goal, once for each run."""
    if goal not in walker.goals:
        walker.goals.append(goal)
        world.tell("goal", f"reaches goal {json_text(goal)}", walker, details={"goal": goal})


def _end(world: World, walker: Walker, reason: str) -> None:
    for visit in abandoned(walker.run, world.now):
        walker.visits[visit.number] = replace(visit, status="SKIPPED")
    walker.run = walker.run.finish(world.now, reason=reason)
    walker.signal = None
    world.wake(walker, None)
    details = {"status": "COMPLETED", "reason": reason}
    world.tell("ended", f"completed: {reason}", walker, details=details)


def _wake(world: World, happened: Sequence[Event]) -> None:
    for event in happened:
        for walker in event.person.walking():
            if walker.signal is not None:
                continue
            if isinstance(walker.run.awaiting, AwaitedCondition):
                if _awaits(world, walker, event):
                    _leave(world, walker, Looked(event.depth))
            elif _is_awaited(world, walker, event):
                name = canonical_name(event.name)
                arrived = EventArrived("", name, event.data, world.now, event.depth)
                _leave(world, walker, arrived)


def _awaits(world: World, walker: Walker, event: Event | None = None) -> bool:
    """Tell whether a run waits for a condition that holds by now."""
    run = walker.run
    if not isinstance(run.awaiting, AwaitedCondition):
        return False
    contact = event.contact if event else None
    condition = run.awaiting.condition
    return is_met(world, walker.person, condition, run.context, contact=contact, run=run)


def _is_awaited(world: World, walker: Walker, event: Event) -> bool:
    awaited = walker.run.awaiting
    if not isinstance(awaited, AwaitedEvent) or event.cause is walker:
        return False
    if canonical_name(event.name) != awaited.event_name:
        return False
    arrived = event_context(event.data)
    return is_met(
        world, walker.person, awaited.where, arrived, contact=event.contact, run=walker.run
    )


def _leave(world: World, walker: Walker, signal: EventArrived | Looked) -> None:
    walker.signal = signal
    world.wake(walker, world.now)


def _enrol(world: World, happened: Sequence[Event]) -> None:
    """Start every workflow that one of the events starts; all are judged before any begins."""
    admitted = [
        (flow, event)
        for event in happened
        for flow in world.catalogue.flows.values()
        if flow.enabled
        for start in flow.starts
        if start.hears(event.name, event.also)
        and is_met(
            world, event.person, start.where, event_context(event.data), contact=event.contact
        )
        and not is_shut_out(world, flow, event.person)
    ]
    for flow, event in admitted:
        context = None if event.data is None else event_context(event.data)
        key = str(event.number) if flow.allow_reentry else ""
        enter(world, flow, event.person, key, context, event.depth)


def is_shut_out(world: World, flow: Flow, person: Person) -> bool:
    """Tell whether earlier runs forbid another one."""
    if flow.allow_reentry and flow.reentry_seconds is None:
        return False
    earlier = [one for one in person.walkers if one.flow is flow]
    if flow.allow_reentry and flow.reentry_seconds is not None:
        since = world.now - timedelta(seconds=flow.reentry_seconds)
        earlier = [one for one in earlier if one.run.started_at > since]
    return bool(earlier)


def enter(
    world: World,
    flow: Flow,
    person: Person,
    key: str,
    context: dict[str, object] | None,
    depth: int = 0,
) -> Walker | None:
    """Let somebody enter, once for each key (I2); return the new run."""
    if (flow.name, key) in person.entries:
        return None
    person.entries.add((flow.name, key))
    number = len(world.walkers) + 1
    run = Run(
        id=f"run-{number}",
        workflow_id=flow.graph.workflow_id,
        revision=1,
        started_at=world.now,
        step_id=flow.graph.entry,
        context=context,
        due_at=world.now,
        depth=depth,
    )
    walker = Walker(number, flow, person, run)
    world.walkers.append(walker)
    person.walkers.append(walker)
    world.wake(walker, world.now)
    world.tell("entered", "enters", walker, contact=person.contact.email)
    return walker
