"""What each line of a test does."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from dsl import nodes
from dsl.durations import seconds
from plunk.engine.core.graph import Graph
from plunk.engine.core.steps import Split
from plunk.errors import BadRequest
from plunk.simulation import happenings
from plunk.simulation.mocks import Chance, answer_of, branch_of
from plunk.simulation.testing.expectations import check
from plunk.simulation.testing.outcome import Mismatch
from plunk.simulation.testing.stage import Stage, said, time_of
from plunk.simulation.world import zone_named


def play(stage: Stage, item: nodes.TestItem) -> Mismatch | None:  # noqa: C901, PLR0912 -- a table
    """Do what a line says; return how what it expects is not so, if it is not."""
    match item:
        case nodes.UnderTest(workflow):
            _put_under_test(stage, workflow.value)
        case nodes.StartsAt(time):
            stage.set_start(at=time.value)
        case nodes.Timezone(default=default):
            stage.set_start(zone=default.value if default else "UTC")
        case nodes.Person(data):
            stage.place(stage.values(data))
        case nodes.Track(event, data):
            _track(stage, event.value, stage.values(data) if data else None)
        case nodes.Started(context):
            values = stage.values(context) if context else None
            happenings.start(stage.world, stage.person, stage.under_test().name, values)
        case nodes.Advance(length):
            _advance(stage, timedelta(seconds=seconds(length)))
        case nodes.AdvanceUntil(time):
            until = time_of(time.value, zone_named(stage.zone))
            happenings.pass_time(stage.world, until)
        case nodes.MockWebhook(url, answer):
            stage.world.mocks.answers.append((url.value, answer_of(stage.values(answer))))
        case nodes.MockRandom(label, branch):
            _force(stage, Chance(said(branch), said(label)))
        case nodes.SetContact(data):
            stage.change(stage.values(data))
        case nodes.Unsubscribed():
            happenings.set_subscribed(stage.world, stage.person, subscribed=False)
        case nodes.Subscribed():
            happenings.set_subscribed(stage.world, stage.person, subscribed=True)
        case nodes.Broken():
            raise BadRequest("this line cannot be read")
        case _:
            return check(stage, item)
    return None


def _track(stage: Stage, name: str, data: dict[str, Any] | None) -> None:
    """Let something happen; its data becomes the contact's, but for what the test has said."""
    person = stage.person
    merged = {key: value for key, value in (data or {}).items() if key not in stage.said_keys}
    happenings.track(stage.world, person, name, data, merged=merged)


def _put_under_test(stage: Stage, name: str) -> None:
    if name not in stage.catalogue.flows:
        raise BadRequest(f"the bundle has no workflow {name!r}")
    stage.flow = stage.catalogue.flows[name]


def _advance(stage: Stage, length: timedelta) -> None:
    _ = stage.person  # who is there from the beginning
    happenings.pass_time(stage.world, stage.world.now + length)


def _force(stage: Stage, chance: Chance) -> None:
    """Force splits; one that has no such way, or no split at all, is a mistake."""
    splits = [split for flow in stage.catalogue.flows.values() for split in _splits(flow.graph)]
    meant = [split for label, split in splits if chance.label in {None, label}]
    if not meant:
        where = f" @{chance.label}" if chance.label else ""
        raise BadRequest(f"there is no split{where}")
    if all(branch_of(split, chance.branch) is None for split in meant):
        raise BadRequest(f"no split has a way {chance.branch!r}")
    stage.world.mocks.chances.append(chance)
    stage.world.shared.clear()


def _splits(graph: Graph) -> list[tuple[str, Split]]:
    return [
        (step.label or step.id, step.action)
        for step in graph.steps.values()
        if isinstance(step.action, Split)
    ]
