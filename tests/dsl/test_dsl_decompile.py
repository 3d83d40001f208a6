"""Law 2: whatever graph the product can store is written down and compiles to itself again."""

import os
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

import dsl

EDGE: dict[str, Any] = {"condition": None, "priority": 0, "waitOutcome": None}
CHECK = {"field": "contact.data.x", "operator": "equals", "value": 1}


def step(key: str, kind: str = "EXIT", **config: Any) -> dict[str, Any]:
    return {"key": key, "type": kind, "name": "Exit", "config": config}


def edge(source: str, target: str, branch: str | None = None) -> dict[str, Any]:
    condition = {"branch": branch} if branch else None
    priority = 1 if branch == "no" else 0
    return {**EDGE, "from": source, "to": target, "condition": condition, "priority": priority}


def graph(steps: list[dict[str, Any]], edges: list[dict[str, Any]]) -> dsl.Compiled:
    trigger = {"key": "trigger", "type": "TRIGGER", "name": "Trigger: manual", "config": {}}
    data = {
        "name": "w",
        "description": None,
        "enabled": True,
        "reentry": "never",
        "triggers": [{"type": "manual"}],
        "steps": [trigger, *steps],
        "transitions": edges,
    }
    return dsl.Compiled((dsl.WorkflowGraph.from_json(data),))


DAY = {"amount": 1, "unit": "days"}
EXIT_AND_ON = [edge("trigger", "a"), edge("a", "b")]
GRAPHS = {
    "orphan": ([step("a"), step("b")], [edge("trigger", "a")]),
    "nothing but an orphan": ([step("a"), step("b")], []),
    "loop": (
        [step("a", "DELAY", **DAY), step("b", "DELAY", **DAY)],
        [edge("trigger", "a"), edge("a", "b"), edge("b", "a")],
    ),
    "loop to itself": ([step("a", "DELAY", **DAY)], [edge("trigger", "a"), edge("a", "a")]),
    "orphans in a ring": (
        [step("a", "DELAY", **DAY), step("b", "DELAY", **DAY)],
        [edge("b", "a"), edge("a", "b")],
    ),
    "raw config": ([step("a", "DELAY", amount=1, unit="fortnights", x=1)], [edge("trigger", "a")]),
    "unknown type": ([step("a", "TELEPORT")], [edge("trigger", "a")]),
    "several ways": (
        [step("a", "DELAY", **DAY), step("b")],
        [edge("trigger", "a"), edge("a", "b"), {**edge("a", "b"), "priority": 3}],
    ),
    "way out of an exit": ([step("a"), step("b")], EXIT_AND_ON),
    "way back to the trigger": (
        [step("a", "DELAY", **DAY)],
        [edge("trigger", "a"), edge("a", "trigger")],
    ),
    "several ways out of the trigger": (
        [step("a"), step("b")],
        [edge("trigger", "a"), {**edge("trigger", "b"), "priority": 7}],
    ),
    "a condition of its own": (
        [step("a", "DELAY", **DAY), step("b")],
        [edge("trigger", "a"), {**edge("a", "b"), "condition": {"other": [1]}}],
    ),
    "ways that cross": (
        [
            step("a", "CONDITION", **CHECK),
            step("b", "CONDITION", **CHECK),
            step("c", "CONDITION", **CHECK),
            step("d"),
            step("e"),
        ],
        [
            edge("trigger", "a"),
            edge("a", "b", "yes"),
            edge("a", "c", "no"),
            edge("b", "d", "yes"),
            edge("b", "e", "no"),
            edge("c", "d", "yes"),
            edge("c", "e", "no"),
        ],
    ),
}


def survives(compiled: dsl.Compiled, made: frozenset[str] = frozenset()) -> str:
    """Decompile and compile: the same graph, and a text that is in its one layout."""
    text = dsl.print_file(dsl.decompile(compiled, made))
    again = dsl.compile(dsl.read_bundle({"a.flow": text}))
    assert len(again.workflows) == len(compiled.workflows), text
    for one, other in zip(compiled.workflows, again.workflows, strict=True):
        assert made or dsl.same_graph(one, other), text  # decompile has compared, by its labels
        assert len(one.steps) == len(other.steps)
        assert len(one.transitions) == len(other.transitions)
    assert dsl.format(text) == text
    return text


@pytest.mark.parametrize("name", GRAPHS)
def test_every_graph_is_written(name: str) -> None:
    survives(graph(*GRAPHS[name]))
    survives(graph(*GRAPHS[name]), frozenset("abcde"))


CONFIGS: list[tuple[str, dict[str, Any]]] = [
    ("DELAY", DAY),
    ("DELAY", {"amount": 1.5, "unit": "weeks"}),
    ("DELAY", {"amount": True}),
    ("DELAY", {"until": {"timeOfDay": "09:00", "days": ["monday", "friday"]}}),
    ("DELAY", {"until": {"timeOfDay": "09:00", "days": ["someday"]}}),
    ("DELAY", {"until": {"time": {"$expr": ["get", "contact", "data", "at"]}}}),
    (
        "DELAY",
        {
            "until": {
                "time": "2026-03-01",
                "offset": {"amount": -3, "unit": "days"},
                "whenPast": "exit",
            }
        },
    ),
    ("WAIT_FOR_EVENT", {"eventName": "paid"}),
    ("WAIT_FOR_EVENT", {"eventName": "paid", "timeout": 90}),
    ("WAIT_FOR_EVENT", {"condition": {"logic": "AND", "groups": [{"filters": [CHECK]}]}}),
    (
        "WAIT_FOR_EVENT",
        {
            "condition": {
                "logic": "OR",
                "groups": [{"filters": [{"field": "event.x", "operator": "triggered"}, CHECK]}],
            },
            "timeout": 86_400,
        },
    ),
    (
        "WAIT_FOR_EVENT",
        {
            "condition": {
                "logic": "AND",
                "groups": [
                    {"filters": [{"field": "contact.data.x", "operator": "equals", "value": True}]}
                ],
            }
        },
    ),
    ("CONDITION", CHECK),
    ("CONDITION", {"mode": "expression", "condition": {"broken": True}}),
    (
        "CONDITION",
        {
            "mode": "multi",
            "field": "contact.data.plan",
            "branches": [
                {"id": "pro", "name": "pro", "operator": "equals", "value": "pro"},
                {"id": "a, b", "name": "a, b", "operator": "in", "value": ["a", "b"]},
            ],
        },
    ),
    (
        "CONDITION",
        {
            "mode": "multi",
            "field": "data.plan",
            "branches": [{"id": "x", "name": "Big", "operator": "greaterThan", "value": 9}],
        },
    ),
    ("SPLIT", {"branches": [{"id": "a", "name": "50%", "weight": 50}]}),
    (
        "SPLIT",
        {
            "branches": [
                {"id": "new", "name": "new", "weight": 30.5},
                {"id": "b", "name": "69.5%", "weight": 69.5},
            ]
        },
    ),
    ("TRACK", {"eventName": "x"}),
    ("TRACK", {"eventName": "x", "data": {"a b": {"$expr": ["get", "event", "x"]}}}),
    ("SEGMENT", {"action": "add", "segment": {"name": "VIP"}}),
    ("SEGMENT", {"action": "remove", "segment": {"id": "7"}}),
    ("SEND_EMAIL", {"template": {"name": "Hi"}}),
    ("SEND_EMAIL", {}),
    ("WEBHOOK", {"url": "https://a.example", "method": "PUT", "retry": {"attempts": 2}}),
    ("WEBHOOK", {"url": 5}),
    ("UPDATE_CONTACT", {"updates": {"a": 1}}),
    ("UPDATE_CONTACT", {"updates": {"a": 1}, "subscriptionAction": "subscribe"}),
    ("EXIT", {"reason": "done"}),
    ("EXIT", {"reason": "done", "more": [1]}),
    ("WARP", {"speed": 9}),
]
BRANCHES = [None, "yes", "no", "default", "pro", "a", "b", "new", "event", "timeout"]
keys = [f"s{number}" for number in range(7)]
# Whatever somebody may have stored: words that mean something, in places where they mean nothing.
words = st.sampled_from(
    [
        "field",
        "operator",
        "value",
        "unit",
        "$expr",
        "$count",
        "$segment",
        "template",
        "name",
        "id",
        "condition",
        "where",
        "logic",
        "groups",
        "filters",
        "not",
        "until",
        "time",
        "branches",
        "reason",
        "url",
        "updates",
        "eventName",
        "mode",
        "multi",
        "AND",
        "get",
        "+",
        "call",
    ]
)
scalars = st.none() | st.booleans() | st.integers(-5, 5) | st.floats(-1, 1) | words
json_values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(words, inner, max_size=3),
    max_leaves=8,
)
types = st.sampled_from(sorted({kind for kind, _ in CONFIGS}))
junk = st.tuples(types, st.dictionaries(words, json_values, max_size=4))
kinds = st.sampled_from(CONFIGS) | junk
some_names = st.sampled_from(["", "A name", "Exit"])
some_places = st.none() | st.just({"x": 10, "y": -2.5})


@st.composite
def graphs(draw: st.DrawFn) -> dsl.Compiled:
    count = draw(st.integers(0, len(keys)))
    chosen = keys[:count]
    steps = [
        {
            "key": key,
            "type": kind,
            "name": draw(some_names) or "Step",
            "config": config,
            "label": key if draw(st.booleans()) else None,
            "position": draw(some_places),
        }
        for key in chosen
        for kind, config in [draw(kinds)]
    ]
    ends = st.sampled_from(["trigger", *chosen])
    edges = [
        {
            "from": draw(ends),
            "to": draw(ends),
            "condition": {"branch": branch} if branch else draw(st.sampled_from([None, {"q": 1}])),
            "priority": draw(st.integers(0, 2)),
            "waitOutcome": draw(st.sampled_from([None, None, "EVENT", "TIMEOUT"])),
        }
        for branch in draw(st.lists(st.sampled_from(BRANCHES), max_size=10))
    ]
    return graph(steps, edges)


@settings(
    phases=list(set(Phase) - {Phase.shrink, Phase.explain}),
    max_examples=int(os.environ.get("DSL_EXAMPLES", "60")),
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
@given(graphs(), st.booleans())
def test_any_graph_survives(compiled: dsl.Compiled, are_made: bool) -> None:  # noqa: FBT001 - drawn
    unlabelled = {step.key for step in compiled.workflows[0].steps if step.label is None}
    survives(compiled, frozenset(unlabelled) if are_made else frozenset())


def test_only_what_differs_is_written() -> None:
    steps = [step("exit")]
    text = dsl.print_file(dsl.decompile(graph(steps, [edge("trigger", "exit")])))
    assert text == 'workflow "w" {\n  on manual\n\n  exit\n}\n'
    steps = [{**step("leave"), "name": "Leave", "position": {"x": 1, "y": 2}}]
    text = dsl.print_file(dsl.decompile(graph(steps, [edge("trigger", "leave")])))
    assert '  @leave "Leave" (1, 2) exit\n' in text


@pytest.mark.parametrize(
    "start", ['on schedule "0 9 * * MON" for segment "VIP"', "on date contact.data.day every year"]
)
def test_the_default_is_written_where_the_checker_asks_for_it(start: str) -> None:
    text = f'workflow "w" {{\n  {start}\n  reentry never\n\n  exit\n}}\n'
    compiled = dsl.compile(dsl.read_bundle({"w.flow": text}))
    assert dsl.print_file(dsl.decompile(compiled)) == text


def test_a_very_deep_config_is_refused() -> None:
    deep: Any = 1
    for _ in range(5_000):
        deep = [deep]
    steps = [step("a", "WEBHOOK", url="https://a", method="POST", body=deep)]
    with pytest.raises(dsl.NotExpressible):
        dsl.decompile(graph(steps, [edge("trigger", "a")]))
