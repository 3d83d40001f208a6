"""Advancing: the runs that are due move on, all of one moment together, as a worker's batch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from plunk.conditions.nodes import History
from plunk.engine.core import facts
from plunk.engine.core.advance import advance
from plunk.engine.core.answers import SUBSCRIPTION_EVENTS
from plunk.engine.core.effects import (
    CallWebhook,
    ChangeMembership,
    Effect,
    QueueEmail,
    SetSubscription,
    TrackEvent,
)
from plunk.engine.core.progress import Progress, Visit
from plunk.simulation import memberships, recording, telling
from plunk.simulation.answers import answered
from plunk.simulation.looking import wake_time
from plunk.simulation.memberships import Move
from plunk.simulation.outbox import Call, Origin, filled, mail_of, variables_of
from plunk.simulation.people import Person, Walker
from plunk.simulation.world import MAX_DEPTH, Event, TooMuch, World


@dataclass(slots=True)
class Batch:
    """What the runs of one moment leave behind, to be worked in when all have moved."""

    questions: frozenset[History] = frozenset()
    answers: dict[int, Mapping[History, object]] = field(default_factory=dict)  # by person
    events: list[Event] = field(default_factory=list)
    moves: list[Move] = field(default_factory=list)
    changed: dict[int, Person] = field(default_factory=dict)
    depth: int = 0


def advance_due(world: World) -> int:
    """Move every run that is due; return how many there were."""
    due = world.take_due()
    if not due:
        return 0
    batch = Batch()
    if world.catalogue.asks_history:
        batch.questions = frozenset().union(*(one.flow.graph.questions for one in due))
    for walker in due:
        _advance(world, batch, walker)
    memberships.change(world, batch.moves)
    recording.record(world, batch.events)
    if batch.depth <= MAX_DEPTH:  # I8: the others will see the change at their next look
        recording.reconsider(world, batch.changed.values(), batch.depth)
    return len(due)


def _advance(world: World, batch: Batch, walker: Walker) -> None:
    person, before, was = walker.person, walker.run, walker.person.contact
    known = facts.Facts(
        contact=was,
        templates=world.catalogue.templates,
        answers=_answers(world, batch, person),
        world=world.surroundings(walker.flow),
    )
    progress = advance(walker.flow.graph, before, walker.take_signal(), known, world.now)
    world.spend(len(progress.visits))
    walker.run = before.wait_again(world.now) if progress.run is before else progress.run
    batch.answers[id(person)] = progress.facts.answers
    if progress.facts.contact is not was:
        person.contact = progress.facts.contact
        batch.changed[id(person)] = person
        batch.depth = max(batch.depth, walker.run.depth + 1)
        world.touch(person)
    _keep(world, batch, walker, progress)
    if not walker.run.is_over:
        world.wake(walker, wake_time(world, walker))


def _answers(world: World, batch: Batch, person: Person) -> Mapping[History, object]:
    if not batch.questions:
        return {}
    if id(person) not in batch.answers:
        batch.answers[id(person)] = answered(world, person, batch.questions)
    return batch.answers[id(person)]


def _keep(world: World, batch: Batch, walker: Walker, progress: Progress) -> None:
    """Write down what the run did, and collect what it asks for."""
    for visit in progress.visits:
        walker.visits[visit.number] = visit
        telling.tell_visit(world, walker, visit)
        for effect in visit.effects:
            _perform(world, batch, walker, visit, effect)
    for goal in progress.goals:
        recording.reach(world, walker, goal)
    telling.tell_rest(world, walker, progress)


def _perform(world: World, batch: Batch, walker: Walker, visit: Visit, effect: Effect) -> None:
    match effect:
        case QueueEmail():
            _queue_email(world, walker, visit, effect)
        case CallWebhook():
            _call_webhook(world, walker, visit, effect)
        case SetSubscription(subscribed):
            batch.events.append(_event(walker, SUBSCRIPTION_EVENTS[subscribed], None))
        case TrackEvent(name, data):
            batch.events.append(_event(walker, name, data))
        case ChangeMembership(segment_id, is_member):
            depth = walker.run.depth + 1
            batch.moves.append(Move(segment_id, walker.person, is_member, walker, depth))


def _event(walker: Walker, name: str, data: Mapping[str, object] | None) -> Event:
    """Return an event; it is one deeper than what moved the run (I8)."""
    person = walker.person
    return Event(name, person, person.contact, data, walker.run.depth + 1, walker)


def _queue_email(world: World, walker: Walker, visit: Visit, effect: QueueEmail) -> None:
    if len(world.mails) >= world.limits.mails:
        raise TooMuch(f"more than {world.limits.mails:,} messages were sent; do they ever end?")
    number = len(world.mails) + 1
    origin = Origin(number, world.now, walker, visit.step_id, walker.run.depth + 1)
    mail = mail_of(origin, effect, world.catalogue.templates[effect.template_id])
    world.mails.append(mail)
    telling.tell_mail(world, mail)
    if mail.error is None:
        world.unsent.append(mail)


def size_of(value: object) -> int:
    """Return about how many characters a JSON value takes."""
    match value:
        case str():
            return len(value) + 2
        case Mapping():
            return sum(len(str(key)) + 4 + size_of(item) for key, item in value.items())
        case list() | tuple():
            return sum(map(size_of, value)) + len(value)
    return 8


def _call_webhook(world: World, walker: Walker, visit: Visit, effect: CallWebhook) -> None:
    variables = variables_of(effect.scope)
    call = Call(
        number=len(world.calls) + 1,
        at=world.now,
        walker=walker,
        step=visit.step_id,
        visit=visit.number,
        method=effect.method,
        url=str(filled(effect.url, variables)),
        headers={name: filled(value, variables) for name, value in effect.headers.items()},
        body=None if effect.method == "GET" else filled(effect.body, variables),
    )
    world.write(size_of(call.body) + size_of(call.headers) + len(call.url))
    world.uncalled.append(call)
