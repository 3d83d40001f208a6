"""Looking ahead: when time alone may change what a condition says, so that clocks can jump.

A moment too early costs one look that finds nothing; so where it cannot be told, the answer is
now: look every time.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta

from plunk.conditions.instants import UNIT_SECONDS, instant, milliseconds
from plunk.conditions.matches import matches, value_of
from plunk.conditions.nodes import (
    MISSING,
    All,
    Any,
    Computed,
    Condition,
    Count,
    Events,
    Literal,
    Membership,
    Not,
    Operand,
    Path,
    Test,
)
from plunk.conditions.operators.workflow import OPERATORS
from plunk.engine.core import facts
from plunk.engine.core.headers import ConditionWatch, Goal
from plunk.engine.core.run import LOOK_EVERY, AwaitedCondition
from plunk.errors import PlunkError
from plunk.simulation.answers import Answers
from plunk.simulation.people import Person, Walker
from plunk.simulation.world import World

MOMENT = timedelta(milliseconds=1)
MAX_NESTED = 20


def wake_time(world: World, walker: Walker) -> datetime | None:
    """Return when to look at a parked run: at its due time, or later if that is as good."""
    run = walker.run
    if not isinstance(run.awaiting, AwaitedCondition) or run.due_at is None:
        return run.due_at
    known = facts.Facts(
        walker.person.contact,
        run=run,
        event=run.context,
        now=world.now,
        answers=Answers(world, walker.person),
    )
    changes = [
        at
        for condition in _watched(walker, run.awaiting.condition)
        for at in _changes(world, walker.person, condition, known)
        if at > world.now - MOMENT
    ]
    if _holds_already(walker, run.awaiting.condition, known):
        changes.append(world.now)
    at = min(changes, default=None)
    deadline = run.awaiting.deadline
    if at is None:
        return deadline
    look = _look(run.due_at, at)
    return look if deadline is None else min(look, deadline)


def _watched(walker: Walker, awaited: Condition) -> Iterator[Condition]:
    """Yield the conditions that a run which waits for one is looked at for."""
    headers = walker.flow.graph.headers
    yield awaited
    for watch in (*headers.stops, *(one.watch for one in headers.goals if _is_open(walker, one))):
        if isinstance(watch, ConditionWatch):
            yield watch.condition


def _is_open(walker: Walker, goal: Goal) -> bool:
    return goal.name not in walker.goals


def _holds_already(walker: Walker, awaited: Condition, known: facts.Facts) -> bool:
    """Tell whether something holds that nobody was told of: its cause lay too deep (I8)."""
    for condition in _watched(walker, awaited):
        try:
            if matches(condition, known, OPERATORS):
                return True
        except PlunkError:
            continue
    return False


def _look(first: datetime, at: datetime) -> datetime:
    """Return the first of the regular looks at or after a moment."""
    late = max(at - first, timedelta())
    return first + -(-late // LOOK_EVERY) * LOOK_EVERY


def next_change(world: World, person: Person, condition: Condition) -> datetime | None:
    """Return when time alone may change a segment's condition next; None for never."""
    known = facts.Facts(person.contact, now=world.now, answers=Answers(world, person))
    changes = _changes(world, person, condition, known)
    return min((at for at in changes if at > world.now - MOMENT), default=None)


def _changes(
    world: World, person: Person, condition: Condition, known: facts.Facts, depth: int = 0
) -> Iterator[datetime]:
    """Yield moments, past ones too, at which the condition may change."""
    if depth > MAX_NESTED:
        return
    match condition:
        case All(parts) | Any(parts):
            for part in parts:
                yield from _changes(world, person, part, known, depth)
        case Not(part):
            yield from _changes(world, person, part, known, depth)
        case Test(field=Membership(segment)):
            rule = world.catalogue.segments.get(segment)
            if rule is not None and not rule.is_listed and rule.condition is not None:
                yield from _changes(world, person, rule.condition, known, depth + 1)
        case Test():
            yield from _leaf(person, condition, known)


def _leaf(person: Person, test: Test, known: facts.Facts) -> Iterator[datetime]:
    operands = [test.field] if test.value is None else [test.field, test.value]
    if isinstance(test.field, Count) and test.field.unit is not None:
        times = (event.at for event in person.events(test.field.event))
        yield from _later(times, test.field.within, test.field.unit)
    if isinstance(test.field, Events | Count) and _tells_time(test.field.where):
        yield known.now
    if test.unit is not None:
        amount = test.value.value if isinstance(test.value, Literal) else None
        yield from _later(_times([_value(test.field, known)]), amount, test.unit)
    elif any(map(_is_now, operands)):
        yield from _later(_times(_value(one, known) for one in operands), 0, "days")
        if not all(_is_now(one) or not _mentions_now(one) for one in operands):
            yield known.now
    elif any(map(_mentions_now, operands)):
        yield known.now


def _later(times: Iterable[datetime], amount: object, unit: str) -> Iterator[datetime]:
    """Yield the times, each also so much later, and the moment right behind each."""
    if isinstance(amount, bool) or not isinstance(amount, int | float):
        return
    for at in times:
        try:
            later = milliseconds(at) + timedelta(seconds=amount * UNIT_SECONDS[unit])
            yield from (at, at + MOMENT, later, later + MOMENT)
        except (OverflowError, ValueError):
            continue


def _times(values: Iterable[object]) -> Iterator[datetime]:
    for value in values:
        at = value if isinstance(value, datetime) else instant(value)
        if at is not None:
            yield at


def _value(operand: Operand, known: facts.Facts) -> object:
    try:
        return value_of(operand, known)
    except PlunkError:
        return MISSING


def _is_now(operand: Operand) -> bool:
    match operand:
        case Path(("now",)) | Computed(["get", "now"] | ["call", "now"]):
            return True
    return False


def _mentions_now(operand: Operand) -> bool:
    match operand:
        case Path(("now", *_)):
            return True
        case Computed(expression):
            return _speaks_of_now(expression)
    return False


def _speaks_of_now(expression: object) -> bool:
    match expression:
        case ["get" | "call", "now", *_] | ["render", *_] | ["call", "render", *_]:
            return True
        case list():
            return any(map(_speaks_of_now, expression))
        case dict():
            return any(map(_speaks_of_now, expression.values()))
    return False


def _tells_time(where: Condition | None) -> bool:
    """Tell whether what is asked of an event depends on when it is asked."""
    match where:
        case All(parts) | Any(parts):
            return any(map(_tells_time, parts))
        case Not(part):
            return _tells_time(part)
        case Test(field, _, value, unit):
            operands = [field] if value is None else [field, value]
            return unit is not None or any(map(_mentions_now, operands))
    return False
