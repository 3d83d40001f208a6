"""Graphs that statements cannot say are refused by name."""

from typing import Any

import pytest

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


REFUSED = {
    "orphan": ([step("a"), step("b")], [edge("trigger", "a")], "b"),
    "loop": (
        [step("a", "DELAY", amount=1, unit="days"), step("b", "DELAY", amount=1, unit="days")],
        [edge("trigger", "a"), edge("a", "b"), edge("b", "a")],
        "b",
    ),
    "raw config": (
        [step("a", "DELAY", amount=1, unit="fortnights", x=1)],
        [edge("trigger", "a")],
        "a",
    ),
    "unknown type": ([step("a", "TELEPORT")], [edge("trigger", "a")], "a"),
    "several ways": (
        [step("a", "DELAY", amount=1, unit="days"), step("b")],
        [edge("trigger", "a"), edge("a", "b"), edge("a", "b")],
        "a",
    ),
    "way out of an exit": ([step("a"), step("b")], [edge("trigger", "a"), edge("a", "b")], "a"),
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
        None,
    ),
    "nested too deeply": (
        [
            step("a", "WEBHOOK", url="https://a", method="POST", body=[[[[[[[[1]]]]]]]]),
        ],
        [edge("trigger", "a"), {**edge("a", "gone"), "priority": 0}],
        "a",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_has_no_words_is_refused(name: str) -> None:
    steps, edges, expected = REFUSED[name]
    with pytest.raises(dsl.NotExpressible) as refusal:
        dsl.decompile(graph(steps, edges))
    assert refusal.value.step in ({expected} if expected else {"a", "b", "c", "d", "e"})
    assert refusal.value.reason


def test_only_what_differs_is_written() -> None:
    steps = [step("exit")]
    text = dsl.print_file(dsl.decompile(graph(steps, [edge("trigger", "exit")])))
    assert text == 'workflow "w" {\n  on manual\n\n  exit\n}\n'
    steps = [{**step("leave"), "name": "Leave", "position": {"x": 1, "y": 2}}]
    text = dsl.print_file(dsl.decompile(graph(steps, [edge("trigger", "leave")])))
    assert '  @leave "Leave" (1, 2) exit\n' in text


def test_a_very_deep_config_is_refused() -> None:
    deep: Any = 1
    for _ in range(5_000):
        deep = [deep]
    steps = [step("a", "WEBHOOK", url="https://a", method="POST", body=deep)]
    with pytest.raises(dsl.NotExpressible):
        dsl.decompile(graph(steps, [edge("trigger", "a")]))
