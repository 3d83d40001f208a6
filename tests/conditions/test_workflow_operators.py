"""Every operator of the workflow rule set against every kind of value."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plunk.conditions.nodes import MISSING
from plunk.conditions.operators.happening import HAPPENING, MEMBERSHIP
from plunk.conditions.operators.javascript import to_number, to_text
from plunk.conditions.operators.workflow import OPERATORS

DATE = "2026-03-01"
ACTUALS: dict[str, object] = {
    "missing": MISSING,
    "null": None,
    "empty": "",
    "zero": 0,
    "false": False,
    "true": True,
    "five": 5,
    "5.0": 5.0,
    "five text": "5",
    "text": "five",
    "date": DATE,
    "array": [5, "a"],
    "empty array": [],
    "object": {"a": 5},
}
PRESENT = set(ACTUALS) - {"missing", "null"}
ALL = set(ACTUALS)

# (operator, value, the kinds of actual values for which it is true)
CASES: list[tuple[str, object, set[str]]] = [
    ("equals", MISSING, {"missing"}),
    ("equals", None, {"null"}),
    ("equals", "", {"empty"}),
    ("equals", 0, {"zero"}),
    ("equals", False, {"false"}),
    ("equals", True, {"true"}),
    ("equals", 5, {"five", "5.0"}),
    ("equals", "5", {"five text"}),
    ("equals", "FIVE", set()),
    ("equals", [5, "a"], set()),
    ("equals", {"a": 5}, set()),
    ("notEquals", MISSING, PRESENT),
    ("notEquals", None, PRESENT),
    ("notEquals", "", PRESENT - {"empty"}),
    ("notEquals", 5, PRESENT - {"five", "5.0"}),
    ("notEquals", [5, "a"], PRESENT),
    ("contains", "5", {"five", "5.0", "five text", "array"}),
    ("contains", 5, {"five", "5.0", "five text", "array"}),
    ("contains", "iv", {"text"}),
    ("contains", "IV", set()),
    ("contains", "5,a", {"array"}),
    ("contains", "", PRESENT),
    ("contains", True, {"true"}),
    ("contains", "[object", {"object"}),
    ("contains", MISSING, set()),
    ("contains", None, set()),
    ("notContains", "5", PRESENT - {"five", "5.0", "five text", "array"}),
    ("notContains", "", set()),
    ("notContains", MISSING, PRESENT),
    ("greaterThan", 0, {"true", "five", "5.0", "five text"}),
    ("greaterThan", "0", {"true", "five", "5.0", "five text"}),
    ("greaterThan", 5, set()),
    ("greaterThan", "x", set()),
    ("greaterThan", MISSING, set()),
    ("greaterThan", None, {"true", "five", "5.0", "five text"}),
    ("greaterThan", "2026-02-28T23:59:59Z", {"date"}),
    ("greaterThan", DATE, set()),
    ("lessThan", 1, {"empty", "zero", "false", "empty array"}),
    ("lessThan", "2026-03-01T00:00:00+00:01", set()),
    ("lessThan", "2026-03-01T00:00:00-00:01", {"date"}),
    ("greaterThanOrEqual", 5, {"five", "5.0", "five text"}),
    ("greaterThanOrEqual", "2026-03-01T00:00:00.000Z", {"date"}),
    ("lessThanOrEqual", 0, {"empty", "zero", "false", "empty array"}),
    ("lessThanOrEqual", "2026-03-01T01:00:00+01:00", {"date"}),
    ("exists", MISSING, PRESENT),
    ("notExists", MISSING, {"missing", "null"}),
    ("startsWith", "fi", {"text"}),
    ("startsWith", 5, {"five", "5.0", "five text", "array"}),
    ("startsWith", MISSING, set()),
    ("endsWith", "ve", {"text"}),
    ("endsWith", "a", {"array"}),
    ("in", ["5", "five", None], {"five text", "text", "null"}),
    ("in", "five", {"text"}),
    ("in", [], set()),
    ("in", [[5, "a"]], set()),
    ("in", MISSING, {"missing"}),
    ("notIn", ["5", "five"], PRESENT - {"five text", "text"}),
    ("notIn", [], PRESENT),
    ("isEmpty", MISSING, {"missing", "null", "empty", "empty array"}),
    ("isNotEmpty", MISSING, PRESENT - {"empty", "empty array"}),
    ("within", "2026-02-01", {"date"}),
    ("within", "2026-03-02", set()),
    ("within", 5, set()),
    ("olderThan", "2026-03-02", {"date"}),
    ("olderThan", DATE, set()),
]


@pytest.mark.parametrize(("operator", "expected", "holds"), CASES)
def test_operator(operator: str, expected: object, holds: set[str]) -> None:
    test = OPERATORS[operator]
    assert {kind for kind, actual in ACTUALS.items() if test(actual, expected)} == holds


def test_every_operator_has_a_case() -> None:
    tested = {operator for operator, _, _ in CASES} | set(HAPPENING) | set(MEMBERSHIP)
    assert tested == set(OPERATORS)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (True, "true"),
        (False, "false"),
        (None, "null"),
        (5.0, "5"),
        (-0.0, "0"),
        (0.1, "0.1"),
        (1e-6, "0.000001"),
        (1e-7, "1e-7"),
        (1.5e-9, "1.5e-9"),
        (1e20, "100000000000000000000"),
        (1e21, "1e+21"),
        (123456789.25, "123456789.25"),
        (100, "100"),
        (math.inf, "Infinity"),
        (-math.inf, "-Infinity"),
        (math.nan, "NaN"),
        ([1, None, [True, "x"]], "1,,true,x"),
        ({}, "[object Object]"),
        (MISSING, "undefined"),
    ],
)
def test_text_form(value: object, text: str) -> None:
    assert to_text(value) == text


@pytest.mark.parametrize(
    ("value", "number"),
    [
        ("", 0),
        ("  12 ", 12),
        ("1e3", 1_000),
        ("1E3", 1_000),
        (".5", 0.5),
        ("5.", 5),
        ("+5", 5),
        ("-5", -5),
        ("0x1F", 31),
        ("0b11", 3),
        ("0o17", 15),
        ("-Infinity", -math.inf),
        (True, 1),
        (None, 0),
        ([], 0),
        (["7"], 7),
    ],
)
def test_number_form(value: object, number: float) -> None:
    assert to_number(value) == number


@pytest.mark.parametrize(
    "value", ["1_000", "nan", "infinity", "INF", "-0x1", "1 2", "٣", "e5", ".", [1, 2], {}, MISSING]
)
def test_not_a_number(value: object) -> None:
    assert math.isnan(to_number(value))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)
VALUES = JSON | st.just(MISSING) | st.sampled_from([DATE, "2026-13-01", "0001-01-01T00:00+14:00"])


@given(st.sampled_from(sorted(OPERATORS)), VALUES, VALUES)
def test_operators_are_total(operator: str, actual: Any, expected: Any) -> None:
    assert OPERATORS[operator](actual, expected) in {True, False}
