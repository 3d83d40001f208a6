"""Rules of the whole run: what is over, what is disabled, what loops, what survives an edit."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

import pytest

from plunk.engine.core.advance import STEP_BUDGET
from plunk.engine.core.graph import Graph
from plunk.engine.core.relocate import relocate
from plunk.engine.core.signals import CallReturned, Entered, EventArrived, Signal, TimerFired

Make = Callable[..., Any]
Config = Mapping[str, Any]
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
MAIL = ("SEND_EMAIL", {"templateId": "tpl"})
DAY = ("DELAY", {"amount": 1, "unit": "days"})
WAIT = ("WAIT_FOR_EVENT", {"eventName": "paid", "timeout": 60})
END = ("EXIT", {})
SIGNALS = [
    Entered(),
    TimerFired(),
    EventArrived("ev", "paid", {}, NOON),
    CallReturned(2, 200),
]


@pytest.mark.parametrize("signal", SIGNALS)
@pytest.mark.parametrize("end", ["finish", "fail", "cancel"])
def test_what_has_ended_never_moves_again(bench: Make, signal: Signal, end: str) -> None:
    b = bench({"wait": WAIT, "mail": MAIL})
    b.enter()
    ends = {
        "finish": b.run.finish(NOON),
        "fail": b.run.fail(NOON, step_id="wait"),
        "cancel": b.run.cancel("by hand", NOON),
    }
    b.run = before = ends[end]
    progress = b.send(signal)
    assert progress.run is before
    assert progress.visits == ()


def test_a_cancelled_run_stays_where_it_was(bench: Make) -> None:
    b = bench({"wait": WAIT})
    b.enter()
    run = b.run.cancel("by hand", NOON)
    assert (run.status, run.step_id, run.exit_reason) == ("CANCELLED", "wait", "by hand")
    assert (run.due_at, run.awaiting, run.completed_at, run.version) == (None, None, NOON, 2)


def test_a_disabled_project_cancels_before_the_next_step(bench: Make) -> None:
    b = bench({"mail": MAIL}, project_disabled=True)
    b.enter()
    assert (b.run.status, b.run.exit_reason) == ("CANCELLED", "Project disabled")
    assert b.rows == {}


def test_a_project_disabled_during_a_wait_still_records_the_event(bench: Make) -> None:
    b = bench({"wait": WAIT, "mail": MAIL})
    b.enter()
    b.facts = b.facts.__class__(b.facts.contact, b.facts.templates, project_disabled=True)
    b.event("paid")
    assert (b.run.status, b.run.step_id) == ("CANCELLED", "mail")
    assert (b.last.step_id, b.last.status) == ("wait", "COMPLETED")


def test_a_loop_without_a_wait_fails_at_the_budget(bench: Make) -> None:
    steps = {"a": ("UPDATE_CONTACT", {"data": {"x": 1}})}
    b = bench(steps, [("start", "a"), ("a", "a")])
    b.enter()
    assert b.run.status == "FAILED"
    assert len(b.rows) == STEP_BUDGET + 1
    assert b.last.error == "1,000 steps without a wait"


def test_a_loop_with_a_wait_goes_round_once_per_wait(bench: Make) -> None:
    b = bench({"day": DAY, "mail": MAIL}, [("start", "day"), ("day", "mail"), ("mail", "day")])
    b.enter()
    for _ in range(3):
        b.wake(days=1)
    assert b.path == ["start", "day", "mail", "day", "mail", "day", "mail", "day"]
    assert list(b.rows) == list(range(1, 9))


def test_a_step_that_is_not_there_fails_the_run(bench: Make) -> None:
    b = bench({}, [("start", "ghost")])
    b.enter()
    assert (b.run.status, b.last.error) == ("FAILED", "the step no longer exists")


YES, NO, OTHER = {"branch": "yes"}, {"branch": "no"}, {"branch": "other"}
TIMEOUT, FALLBACK, EVENT = {"branch": "timeout"}, {"fallback": True}, {"branch": "event"}


def ways(*extras: Config) -> list[tuple[object, ...]]:
    return [("start", "if"), *(("if", f"to{at}", extra) for at, extra in enumerate(extras))]


def outs(count: int) -> Config:
    return {f"to{at}": END for at in range(count)}


@pytest.mark.parametrize(
    ("extras", "target"),
    [
        ([], None),
        ([{}], 0),
        ([{"condition": NO}], None),
        ([{"condition": OTHER}, {"condition": YES}], 1),
        ([{"condition": YES}, {}], 0),
        ([{}, {"condition": YES}], 0),
        ([{"condition": YES, "priority": 1}, {"priority": 0}], 1),
        ([{"condition": {"branch": ["yes"]}}], None),
        ([{"condition": {}}], None),
        ([{"priority": 2}, {"priority": -1}, {"priority": -1}], 1),
    ],
)
def test_ways_out_of_a_condition(bench: Make, extras: list[Config], target: int | None) -> None:
    step = ("CONDITION", {"field": "x", "operator": "notExists"})
    b = bench({"if": step, **outs(len(extras))}, ways(*extras))
    b.enter()
    assert b.path == ["start", "if", *([] if target is None else [f"to{target}"])]
    assert b.run.status == "COMPLETED"


@pytest.mark.parametrize(
    ("extras", "on_event", "on_timeout"),
    [
        ([], None, None),
        ([{}], 0, 0),
        ([{"waitOutcome": "EVENT"}, {"waitOutcome": "TIMEOUT"}], 0, 1),
        ([{"waitOutcome": "TIMEOUT"}, {"waitOutcome": "EVENT"}], 1, 0),
        ([{"waitOutcome": "TIMEOUT"}], None, 0),
        ([{"waitOutcome": "EVENT"}], 0, None),
        ([{"waitOutcome": "TIMEOUT"}, {}], 1, 0),
        ([{}, {"waitOutcome": "TIMEOUT"}], 0, 1),
        ([{}, {"condition": TIMEOUT}], 0, 1),
        ([{}, {"condition": FALLBACK}], 0, 1),
        ([{"condition": EVENT}, {"condition": TIMEOUT}], 0, 1),
        ([{"condition": YES}, {"condition": NO}], 0, 1),
        ([{"condition": OTHER}], None, None),
        ([{}, {"condition": EVENT}], 1, 0),
    ],
)
def test_ways_out_of_a_wait(
    bench: Make, extras: list[Config], on_event: int | None, on_timeout: int | None
) -> None:
    def reached(wake: Callable[[Any], object]) -> list[str]:
        b = bench({"if": WAIT, **outs(len(extras))}, ways(*extras))
        b.enter()
        wake(b)
        assert b.run.status == "COMPLETED"
        return b.path[2:]

    assert reached(lambda b: b.event("paid")) == ([] if on_event is None else [f"to{on_event}"])
    timed_out = [] if on_timeout is None else [f"to{on_timeout}"]
    assert reached(lambda b: b.wake(seconds=60)) == timed_out


def test_a_graph_reads_back_what_it_wrote(graph: Make) -> None:
    g = graph({"start": ("TRIGGER", {}), "wait": WAIT}, [("start", "wait", {"condition": YES})])
    assert Graph.from_json(g.to_json()) == g


def test_a_graph_knows_its_templates(graph: Make) -> None:
    assert graph({"start": ("TRIGGER", {}), "mail": MAIL}).template_ids == {"tpl"}


FULL = {"start": ("TRIGGER", {}), "a": DAY, "b": WAIT, "c": DAY, "d": END}


def without(*names: str) -> Config:
    return {name: step for name, step in FULL.items() if name not in names}


@pytest.mark.parametrize(
    ("gone", "expected"),
    [
        ((), ("b", "WAITING")),
        (("a",), ("b", "WAITING")),
        (("b",), ("c", "RUNNING")),
        (("b", "c"), ("d", "RUNNING")),
        (("b", "c", "d"), (None, "COMPLETED")),
    ],
)
def test_a_parked_run_follows_the_new_revision(
    bench: Make, graph: Make, gone: tuple[str, ...], expected: tuple[str | None, str]
) -> None:
    b = bench({name: step for name, step in FULL.items() if name != "start"})
    b.enter()
    b.wake(days=1)
    assert b.run.step_id == "b"
    new = graph(without(*gone), revision=2)
    run, visits = relocate(b.graph, new, b.run, NOON)
    assert (run.step_id, run.status) == expected
    assert (run.revision, run.version) == (2, b.run.version + 1)
    is_closed = "b" in gone
    assert [(visit.number, visit.status) for visit in visits] == [(3, "SKIPPED")] * is_closed
    assert (run.awaiting is None) is is_closed
    if expected[1] == "RUNNING":
        assert run.due_at == NOON


def test_a_step_that_changed_its_type_is_entered_anew(bench: Make, graph: Make) -> None:
    b = bench({"a": WAIT})
    b.enter()
    new = graph({"start": ("TRIGGER", {}), "a": MAIL}, revision=2)
    b.run, _ = relocate(b.graph, new, b.run, NOON)
    b.graph = new
    b.enter()
    assert (b.run.status, b.last.number, b.last.step_id) == ("COMPLETED", 3, "a")


def test_an_ended_run_is_not_relocated(bench: Make, graph: Make) -> None:
    b = bench({})
    b.enter()
    new = graph({"start": ("TRIGGER", {})}, revision=2)
    assert relocate(b.graph, new, b.run, NOON) == (b.run, ())
