"""Waits that were edited under the runs that stand in them: a table."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from plunk.engine.core.advance import advance
from plunk.engine.core.graph import Graph
from plunk.engine.core.relocate import relocate
from plunk.engine.core.retiming import retime
from plunk.engine.core.run import AwaitedCondition, AwaitedEvent, Run
from plunk.engine.core.signals import TimerFired
from tests.engine.core.conftest import NOON, Bench

Make = Callable[..., Any]
Config = Mapping[str, object]
END = ("EXIT", {"reason": "end"})
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def hours(amount: float) -> Config:
    return {"amount": amount, "unit": "hours"}


def until(time: str, **more: object) -> Config:
    return {"until": {"time": time, **more}}


def clock(time: str) -> Config:
    return {"until": {"timeOfDay": time}}


def equals(field: str, value: object) -> Config:
    test = {"field": field, "operator": "equals", "value": value}
    return {"logic": "AND", "groups": [{"filters": [test]}]}


def moved(b: Bench, new: Graph, now: datetime) -> Run:
    """Return the run as it stands in the new revision; it came to its wait at NOON."""
    run, _ = relocate(b.graph, new, b.run, now)
    return retime(b.graph, new, run, b.facts, NOON, now)


def parked(bench: Make, type_: str, config: Config) -> Bench:
    b: Bench = bench({"a": (type_, config), "d": END})
    b.enter()
    assert (b.run.step_id, b.run.status) == ("a", "WAITING")
    return b


def revised(graph: Make, type_: str, config: Config) -> Graph:
    made: Graph = graph({"start": ("TRIGGER", {}), "a": (type_, config), "d": END}, revision=2)
    return made


@pytest.mark.parametrize(
    ("old", "new", "due"),
    [
        (hours(24), hours(24), 24 * HOUR),
        (hours(24), hours(48), 48 * HOUR),
        (hours(24), hours(12), 12 * HOUR),
        (hours(24), hours(2), 2 * HOUR),  # over by then
        (hours(24), hours(0.5), HOUR / 2),
        (hours(24), {"amount": 1, "unit": "days"}, 24 * HOUR),
        (hours(24), until("2026-03-05T00:00:00Z"), 84 * HOUR),
        (hours(24), until("2026-03-01T15:00:00Z"), 3 * HOUR),
        (hours(24), until("2026-02-01"), 6 * HOUR),  # past: now
        (hours(24), until("not a time"), 24 * HOUR),  # no new time: the old one
        (hours(24), clock("17:00"), 5 * HOUR),
        (hours(24), clock("12:00"), 24 * HOUR),  # strictly later than when it came
        (until("2026-03-05T00:00:00Z"), until("2026-03-02T12:00:00Z"), 24 * HOUR),
        (until("2026-03-05T00:00:00Z"), hours(3), 3 * HOUR),
        (clock("09:00"), clock("13:00"), HOUR),
        (clock("09:00"), hours(1), HOUR),
    ],
)
def test_a_delay_counts_from_when_it_began(
    bench: Make, graph: Make, old: Config, new: Config, due: timedelta
) -> None:
    b = parked(bench, "DELAY", old)
    now = NOON + 6 * HOUR
    run = moved(b, revised(graph, "DELAY", new), now)
    assert (run.status, run.step_id, run.awaiting) == ("WAITING", "a", None)
    assert run.due_at == NOON + due
    assert (run.revision, run.version) == (2, b.run.version + 1)


def test_a_second_edit_counts_from_the_same_beginning(bench: Make, graph: Make) -> None:
    b = parked(bench, "DELAY", hours(24))
    b.run = moved(b, revised(graph, "DELAY", hours(48)), NOON + HOUR)
    b.graph = revised(graph, "DELAY", hours(48))
    b.run = moved(b, replace(revised(graph, "DELAY", hours(30)), revision=3), NOON + 2 * HOUR)
    assert b.run.due_at == NOON + 30 * HOUR


@pytest.mark.parametrize(
    ("new", "expected"),
    [
        (hours(12), ("WAITING", "a")),
        (hours(6), ("COMPLETED", None)),
        (hours(1), ("COMPLETED", None)),
        (until("2026-02-01"), ("COMPLETED", None)),
    ],
)
def test_who_is_woken_goes_on_only_when_the_new_time_is_over(
    bench: Make, graph: Make, new: Config, expected: tuple[str, str | None]
) -> None:
    b = parked(bench, "DELAY", hours(24))
    changed, now = revised(graph, "DELAY", new), NOON + 6 * HOUR
    progress = advance(changed, moved(b, changed, now), TimerFired(), b.facts, now)
    assert (progress.run.status, progress.run.step_id) == expected
    assert progress.run.exit_reason == ("end" if expected[1] is None else None)


def test_a_delay_that_leaves_when_past_ends_the_run(bench: Make, graph: Make) -> None:
    b = parked(bench, "DELAY", hours(24))
    changed = revised(graph, "DELAY", until("2026-02-01", whenPast="exit"))
    run = moved(b, changed, NOON + HOUR)
    assert (run.status, run.exit_reason, run.completed_at) == (
        "COMPLETED",
        "time_past",
        NOON + HOUR,
    )


WAIT = {"eventName": "paid", "timeout": 86_400}


@pytest.mark.parametrize(
    ("new", "awaited"),
    [
        (WAIT, AwaitedEvent("paid", None, NOON + DAY)),
        ({"eventName": "paid", "timeout": 3_600}, AwaitedEvent("paid", None, NOON + HOUR)),
        ({"eventName": "paid"}, AwaitedEvent("paid")),
        ({"eventName": "left", "timeout": 172_800}, AwaitedEvent("left", None, NOON + 2 * DAY)),
    ],
)
def test_a_wait_is_for_what_it_says_now(
    bench: Make, graph: Make, new: Config, awaited: AwaitedEvent
) -> None:
    b = parked(bench, "WAIT_FOR_EVENT", WAIT)
    run = moved(b, revised(graph, "WAIT_FOR_EVENT", new), NOON + 2 * HOUR)
    assert (run.awaiting, run.due_at) == (awaited, awaited.deadline)


def test_a_wait_for_an_event_becomes_one_for_a_condition(bench: Make, graph: Make) -> None:
    b = parked(bench, "WAIT_FOR_EVENT", WAIT)
    config = {"condition": equals("contact.data.paid", value=True), "timeout": 7_200}
    changed = revised(graph, "WAIT_FOR_EVENT", config)
    run = moved(b, changed, NOON + HOUR)
    assert isinstance(run.awaiting, AwaitedCondition)
    assert (run.awaiting.deadline, run.due_at) == (NOON + 2 * HOUR, NOON + HOUR)
    b.graph, b.run, b.now = changed, run, NOON + HOUR
    b.wake()
    assert b.run.step_id == "a"
    b.know(paid=True)
    b.wake()
    assert b.run.exit_reason == "end"


def test_who_is_only_held_before_a_step_stays_so(bench: Make, graph: Make) -> None:
    b: Bench = bench({"a": ("EXIT", {"reason": "x"})})
    b.run = b.run.park("a", 1, NOON + DAY)
    changed = graph({"start": ("TRIGGER", {}), "a": ("EXIT", {"reason": "y"})}, revision=2)
    assert moved(b, changed, NOON + HOUR).due_at == NOON + DAY
