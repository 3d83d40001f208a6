"""Moving: everything that is due now is done, then the clock jumps to what is due next."""

from __future__ import annotations

from datetime import datetime

from plunk.engine.core.run import AwaitedCondition
from plunk.simulation import memberships, occasions
from plunk.simulation.advancing import advance_due
from plunk.simulation.delivering import call_due, deliver_due
from plunk.simulation.looking import wake_time
from plunk.simulation.occasions import fire_due
from plunk.simulation.people import Person
from plunk.simulation.world import TooMuch, World

MAX_TURNS = 10_000  # within one moment


def settle_anew(world: World) -> None:
    """Do what is due after something came from outside; a turn of segments comes after that."""
    world.turn_at = None
    settle(world)


def settle(world: World) -> None:
    """Do everything that is due now, in the order in which a worker does it."""
    for _ in range(MAX_TURNS):
        _heed(world)
        done = advance_due(world) + deliver_due(world) + call_due(world) + fire_due(world)
        _heed(world)
        if not done + memberships.compute_due(world) + memberships.follow(world):
            return
    raise TooMuch("the workflows set each other going without end")


def move_to(world: World, at: datetime) -> None:
    """Let time pass until then, jumping from each due time to the next."""
    settle(world)
    while (due := world.next_at()) is not None and due <= at:
        world.now = max(due, world.now)
        settle(world)
    world.now = max(at, world.now)


def _heed(world: World) -> None:
    """Work out what changes of people mean for what they wait for."""
    touched, world.touched = world.touched, {}
    for person in touched.values():
        memberships.look_at(world, person)
        occasions.expect_dates(world, person)
        _wait_anew(world, person)


def _wait_anew(world: World, person: Person) -> None:
    """Find out again when the conditions that a person's runs wait for may change."""
    for walker in person.walkers:
        if isinstance(walker.run.awaiting, AwaitedCondition) and walker.signal is None:
            at = wake_time(world, walker)
            if at != walker.wakes_at:
                world.wake(walker, at)
