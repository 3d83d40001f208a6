"""The steps that only `.flow` texts can write, in every situation, on the pure core."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from plunk.conditions.nodes import Events, Membership
from plunk.engine.core.effects import ChangeMembership, TrackEvent
from plunk.engine.core.facts import World
from plunk.engine.core.run import AwaitedCondition

Make = Callable[..., Any]
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)  # a Sunday
BRUSSELS = {"timezone": {"field": None, "default": "Europe/Brussels"}}
OWN_ZONE = {"timezone": {"field": {"$expr": ["get", "contact", "data", "tz"]}, "default": "UTC"}}
END = ("EXIT", {"reason": "end"})


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def expr(*parts: object) -> Mapping[str, object]:
    return {"$expr": list(parts)}


def when(field: str, operator: str, value: object) -> dict[str, object]:
    test = {"field": field, "operator": operator, "value": value}
    return {"logic": "AND", "groups": [{"filters": [test]}]}


GOLD = when("data.plan", "equals", "gold")


@pytest.mark.parametrize(
    ("until", "headers", "due"),
    [
        ({"time": "2026-03-05T10:00:00Z"}, {}, "2026-03-05T10:00"),
        ({"time": "2026-03-05"}, {}, "2026-03-05T00:00"),
        ({"time": "2026-03-05"}, BRUSSELS, "2026-03-04T23:00"),
        ({"time": "2026-03-05"}, OWN_ZONE, "2026-03-05T05:00"),
        (
            {"time": "2026-04-01", "offset": {"amount": -3, "unit": "days"}},
            BRUSSELS,
            "2026-03-28T23:00",
        ),
        ({"time": expr("get", "contact", "data", "renewal")}, {}, "2026-05-01T00:00"),
        ({"time": expr("+", ["get", "now"], ["duration", 3, "days"])}, {}, "2026-03-04T12:00"),
        ({"time": expr("date", 1_772_366_460)}, {}, "2026-03-01T12:01"),
        ({"timeOfDay": "13:00"}, {}, "2026-03-01T13:00"),
        ({"timeOfDay": "12:00"}, {}, "2026-03-02T12:00"),
        ({"timeOfDay": "09:00"}, BRUSSELS, "2026-03-02T08:00"),
        ({"timeOfDay": "09:00"}, OWN_ZONE, "2026-03-01T14:00"),
        ({"timeOfDay": "09:00", "days": ["friday", "monday"]}, {}, "2026-03-02T09:00"),
        ({"timeOfDay": "09:00", "days": ["saturday"]}, BRUSSELS, "2026-03-07T08:00"),
        ({"timeOfDay": "13:00", "days": ["weekdays"]}, {}, "2026-03-02T13:00"),
        ({"timeOfDay": "11:00", "days": ["weekends", "friday"]}, {}, "2026-03-06T11:00"),
    ],
)
def test_a_delay_until_a_time(bench: Make, until: Any, headers: Any, due: str) -> None:
    data = {"renewal": "2026-05-01", "tz": "America/New_York"}
    b = bench({"wait": ("DELAY", {"until": until}), "end": END}, data=data, headers=headers)
    b.enter()
    assert (b.run.status, b.run.step_id, b.run.due_at) == ("WAITING", "wait", at(due))
    assert b.last.status == "COMPLETED"
    assert datetime.fromisoformat(b.last.output["resumeAt"]) == at(due)
    b.now = at(due)
    b.wake()
    assert (b.run.status, b.run.exit_reason) == ("COMPLETED", "end")


@pytest.mark.parametrize(
    ("until", "reason"),
    [
        ({"time": "2026-03-01T12:00:00Z"}, "end"),
        ({"time": "2020-01-01"}, "end"),
        ({"time": "2026-03-03", "offset": {"amount": -1, "unit": "weeks"}}, "end"),
        ({"time": "2020-01-01", "whenPast": "exit"}, "time_past"),
    ],
)
def test_a_time_that_is_past_delays_nobody(bench: Make, until: Any, reason: str) -> None:
    b = bench({"wait": ("DELAY", {"until": until}), "end": END})
    b.enter()
    assert (b.run.status, b.run.exit_reason) == ("COMPLETED", reason)


@pytest.mark.parametrize("headers", [{}, {"timezone": {"field": None, "default": None}}])
def test_the_projects_zone_is_the_last_resort(bench: Make, headers: Any) -> None:
    world = World(zone="Asia/Tokyo")
    b = bench({"wait": ("DELAY", {"until": {"time": "2026-03-05"}})}, headers=headers, world=world)
    b.enter()
    assert b.run.due_at == at("2026-03-04T15:00")


@pytest.mark.parametrize("zone", ["Mars/Base", 7, None])
def test_an_unknown_zone_means_the_default(bench: Make, zone: object) -> None:
    until = {"timeOfDay": "13:00"}
    b = bench({"wait": ("DELAY", {"until": until})}, data={"tz": zone}, headers=OWN_ZONE)
    b.enter()
    assert b.run.due_at == at("2026-03-01T13:00")


def test_a_loop_around_a_time_of_day_turns_once_a_day(bench: Make) -> None:
    steps = {
        "nine": ("DELAY", {"until": {"timeOfDay": "09:00"}}),
        "ping": ("TRACK", {"eventName": "p"}),
    }
    b = bench(steps, [("start", "nine"), ("nine", "ping"), ("ping", "nine")])
    b.enter()
    for day in (2, 3, 4):
        b.now = b.run.due_at
        assert b.now == at(f"2026-03-0{day}T09:00")
        b.wake(seconds=30)
    assert len(b.effects) == 3


@pytest.mark.parametrize(
    ("type_", "config", "problem"),
    [
        ("DELAY", {"until": "tomorrow"}, "until must be an object"),
        ("DELAY", {"until": {}}, "until.time must be an ISO date"),
        ("DELAY", {"until": {"time": "soon"}}, "until.time must be an ISO date"),
        ("DELAY", {"until": {"time": expr("get", "data", "x")}}, "null is not a time"),
        ("DELAY", {"until": {"time": "2026-03-05", "whenPast": "fail"}}, "whenPast must be exit"),
        ("DELAY", {"until": {"time": "2026-03-05", "offset": 3}}, "offset must be an object"),
        (
            "DELAY",
            {"until": {"time": "2026-03-05", "offset": {"amount": 1}}},
            "unit must be one of",
        ),
        (
            "DELAY",
            {"until": {"time": "2026-03-05", "offset": {"amount": 1e9, "unit": "days"}}},
            "at most 365 days",
        ),
        ("DELAY", {"until": {"timeOfDay": "9:00"}}, "written HH:MM"),
        ("DELAY", {"until": {"timeOfDay": "24:00"}}, "written HH:MM"),
        ("DELAY", {"until": {"timeOfDay": "0900Z"}}, "written HH:MM"),
        ("DELAY", {"until": {"timeOfDay": "09:00", "days": []}}, "until.days must list"),
        ("DELAY", {"until": {"timeOfDay": "09:00", "days": ["Monday"]}}, "until.days must list"),
        ("DELAY", {"until": {"timeOfDay": "09:00", "days": [["monday"]]}}, "until.days must list"),
        ("WAIT_FOR_EVENT", {"condition": {"logic": "AND"}}, "condition needs logic"),
        ("WAIT_FOR_EVENT", {"condition": GOLD, "timeout": 0}, "timeout must be above 0"),
        ("WAIT_FOR_EVENT", {}, "eventName is required"),
        ("SPLIT", {}, "branches must be an array"),
        ("SPLIT", {"branches": [{"id": "a"}]}, "branches[0].weight must be a number"),
        ("SPLIT", {"branches": [{"id": "a", "weight": 0}]}, "weight must be above 0"),
        ("SPLIT", {"branches": [{"id": "a", "weight": 50}] * 2}, "different ids"),
        (
            "SPLIT",
            {"branches": [{"id": "a", "weight": 60}, {"id": "b", "weight": 41}]},
            "at most 100",
        ),
        ("TRACK", {}, "eventName is required"),
        ("TRACK", {"eventName": "x" * 256}, "at most 255 characters"),
        ("TRACK", {"eventName": "email.open"}, "email.open is reserved"),
        ("TRACK", {"eventName": "segment.vip.entry"}, "is reserved"),
        ("TRACK", {"eventName": "x", "data": [1]}, "data must be an object"),
        ("TRACK", {"eventName": "x", "data": {"n": expr("/", 1, 0)}}, "division by zero"),
        ("TRACK", {"eventName": "x", "data": {"n": expr("secret", "S")}}, "secret() may only"),
        ("SEGMENT", {"action": "add"}, "segmentId is required"),
        ("SEGMENT", {"segmentId": "vip"}, "action must be add or remove"),
        ("SEGMENT", {"segmentId": "gone", "action": "add"}, "Segment gone not found"),
        ("SEGMENT", {"segmentId": "pros", "action": "add"}, "dynamic segment"),
    ],
)
def test_what_cannot_be_carried_out_fails_its_step(
    bench: Make, type_: str, config: Any, problem: str
) -> None:
    b = bench({"it": (type_, config), "end": END})
    b.enter()
    assert (b.run.status, b.run.step_id) == ("FAILED", "it")
    assert problem in b.last.error


WAIT_EDGES = [
    ("start", "wait"),
    ("wait", "yes", {"waitOutcome": "EVENT"}),
    ("wait", "no", {"waitOutcome": "TIMEOUT"}),
]


def waiting(bench: Make, condition: Any = GOLD, **more: Any) -> Any:
    steps = {
        "wait": ("WAIT_FOR_EVENT", {"condition": condition, "timeout": 3_600}),
        "yes": ("EXIT", {"reason": "yes"}),
        "no": ("EXIT", {"reason": "no"}),
    }
    b = bench(steps, WAIT_EDGES, **more)
    b.enter()
    return b


def test_a_condition_that_holds_already_is_not_waited_for(bench: Make) -> None:
    b = waiting(bench, data={"plan": "gold"})
    assert (b.run.status, b.run.exit_reason) == ("COMPLETED", "yes")
    assert b.rows[2].output == {"conditionMet": True, "metAt": "2026-03-01T12:00:00.000Z"}


def test_a_condition_is_looked_at_again_every_quarter_of_an_hour(bench: Make) -> None:
    b = waiting(bench)
    assert isinstance(b.run.awaiting, AwaitedCondition)
    assert (b.run.status, b.run.due_at) == ("WAITING", at("2026-03-01T12:15"))
    assert (b.last.status, b.last.execute_after) == ("WAITING", at("2026-03-01T13:00"))
    version = b.run.version
    b.wake(minutes=15)
    assert (b.run.due_at, b.run.version) == (at("2026-03-01T12:30"), version + 1)
    b.know(plan="gold")
    b.wake(minutes=15)
    assert (b.run.status, b.run.exit_reason) == ("COMPLETED", "yes")
    assert b.rows[2].output == {"conditionMet": True, "metAt": "2026-03-01T12:30:00.000Z"}


@pytest.mark.parametrize("how", ["look", "event"])
def test_a_condition_is_looked_at_when_something_happens(bench: Make, how: str) -> None:
    b = waiting(bench)
    b.know(plan="gold")
    b.look(minutes=1) if how == "look" else b.event("anything")
    assert b.run.exit_reason == "yes"


def test_a_wait_for_a_condition_has_an_end(bench: Make) -> None:
    b = waiting(bench)
    b.wake(minutes=50)
    assert b.run.due_at == at("2026-03-01T13:00")
    b.look(minutes=5)
    assert b.run.due_at == at("2026-03-01T13:00")
    b.wake(minutes=5)
    assert (b.run.exit_reason, b.rows[2].output) == ("no", {"timedOut": True})


def test_what_cannot_be_computed_while_waiting_does_not_hold(bench: Make) -> None:
    b = waiting(bench, when("data.n", "equals", expr("+", ["get", "data", "n"], 1)), data={"n": 1})
    b.know(n="text")
    b.look(minutes=1)
    assert b.run.status == "WAITING"


def shares(*weights: float) -> tuple[str, Any]:
    names = [f"b{number}" for number in range(len(weights))]
    branches = [
        {"id": name, "name": name.upper(), "weight": weight}
        for name, weight in zip(names, weights, strict=True)
    ]
    return ("SPLIT", {"branches": branches})


def fallen(bench: Make, split: tuple[str, Any], contact: str, workflow: str = "wf") -> str:
    b = bench({"split": split})
    b.facts = replace(b.facts, contact=replace(b.facts.contact, id=contact))
    b.run = replace(b.run, workflow_id=workflow)
    b.enter()
    return str(b.last.output["branch"])


def test_a_split_spreads_contacts_and_keeps_them(bench: Make) -> None:
    split = shares(50, 30)
    ways = [fallen(bench, split, f"c-{number}") for number in range(2_000)]
    counts = Counter(ways)
    assert 900 < counts["b0"] < 1_100
    assert 500 < counts["b1"] < 700
    assert 320 < counts["default"] < 480
    assert ways == [fallen(bench, split, f"c-{number}") for number in range(2_000)]
    other = [fallen(bench, split, f"c-{number}", "other") for number in range(200)]
    assert other != ways[:200]


def test_where_a_contact_falls_is_fixed_for_ever(bench: Make) -> None:
    # Change this and everybody in a running experiment changes sides.
    assert [fallen(bench, shares(50), f"c-{number}") for number in range(8)] == [
        *("default", "b0", "default", "default", "b0", "b0", "b0", "b0")
    ]


def test_a_split_takes_its_branch(bench: Make) -> None:
    edges = [
        ("start", "split"),
        ("split", "a", {"condition": {"branch": "b0"}}),
        ("split", "b", {"condition": {"branch": "default"}}),
    ]
    steps = {"split": shares(50), "a": ("EXIT", {"reason": "a"}), "b": ("EXIT", {"reason": "b"})}
    for choice, reason in (("b0", "a"), ("default", "b"), ("ghost", "b")):
        b = bench(steps, edges, world=World(choices={"split": choice}))
        b.enter()
        assert b.run.exit_reason == reason
    assert b.rows[2].output == {"mode": "split", "matchedBranch": "default", "branch": "default"}


def test_a_step_can_track_an_event(bench: Make) -> None:
    config = {"eventName": "synced", "data": {"n": expr("+", ["get", "event", "n"], 1), "k": "v"}}
    b = bench({"it": ("TRACK", config), "end": END}, context={"n": 1})
    b.enter()
    assert b.effects == [TrackEvent("synced", {"n": 2, "k": "v"})]
    assert b.rows[2].output == {"tracked": True, "eventName": "synced", "data": {"n": 2, "k": "v"}}
    assert b.run.exit_reason == "end"


@pytest.mark.parametrize(("action", "is_member"), [("add", True), ("remove", False)])
def test_a_step_can_change_a_static_segment(bench: Make, action: str, *, is_member: bool) -> None:
    b = bench({"it": ("SEGMENT", {"action": action, "segmentId": "vip"}), "end": END})
    b.enter()
    assert b.effects == [ChangeMembership("vip", is_member)]
    assert b.rows[2].output == {"segmentId": "vip", "action": action}


def test_texts_can_be_rendered_inside_expressions(bench: Make) -> None:
    world = World(render=lambda source, facts: source.replace("{{ email }}", facts.contact.email))
    step = ("UPDATE_CONTACT", {"updates": {"hi": expr("render", "Hi {{ email }}")}})
    b = bench({"it": step}, world=world)
    b.enter()
    assert b.facts.contact.data == {"hi": "Hi ada@example.org"}
    b = bench({"it": step})
    b.enter()
    assert b.last.error == "render() cannot be used here"


@pytest.mark.parametrize(
    ("depth", "minutes", "expected"), [(0, 5, 0), (7, 5, 7), (7, 59, 7), (7, 61, 0)]
)
def test_a_chain_is_forgotten_after_an_hour(
    bench: Make, depth: int, minutes: int, expected: int
) -> None:
    b = bench(
        {
            "wait": ("DELAY", {"amount": minutes, "unit": "minutes"}),
            "more": ("WAIT_FOR_EVENT", {"eventName": "x"}),
            "last": ("WAIT_FOR_EVENT", {"eventName": "y"}),
        }
    )
    b.run = replace(b.run, depth=depth)
    b.enter()
    b.wake(minutes=minutes)
    assert b.run.depth == expected
    b.event("x", depth=3)
    assert b.run.depth == 3


TRIED = {"field": "event.tried", "operator": "triggered"}
BIG = {
    "logic": "AND",
    "groups": [{"filters": [{"field": "event.n", "operator": "greaterThan", "value": 1}]}],
}
OFTEN = {
    "field": {"$count": {"event": "tried", "where": BIG}},
    "operator": "greaterThan",
    "value": 2,
}
VIP = {"field": "segment.vip", "operator": "memberOfSegment"}
AWAY = {"field": "event.contact.unsubscribed", "operator": "triggered"}


@pytest.mark.parametrize(
    ("asked", "step", "before", "holds"),
    [
        (TRIED, ("TRACK", {"eventName": "tried"}), {Events("tried"): None}, True),
        (TRIED, ("TRACK", {"eventName": "other"}), {Events("tried"): None}, False),
        (OFTEN, ("TRACK", {"eventName": "tried", "data": {"n": 2}}), 2, True),
        (OFTEN, ("TRACK", {"eventName": "tried", "data": {"n": 1}}), 2, False),
        (OFTEN, ("TRACK", {"eventName": "tried"}), 2, False),
        (VIP, ("SEGMENT", {"action": "add", "segmentId": "vip"}), {Membership("vip"): False}, True),
        (
            VIP,
            ("SEGMENT", {"action": "remove", "segmentId": "vip"}),
            {Membership("vip"): True},
            False,
        ),
        (
            AWAY,
            ("UPDATE_CONTACT", {"subscriptionAction": "unsubscribe"}),
            {Events("contact.unsubscribed"): None},
            True,
        ),
    ],
)
def test_a_step_sees_the_history_that_the_steps_before_it_made(
    bench: Make, asked: Any, step: Any, before: Any, *, holds: bool
) -> None:
    tree = {"logic": "AND", "groups": [{"filters": [asked]}]}
    b = bench({"do": step, "ask": ("CONDITION", {"mode": "expression", "condition": tree})})
    (question,) = b.graph.questions
    b.facts = replace(b.facts, answers=before if isinstance(before, dict) else {question: before})
    b.enter()
    assert b.last.output["result"] is holds


def test_history_that_nobody_looked_up_fails_the_step(bench: Make) -> None:
    tree = {"logic": "AND", "groups": [{"filters": [TRIED]}]}
    b = bench({"ask": ("CONDITION", {"mode": "expression", "condition": tree})})
    b.enter()
    assert "not known here" in b.last.error


def test_a_graph_knows_what_its_conditions_ask(graph: Make) -> None:
    tree = {"logic": "AND", "groups": [{"filters": [TRIED]}]}
    vip = {"logic": "AND", "groups": [{"filters": [VIP]}]}
    steps = {
        "a": ("WAIT_FOR_EVENT", {"condition": tree}),
        "b": ("WAIT_FOR_EVENT", {"eventName": "x", "where": tree}),
        "c": ("CONDITION", {**TRIED, "mode": "simple"}),
    }
    made = graph(steps, headers={"stops": [{"condition": vip}]})
    assert made.questions == {Events("tried"), Membership("vip")}
    assert graph({"a": ("EXIT", {})}).questions == frozenset()
