"""Conditions to and from JSON, and evaluated."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plunk.conditions import nodes, tree
from plunk.conditions.matches import matches
from plunk.conditions.names import ACTIVITIES
from plunk.conditions.nodes import MISSING, All, Computed, Condition, Literal, Not, Path, PathParts
from plunk.conditions.operators.workflow import OPERATORS
from plunk.errors import InvalidCondition

NOW = "2026-03-01T12:00:00.000Z"


class Known:
    """Facts by path; an expression evaluates to itself."""

    def __init__(self, facts: Mapping[PathParts, object]) -> None:
        self.facts = {("now",): NOW, **facts}

    def get(self, path: PathParts, default: object = MISSING) -> object:
        return self.facts.get(path, default)

    def evaluate(self, expression: object) -> object:
        return expression

    def answer(self, operand: nodes.History) -> object:
        return self.facts.get((repr(operand),))


def is_one(field: str) -> nodes.Test:
    return nodes.Test(Path((field,)), "equals", Literal(1))


A, B, C = is_one("a"), is_one("b"), is_one("c")


def item(field: str) -> dict[str, object]:
    return {"field": field, "operator": "equals", "value": 1}


def logic(name: str, *groups: list[str]) -> dict[str, object]:
    return {"logic": name, "groups": [{"filters": [item(f) for f in group]} for group in groups]}


@pytest.mark.parametrize(
    ("node", "json"),
    [
        (A, logic("AND", ["a"])),
        (All((A, B)), logic("AND", ["a", "b"])),
        (nodes.Any((A, B)), logic("OR", ["a"], ["b"])),
        (nodes.Any((All((A, B)), C)), logic("OR", ["a", "b"], ["c"])),
        (Not(A), {"not": logic("AND", ["a"])}),
        (
            All((A, nodes.Any((B, C)))),
            {
                "logic": "AND",
                "groups": [{"filters": [item("a")], "conditions": logic("OR", ["b"], ["c"])}],
            },
        ),
        (
            All((nodes.Any((B, C)), A)),
            {
                "logic": "AND",
                "groups": [
                    {"filters": [], "conditions": logic("OR", ["b"], ["c"])},
                    {"filters": [item("a")]},
                ],
            },
        ),
    ],
)
def test_canonical_json(node: Condition, json: object) -> None:
    assert tree.to_json(node) == json
    assert tree.from_json(json) == node


@pytest.mark.parametrize(
    ("raw", "operand"),
    [
        ("data.items.0.name", Path(("data", "items", 0, "name"))),
        ("data.01", Path(("data", "01"))),
        ({"$expr": ["get", "data", "a.b"]}, Path(("data", "a.b"))),
        ({"$expr": ["+", 1, 2]}, Computed(["+", 1, 2])),
    ],
)
def test_fields(raw: object, operand: object) -> None:
    json = {"logic": "AND", "groups": [{"filters": [{"field": raw, "operator": "exists"}]}]}
    node = tree.from_json(json)
    assert isinstance(node, nodes.Test)
    assert node.field == operand
    assert tree.to_json(node) == json


def group(**parts: object) -> dict[str, object]:
    return {"logic": "AND", "groups": [parts]}


DEEP: dict[str, Any] = logic("AND", ["a"])
for _ in range(70):
    DEEP = {"not": DEEP}


@pytest.mark.parametrize(
    ("raw", "place"),
    [
        (None, "condition needs logic"),
        ({"logic": "XOR", "groups": [{}]}, "condition needs logic"),
        ({"logic": "AND", "groups": []}, "condition needs logic"),
        ({"not": logic("AND", ["a"]), "logic": "AND"}, "condition needs logic"),
        ({"logic": "AND", "groups": [5]}, "condition.groups[0] needs an array"),
        (group(filters=[]), "condition.groups[0] needs a filter"),
        (group(filters=[1]), "condition.groups[0].filters[0] must be an object"),
        (group(filters=[{"field": "a"}]), "filters[0].operator is required"),
        (group(filters=[{"field": "", "operator": "exists"}]), "field must be a dotted name"),
        (group(filters=[{"field": "a..b", "operator": "exists"}]), "field must be a dotted name"),
        (group(filters=[{"field": "a", "operator": "equals"}]), "value is required for equals"),
        (group(filters=[{**item("a"), "operator": "like"}]), "unknown operator like"),
        (group(filters=[{**item("a"), "operator": "within"}]), "unit must be one of"),
        (
            group(filters=[{**item("a"), "value": {"$expr": ["get", True]}}]),
            "parts of a path",
        ),
        (group(filters=[], conditions={"not": 5}), "groups[0].conditions.not needs logic"),
        (DEEP, "nested more than 64"),
    ],
)
def test_a_mistake_is_named_with_its_place(raw: object, place: str) -> None:
    with pytest.raises(InvalidCondition) as caught:
        tree.from_json(raw, OPERATORS)
    assert place in caught.value.message


def test_an_empty_condition_has_no_json() -> None:
    with pytest.raises(InvalidCondition):
        tree.to_json(All(()))


WORDS = st.sampled_from(["a", "b", "data", "x y", "a.b", "", "0", "07", "é"])
PATHS = st.lists(WORDS | st.integers(0, 12), min_size=1, max_size=3).map(tuple).map(Path)
SCALARS = st.none() | st.booleans() | st.integers(-9, 9) | st.text(max_size=3)
COMPUTED = st.just(Computed(["+", 1, ["get", "a"]]))
OPERANDS = st.builds(Literal, SCALARS | st.lists(SCALARS, max_size=2)) | PATHS | COMPUTED
TESTS = st.builds(
    nodes.Test, PATHS | COMPUTED, st.sampled_from(["equals", "in"]), OPERANDS
) | st.builds(
    nodes.Test,
    PATHS,
    st.sampled_from(["within", "olderThan"]),
    st.builds(Literal, st.integers(0, 9)),
    st.just("days"),
)
WHERE = st.none() | TESTS
NAMES = st.sampled_from(["login", "sign up", "email.open", "a..b", "segment.x.entry"])
ASKED = st.builds(nodes.Events, NAMES, WHERE) | st.builds(
    nodes.Emails, st.sampled_from(ACTIVITIES), st.none() | st.just("t1")
)
HISTORY = (
    st.builds(nodes.Test, ASKED, st.sampled_from(["triggered", "notTriggered"]))
    | st.builds(
        nodes.Test,
        ASKED,
        st.sampled_from(["triggeredWithin", "triggeredOlderThan", "notTriggeredWithin"]),
        st.builds(Literal, st.integers(0, 9)),
        st.just("days"),
    )
    | st.builds(
        nodes.Test, st.builds(nodes.Membership, NAMES), st.sampled_from(["memberOfSegment"])
    )
    | st.builds(
        nodes.Test,
        st.builds(nodes.Count, NAMES, WHERE)
        | st.builds(nodes.Count, NAMES, WHERE, st.integers(1, 9), st.just("days")),
        st.sampled_from(["equals", "lessThan"]),
        st.builds(Literal, st.integers(0, 9)),
    )
)
TREES: st.SearchStrategy[Condition] = st.recursive(
    TESTS | HISTORY | st.builds(nodes.Test, PATHS, st.just("exists")),
    lambda inner: (
        st.builds(Not, inner)
        | st.lists(inner, min_size=1, max_size=3)
        .map(tuple)
        .flatmap(lambda parts: st.sampled_from([All(parts), nodes.Any(parts)]))
    ),
    max_leaves=8,
)


@given(TREES)
def test_json_comes_back_as_the_normal_form(node: Condition) -> None:
    assert tree.from_json(tree.to_json(node), OPERATORS) == nodes.normal(node)


@given(TREES, st.dictionaries(PATHS.map(lambda path: path.parts), SCALARS, max_size=4))
def test_the_normal_form_means_the_same(node: Condition, facts: dict[PathParts, object]) -> None:
    known = Known(facts)
    expected = matches(node, known, OPERATORS)
    assert matches(nodes.normal(node), known, OPERATORS) == expected


@pytest.mark.parametrize(
    ("node", "holds"),
    [
        (All(()), True),
        (nodes.Any(()), False),
        (All((A, B)), False),
        (nodes.Any((A, B)), True),
        (Not(B), True),
        (nodes.Test(Path(("a",)), "equals", Path(("a",))), True),
        (nodes.Test(Path(("a",)), "equals", Computed(1)), True),
        (nodes.Test(Path(("gone",)), "equals"), True),
        (nodes.Test(Path(("d",)), "within", Literal(7), "days"), True),
        (nodes.Test(Path(("d",)), "within", Literal(1), "hours"), False),
        (nodes.Test(Path(("d",)), "olderThan", Literal(0.25), "days"), True),
    ],
)
def test_matches(node: Condition, *, holds: bool) -> None:
    known = Known({("a",): 1, ("d",): "2026-03-01"})
    assert matches(node, known, OPERATORS) is holds


@pytest.mark.parametrize(
    "broken",
    [
        nodes.Test(Path(("a",)), "like", Literal(1)),
        nodes.Test(Path(("a",)), "within", Literal("x"), "days"),
        nodes.Test(Path(("a",)), "within", None, "days"),
        nodes.Test(Path(("a",)), "within", Literal(1e300), "days"),
    ],
)
def test_what_cannot_be_compared_is_an_error(broken: Condition) -> None:
    with pytest.raises(InvalidCondition):
        matches(broken, Known({}), OPERATORS)
