"""Random workflows and random signals: what holds for every run."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from plunk.engine.core.advance import STEP_BUDGET, advance
from plunk.engine.core.graph import Graph
from plunk.engine.core.relocate import relocate
from plunk.engine.core.retiming import retime
from plunk.engine.core.run import TERMINAL, AwaitedCall, AwaitedCondition, AwaitedEvent, Run
from plunk.engine.core.signals import (
    CallReturned,
    Entered,
    EventArrived,
    Looked,
    Signal,
    TimerFired,
)

Make = Callable[..., Any]
NAMES = ["start", "a", "b", "c", "d", "e"]
SCALARS = st.none() | st.booleans() | st.integers(-3, 3) | st.sampled_from(["", "x", "5"])
JSON = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=2)
        | st.dictionaries(st.sampled_from(["n", "x", "$expr", "value"]), inner, max_size=2)
    ),
    max_leaves=4,
)
EXPRESSION = st.sampled_from(
    [["get", "n"], ["+", ["get", "event", "n"], 1], ["call", "lower", ["get", "x"]], ["??"]]
).map(lambda expression: {"$expr": expression})
KEYS = st.sampled_from(
    ["x", "n", "contact.email", "event.n", "run.id", "now", "hook.ok", "..", "data"]
)
OPERATORS = st.sampled_from(["equals", "greaterThan", "exists", "contains", "within", "like"])


def record(**values: st.SearchStrategy[object]) -> st.SearchStrategy[dict[str, object]]:
    return st.fixed_dictionaries({}, optional=values)


TEST = record(field=KEYS, operator=OPERATORS, value=JSON | EXPRESSION, unit=st.just("days"))
TREE = st.builds(lambda item: {"logic": "OR", "groups": [{"filters": [item]}]}, TEST)
BRANCH = record(id=st.sampled_from(["yes", "no"]), operator=OPERATORS, value=JSON)
TIME = st.sampled_from(["2026-03-09", "2026-02-01T10:00", "9999-12-31", "soon"]) | EXPRESSION
UNTIL = record(
    time=TIME,
    offset=record(amount=st.integers(-9, 9), unit=st.just("days")),
    whenPast=st.just("exit"),
) | record(timeOfDay=st.just("09:00"), days=st.just(["monday"]))


def held(field: str, operator: str, value: object) -> dict[str, object]:
    test = {"field": field, "operator": operator, "value": value}
    return {"logic": "AND", "groups": [{"filters": [test]}]}


WATCH = st.sampled_from(
    [
        {"eventName": "paid", "where": held("event.n", "exists", None)},
        {"eventName": "email.opened"},
        {"condition": held("n", "equals", {"$expr": ["+", ["get", "x"], 1]})},
        {"condition": held("x", "exists", None)},
    ]
)
GOALS = st.tuples(WATCH, st.booleans()).map(
    lambda pair: [{"name": "g", **pair[0], "exit": pair[1]}]
)
QUIET = st.none() | st.just({"from": "21:00", "to": "20:00"})
HEADERS = record(stops=st.lists(WATCH, max_size=1), goals=GOALS, quietHours=QUIET)
CONFIGS = {
    "TRIGGER": record(eventName=JSON),
    "SEND_EMAIL": record(
        templateId=st.sampled_from(["tpl", "gone"]),
        recipient=record(type=st.sampled_from(["CUSTOM", "CONTACT"]), customEmail=EXPRESSION),
        overrides=record(subject=JSON | EXPRESSION),
    ),
    "DELAY": record(amount=st.floats() | st.integers(0, 2), unit=st.sampled_from(["days", "x"]))
    | record(until=UNTIL),
    "WAIT_FOR_EVENT": record(
        eventName=st.sampled_from(["paid", "email.opened"]), timeout=JSON, where=TREE
    )
    | record(condition=TREE, timeout=st.integers(1, 9_999)),
    "SPLIT": record(
        branches=st.lists(record(id=st.sampled_from(["yes", "no"]), weight=st.just(9)))
    ),
    "TRACK": record(eventName=st.sampled_from(["paid", "email.open"]), data=JSON),
    "SEGMENT": record(
        action=st.sampled_from(["add", "remove"]), segmentId=st.sampled_from(["vip", "pros", "x"])
    ),
    "CONDITION": TEST
    | record(mode=st.just("multi"), field=KEYS, branches=st.lists(BRANCH, max_size=3))
    | record(mode=st.just("expression"), condition=TREE),
    "WEBHOOK": record(
        url=st.just("https://example.org"),
        headers=JSON,
        body=JSON | EXPRESSION,
        **{"as": st.just("hook")},
    ),
    "UPDATE_CONTACT": record(
        updates=st.dictionaries(st.sampled_from(["x", "n", "id"]), JSON | EXPRESSION),
        subscriptionAction=st.sampled_from(["subscribe", "unsubscribe", "none"]),
    ),
    "EXIT": record(reason=JSON),
    "MAGIC": JSON,
}
STEP = st.sampled_from(sorted(CONFIGS)).flatmap(
    lambda type_: st.tuples(st.just(type_), CONFIGS[type_] if type_ != "MAGIC" else st.just({}))
)
CONDITION = st.sampled_from(
    [None, None, {"branch": "yes"}, {"branch": "no"}, {"fallback": True}, {"branch": ["x"]}, {}]
)
EXTRAS = st.fixed_dictionaries(
    {
        "condition": CONDITION,
        "priority": st.integers(-1, 1),
        "waitOutcome": st.sampled_from([None, None, "EVENT", "TIMEOUT"]),
    }
)
EDGES = st.lists(
    st.tuples(st.sampled_from(NAMES), st.sampled_from([*NAMES, "ghost"]), EXTRAS), max_size=9
)
STEPS = st.tuples(*[STEP] * 5).map(lambda steps: dict(zip(NAMES[1:], steps, strict=True)))
EVENTS = st.tuples(st.sampled_from(["paid", "email.open"]), st.dictionaries(KEYS, JSON) | st.none())
MOVES = st.lists(
    st.just("enter")
    | st.just("timer")
    | st.just("look")
    | st.integers(1, 400)
    | EVENTS
    | st.tuples(st.integers(1, 9), JSON, st.sampled_from([None, "refused"])),
    min_size=1,
    max_size=12,
)


def signal_of(bench: Any, move: Any) -> Signal:
    match move:
        case "enter":
            return Entered()
        case "look":
            return Looked()
        case int() as hours:
            bench.now += timedelta(hours=hours)
        case (str() as name, data):
            return EventArrived("ev", name, data, bench.now)
        case (int() as call, body, error):
            return CallReturned(call, 200, body, error)
    return TimerFired()


def check(before: Run, after: Run, is_changed: bool) -> None:  # noqa: FBT001 -- the third fact
    assert after.version == before.version + is_changed
    assert (after.status in TERMINAL) == (after.completed_at is not None)
    if after.is_over:
        assert (after.due_at, after.awaiting) == (None, None)
        return
    match after.awaiting:  # I9: what stands still has a time or an event
        case AwaitedEvent(deadline=deadline):
            assert (after.status, after.due_at) == ("WAITING", deadline)
        case AwaitedCondition(deadline=deadline):
            assert after.status == "WAITING"
            assert after.due_at is not None
            assert deadline is None or after.due_at <= deadline
        case AwaitedCall(call, deadline):
            assert (after.status, call, after.due_at) == ("RUNNING", after.visit, deadline)
        case None if is_changed:
            assert after.status == "WAITING"
            assert after.due_at is not None


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(STEPS, EDGES, st.dictionaries(KEYS, JSON), MOVES, HEADERS)
def test_any_run(bench: Make, steps: Any, edges: Any, data: Any, moves: Any, headers: Any) -> None:
    b = bench(steps, [("start", "a", {}), *edges], data=data, headers=headers)
    for move in ["enter", *moves]:
        before = b.run
        progress = b.send(signal_of(b, move))
        new = [visit.number for visit in progress.visits if visit.is_new]
        old = [visit.number for visit in progress.visits if not visit.is_new]
        assert new == list(range(before.visit + 1, b.run.visit + 1))
        assert old in ([], [before.visit])
        assert len(new) <= STEP_BUDGET + 1
        check(before, b.run, b.run is not before)
        if before.is_over:
            assert b.run is before
            assert progress.visits == ()


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(STEPS, EDGES, MOVES, st.sets(st.sampled_from(NAMES)))
def test_any_relocation(bench: Make, steps: Any, edges: Any, moves: Any, gone: Any) -> None:
    b = bench(steps, [("start", "a", {}), *edges])
    for move in moves:
        b.send(signal_of(b, move))
    kept = {name: step for name, step in b.graph.steps.items() if name not in gone}
    new: Graph = replace(b.graph, revision=2, steps=kept)
    run, visits = relocate(b.graph, new, b.run, b.now)
    assert run.step_id is None or run.step_id in kept or b.run.is_over
    assert all(visit.number == b.run.visit for visit in visits)
    assert (run is b.run) == b.run.is_over


START = [("start", "a", {})]
PAUSE = st.sampled_from(["DELAY", "WAIT_FOR_EVENT"]).flatmap(
    lambda type_: st.tuples(st.just(type_), CONFIGS[type_], CONFIGS[type_])
)
PAUSES = st.tuples(*[PAUSE] * 5).map(lambda steps: dict(zip(NAMES[1:], steps, strict=True)))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(PAUSES, EDGES, MOVES, st.integers(0, 400))
def test_any_edit_under_a_run(
    bench: Make, graph: Make, pauses: Any, edges: Any, moves: Any, hours: int
) -> None:
    b = bench({name: (type_, old) for name, (type_, old, _) in pauses.items()}, [*START, *edges])
    for move in moves:
        b.send(signal_of(b, move))
    steps = {name: (type_, new) for name, (type_, _, new) in pauses.items()}
    new: Graph = graph({"start": ("TRIGGER", {}), **steps}, [*START, *edges], revision=2)
    now = b.now + timedelta(hours=hours)
    moved, _ = relocate(b.graph, new, b.run, now)
    run = retime(b.graph, new, moved, b.facts, b.now, now)
    if run.is_over:
        check(moved, run, run is not moved)
        return
    assert (run.step_id, run.status) == (b.run.step_id, b.run.status)
    after = advance(new, run, TimerFired(), b.facts, now).run
    check(run, after if after is not run else run.wait_again(now), True)
