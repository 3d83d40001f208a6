"""Computed values: what they give, and what they refuse."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plunk.errors import InvalidExpression
from plunk.expressions import Concealed, SecretName, compute, evaluate

NOW = "2026-03-01T12:00:00.000Z"
DATA = {"name": " Ada ", "n": 4, "items": [1, 2], "big": "x" * 300_000, "nothing": None}


class Known:
    """Top-level facts and the time."""

    def get(self, path: tuple[str | int, ...], default: object = None) -> object:
        known: dict[Any, object] = {("now",): NOW, **{(key,): value for key, value in DATA.items()}}
        return known.get(path, default)

    def render(self, source: str) -> str:
        return source.replace("{{ name }}", "Ada")


DAYS = ["duration", 3, "days"]


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        (5, 5),
        ("text", "text"),
        (None, None),
        (["get", "n"], 4),
        (["get", "gone"], None),
        (["get", "gone", 0], None),
        (["list", 1, ["get", "n"]], [1, 4]),
        (["list"], []),
        (["object", [["a", 1], ["b", ["list"]]]], {"a": 1, "b": []}),
        (["+", 1, 2.5], 3.5),
        (["+", 1.5, 1.5], 3),
        (["+", "a", "b"], "ab"),
        (["-", 5, 7], -2),
        (["*", 3, 4], 12),
        (["/", 6, 2], 3),
        (["/", 1, 4], 0.25),
        (["neg", ["get", "n"]], -4),
        (["??", ["get", "gone"], "x"], "x"),
        (["??", ["get", "nothing"], "x"], "x"),
        (["??", 0, "x"], 0),
        (["??", 1, ["/", 1, 0]], 1),
        (["call", "lower", "ÀB"], "àb"),
        (["call", "upper", "ab"], "AB"),
        (["call", "trim", ["get", "name"]], "Ada"),
        (["call", "round", 2.5], 3),
        (["call", "round", -2.5], -3),
        (["call", "round", 1.005, 2], 1.01),
        (["call", "round", 1e300], 1e300),
        (["call", "round", 7, 2], 7),
        (["call", "length", "abc"], 3),
        (["call", "length", ["get", "items"]], 2),
        (["call", "length", ["object", [["a", 1]]]], 1),
        (["call", "now"], NOW),
        (["-", ["call", "now"], DAYS], "2026-02-26T12:00:00.000Z"),
        (["+", ["duration", 90, "minutes"], NOW], "2026-03-01T13:30:00.000Z"),
        (["+", "2028-02-27", ["duration", 2, "days"]], "2028-02-29"),
        (["-", "2026-03-01", ["duration", 1, "weeks"]], "2026-02-22"),
        (["+", "2026-03-01", ["duration", 0.5, "days"]], "2026-03-01T12:00:00.000Z"),
        (["+", "2026-03-01T10:00+02:00", DAYS], "2026-03-04T08:00:00.000Z"),
        (["date", "2026-03-01"], "2026-03-01"),
        (["call", "date", "2026-03-01 10:00+02:00"], "2026-03-01T08:00:00.000Z"),
        (["date", 1_772_366_400], NOW),
        (["date", 1_772_366_400_000], NOW),
        (["render", "Hi {{ name }}"], "Hi Ada"),
        (["+", ["call", "render", "{{ name }}"], "!"], "Ada!"),
    ],
)
def test_value(expression: object, value: object) -> None:
    result = evaluate(expression, Known())
    assert (result, type(result)) == (value, type(value))


def nested(depth: int) -> object:
    expression: object = 1
    for _ in range(depth):
        expression = ["neg", expression]
    return expression


def doubled(times: int) -> object:
    expression: object = ["get", "big"]
    for _ in range(times):
        expression = ["+", expression, "x"]
    return expression


@pytest.mark.parametrize(
    ("expression", "problem"),
    [
        (["+", "a", 1], 'cannot compute "a" + 1'),
        (["+", None, 1], "cannot compute null + 1"),
        (["-", True, 1], "cannot compute true - 1"),
        (["*", ["list", 1], {"a": 1}], "not an expression: {1 keys}"),
        (["neg", "x"], 'cannot compute 0 - "x"'),
        (["/", 1, 0], "1 / 0: division by zero"),
        (["*", 2**62, 2], "too large"),
        (["*", 1e308, 10], "too large"),
        (["-", -(2**63), 1], "too large"),
        (2**64, "too large"),
        (float("nan"), "too large"),
        (["call", "lower", 5], "cannot compute lower(5)"),
        (["call", "lower"], "cannot compute lower()"),
        (["call", "round", "x"], 'cannot compute round("x")'),
        (["call", "round", 1.5, 99], "cannot compute round(1.5, 99)"),
        (["call", "round", 1.5, "x"], "cannot compute round"),
        (["call", "length", 5], "cannot compute length(5)"),
        (["call", "eval", 5], "there is no function eval()"),
        (["call", "now", 5], "cannot compute now(5)"),
        (DAYS, "a duration can only be added to"),
        (["list", DAYS], "a duration can only be added to"),
        (["+", DAYS, DAYS], "cannot compute a duration of 3 days, 0:00:00 + a duration"),
        (["-", DAYS, NOW], "cannot compute a duration"),
        (["+", "soon", DAYS], '"soon" + a duration of 3 days, 0:00:00: the text is not a time'),
        (["-", None, DAYS], "cannot compute null - a duration"),
        (["-", "2026-02-30", DAYS], "is not a time"),
        (["-", "0001-01-02", DAYS], "outside the calendar"),
        (["duration", 1, "moons"], "the unit of a duration is one of seconds"),
        (["duration", "1", "days"], 'a duration needs a number, not "1"'),
        (["duration", 1e300, "days"], "too long"),
        (["date", "tomorrow"], 'cannot compute date("tomorrow")'),
        (["date", True], "cannot compute date(true)"),
        (["date", 1e300], "cannot compute date(1e+300)"),
        (["render", 5], "cannot compute render(5)"),
        (["secret", "TOKEN"], "secret() may only stand in a web hook's"),
        (["call", "upper", ["secret", "TOKEN"]], "cannot compute upper(a text with a secret)"),
        (["secret", "no good"], "secret() needs a name"),
        (["list", *[["render", "x"]] * 120], "too much work"),
        (["get"], "not an expression: [1 values]"),
        (["get", True], "a path is made of"),
        (["get", ["a"]], "a path is made of"),
        (["object", [["a"]]], "an object is made of"),
        ([], "not an expression"),
        ({}, "not an expression"),
        (["list", *[0] * 20_000], "too much work"),
        (nested(64), "nested more than 64"),
        (nested(5_000), "nested more than 64"),
        (doubled(4), "too much work"),
        (["list", *[["get", "big"]] * 4], "too much work"),
    ],
)
def test_mistake(expression: object, problem: str) -> None:
    with pytest.raises(InvalidExpression) as caught:
        evaluate(expression, Known())
    assert problem in caught.value.message
    assert len(caught.value.message) < 300


def test_compute_replaces_at_any_depth() -> None:
    raw = {"a": [{"$expr": ["get", "n"]}, "{{ x }}"], "$expr": 1, "b": {"$expr": 2, "c": 3}}
    assert compute(raw, Known()) == {**raw, "a": [4, "{{ x }}"]}
    assert compute({"$expr": ["get", "gone"]}, Known()) is None


def test_compute_can_mark_what_it_computed() -> None:
    marked = compute(["plain", {"$expr": "text"}], Known(), lambda value: ("computed", value))
    assert marked == ["plain", ("computed", "text")]


def test_secrets_are_marks_that_texts_are_joined_around() -> None:
    bearer = ["+", "Bearer ", ["secret", "TOKEN"]]
    value = compute({"h": {"$expr": ["+", bearer, "!"]}}, Known(), may_conceal=True)
    hidden = Concealed(("Bearer ", SecretName("TOKEN"), "!"))
    assert value == {"h": hidden}
    assert hidden.shown == "Bearer [secret TOKEN]!"
    with pytest.raises(InvalidExpression, match="may only stand"):
        compute({"$expr": ["list", bearer]}, Known())


def test_compute_counts_all_its_expressions_together() -> None:
    with pytest.raises(InvalidExpression, match="too much work"):
        compute([{"$expr": ["get", "big"]}] * 4, Known())


def test_compute_refuses_deep_values() -> None:
    deep: object = 1
    for _ in range(100):
        deep = [deep]
    with pytest.raises(InvalidExpression, match="nested"):
        compute(deep, Known())


SCALARS = (
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats() | st.text(max_size=5)
)
HEADS = st.sampled_from(
    ["get", "list", "object", "+", "-", "*", "/", "??", "neg", "call", "round", "length", "n"]
) | st.sampled_from(["duration", "days", "date", "render", "secret", "2026-03-01"])
EXPRESSIONS: st.SearchStrategy[object] = st.recursive(
    SCALARS | HEADS,
    lambda inner: (
        st.builds(lambda head, rest: [head, *rest], HEADS, st.lists(inner, max_size=3))
        | st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["$expr", "a"]), inner, max_size=2)
    ),
    max_leaves=12,
)


@given(EXPRESSIONS)
def test_evaluation_is_total(expression: object) -> None:
    for run in (evaluate, compute):
        try:
            run(expression, Known())
        except InvalidExpression:
            continue
