"""Every operator of the segment rule set against every kind of value, in memory."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import pytest

from plunk.conditions import nodes, segments
from plunk.conditions.nodes import MISSING, PathParts
from plunk.conditions.operators.segment import RULES, Kind
from plunk.conditions.paths import descend
from plunk.errors import InvalidCondition

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
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
    "text": "Pro",
    "lower": "pro",
    "date": "2026-03-01",
    "moment": "2026-03-01T10:00:00.000Z",
    "future": "2030-01-01",
    "array": ["Pro", 5],
    "empty array": [],
    "object": {"a": 5},
    "empty object": {},
}
ALL = set(ACTUALS)
THERE = ALL - {"missing"}
PRESENT = ALL - {"missing", "null"}
TEXTS = {"empty", "five text", "text", "lower", "date", "moment", "future"}

# (operator, value, the kinds of stored values for which it is true)
CASES: list[tuple[str, object, set[str]]] = [
    ("equals", "Pro", {"text"}),
    ("equals", "PRO", set()),
    ("equals", "", {"empty"}),
    ("equals", 5, {"five", "5.0"}),
    ("equals", "5", {"five text"}),
    ("equals", 0, {"zero"}),
    ("equals", False, {"false"}),
    ("equals", 1, set()),
    ("equals", None, {"missing", "null"}),
    ("equals", ["Pro", 5.0], {"array"}),
    ("equals", [5, "Pro"], set()),
    ("equals", {"a": 5}, {"object"}),
    ("equals", {}, {"empty object"}),
    ("equals", "2026-03-01", {"date", "moment"}),
    ("equals", "2026-03-01T23:00:00Z", {"date", "moment"}),
    ("equals", "2026-02-30", set()),
    ("notEquals", "Pro", THERE - {"text"}),
    ("notEquals", 5, THERE - {"five", "5.0"}),
    ("notEquals", None, PRESENT),
    ("notEquals", "2026-03-01", TEXTS - {"date", "moment"}),
    ("notEquals", ["Pro", 5], THERE - {"array"}),
    ("contains", "r", {"text", "lower"}),
    ("contains", "P", {"text"}),
    ("contains", "%", set()),
    ("contains", "_", set()),
    ("contains", "", TEXTS),
    ("contains", 5, {"five text"}),
    ("notContains", "r", PRESENT - {"text", "lower"}),
    ("notContains", "", PRESENT - TEXTS),
    ("startsWith", "Pr", {"text"}),
    ("startsWith", 2026, {"date", "moment"}),
    ("endsWith", "ro", {"text", "lower"}),
    ("endsWith", "Pro!", set()),
    ("greaterThan", 0, {"five", "5.0"}),
    ("greaterThan", 4.99, {"five", "5.0"}),
    ("greaterThan", "5", {"text", "lower"}),
    ("greaterThan", "", TEXTS - {"empty"}),
    ("lessThan", 5, {"zero"}),
    ("lessThan", "5", TEXTS - {"five text", "text", "lower"}),
    ("greaterThanOrEqual", 5, {"five", "5.0"}),
    ("greaterThanOrEqual", "Pro", {"text", "lower"}),
    ("lessThanOrEqual", 5, {"zero", "five", "5.0"}),
    ("lessThanOrEqual", "Pro", TEXTS - {"lower"}),
    ("in", ["Pro", 5, None], {"text", "five", "5.0", "missing", "null"}),
    ("in", "Pro", {"text"}),
    ("in", [], set()),
    ("in", ["2026-03-01"], {"date", "moment"}),
    ("in", [f"no {number}" for number in range(50)] + ["pro", 0], {"lower", "zero"}),
    ("notIn", ["Pro", 5], THERE - {"text", "five", "5.0"}),
    ("notIn", [], THERE),
    ("notIn", [None], PRESENT),
    ("exists", MISSING, PRESENT),
    ("notExists", MISSING, {"missing", "null"}),
    ("isEmpty", MISSING, {"missing", "null", "empty", "empty array", "empty object"}),
    ("isNotEmpty", MISSING, PRESENT - {"empty", "empty array", "empty object"}),
    ("within", "2026-03-01T09:00:00.000Z", {"moment", "future"}),
    ("within", "2026-02-28T00:00:00.000Z", {"date", "moment", "future"}),
    ("olderThan", "2026-03-01T10:00:00.001Z", {"date", "moment"}),
]


@pytest.mark.parametrize(("operator", "value", "holds"), CASES)
def test_operator_on_data(operator: str, value: object, holds: set[str]) -> None:
    test = segments.TABLES[Kind.JSON][operator]
    assert {kind for kind, actual in ACTUALS.items() if test(actual, value)} == holds


def test_every_operator_has_a_case() -> None:
    assert {operator for operator, _, _ in CASES} == set(RULES[Kind.JSON])


@dataclass
class Known:
    """A contact and the event under judgement."""

    contact: dict[str, Any]
    event: dict[str, Any] = field(default_factory=dict)

    def get(self, path: PathParts, default: object = MISSING) -> object:
        roots = {"contact": self.contact, "event": self.event, "now": "2026-03-02T12:00:00.000Z"}
        return descend(roots, path, default)

    def evaluate(self, expression: object) -> object:
        return expression

    def answer(self, operand: nodes.History) -> object:
        return 3 if isinstance(operand, nodes.Count) else None


ADA = Known(
    {
        "id": "019580f0-0000-7000-8000-000000000001",
        "email": "ada@example.com",
        "subscribed": True,
        "createdAt": "2026-03-01T10:00:00.500Z",
        "updatedAt": "2026-03-02T12:00:00.000Z",
        "data": {"plan": "pro", "seen": "2026-03-01", "tags": ["a", "b"]},
    }
)


def one(field: object, operator: str, **parts: object) -> dict[str, object]:
    return {
        "logic": "AND",
        "groups": [{"filters": [{"field": field, "operator": operator, **parts}]}],
    }


def valued(field: object, operator: str, value: object) -> dict[str, object]:
    return one(field, operator, value=value)


@pytest.mark.parametrize(
    ("condition", "holds"),
    [
        (valued("email", "equals", "ADA@Example.com"), True),
        (valued("contact.email", "notEquals", "ada@example.com"), False),
        (valued("email", "contains", "EXAMPLE"), True),
        (valued("email", "notContains", "x.org"), True),
        (valued("email", "startsWith", "Ada"), True),
        (valued("email", "endsWith", ".COM"), True),
        (valued("email", "in", ["bob@example.com", "Ada@example.com"]), True),
        (valued("email", "notIn", ["ada@example.com"]), False),
        (valued("id", "equals", "019580F0-0000-7000-8000-000000000001"), True),
        (valued("subscribed", "equals", True), True),
        (valued("subscribed", "equals", "true"), True),
        (valued("subscribed", "equals", 1), False),
        (valued("subscribed", "notEquals", "false"), True),
        (valued("createdAt", "equals", "2026-03-01"), True),
        (valued("createdAt", "equals", "2026-03-01T23:00:00Z"), True),
        (valued("createdAt", "notEquals", "2026-03-02"), True),
        (valued("createdAt", "equals", 1_772_359_200_500), True),
        (valued("createdAt", "greaterThan", "2026-03-01T12:00:00.500+02:00"), False),
        (valued("createdAt", "greaterThanOrEqual", "2026-03-01T12:00:00.500+02:00"), True),
        (valued("createdAt", "lessThan", "2026-03-02"), True),
        (valued("createdAt", "lessThanOrEqual", "2026-03-01"), False),
        (one("createdAt", "within", value=2, unit="days"), True),
        (one("contact.createdAt", "olderThan", value=2, unit="days"), False),
        (valued("updatedAt", "lessThanOrEqual", {"$expr": ["get", "now"]}), True),
        (valued("data.plan", "equals", "pro"), True),
        (valued("contact.data.plan", "equals", "pro"), True),
        (valued("data.tags.1", "equals", "b"), True),
        (valued("data.tags.01", "notExists", None), True),
        (valued({"$expr": ["get", "contact", "data", "plan"]}, "equals", "pro"), True),
        (one("data.seen", "within", value=7, unit="days"), True),
        (valued({"$count": {"event": "x"}}, "greaterThan", 2), True),
        (valued({"$count": {"event": "x"}}, "equals", 3.0), True),
        (one("x", "notTriggered"), True),
        (one("segment.s", "memberOfSegment"), False),
    ],
)
def test_fields(condition: object, *, holds: bool) -> None:
    assert segments.matches(segments.read(condition), ADA) is holds


@pytest.mark.parametrize(
    ("condition", "problem"),
    [
        (valued("plan", "equals", 1), "unknown field plan: fields are id, email"),
        (valued("data", "equals", 1), "unknown field data"),
        (valued("event.x", "equals", 1), "unknown field event.x"),
        (valued("contact.event.x", "equals", 1), "unknown field contact.event.x"),
        (valued("run.id", "equals", 1), "unknown field run.id"),
        (valued({"$expr": ["+", 1, 2]}, "equals", 3), "unknown field an expression"),
        (valued("email", "greaterThan", "a"), "greaterThan does not fit contact.email"),
        (one("subscribed", "exists"), "exists does not fit contact.subscribed"),
        (valued("createdAt", "contains", "2026"), "contains does not fit contact.createdAt"),
        (valued({"$count": {"event": "x"}}, "contains", 2), "contains does not fit count"),
        (valued("data.x", "greaterThan", True), "compares with a number or a text, not with true"),
        (valued("data.x", "lessThan", {}), "not with {}"),
        (valued("createdAt", "lessThan", "soon"), 'an ISO date, not with "soon"'),
        (valued("createdAt", "equals", None), "an ISO date, not with null"),
        (valued({"$count": {"event": "x"}}, "equals", 1.5), "a whole number, not with 1.5"),
        (one("data.x", "within", value="7", unit="days"), "a number of days is needed"),
        (one("data.x", "within", value=-7, unit="days"), "a number of days is needed"),
        (valued("data.x", "equals", {"$expr": ["get", "data", "y"]}), "constants and now only"),
        (valued("data.x", "equals", {"$expr": ["+", 1, ["get", "x"]]}), "constants and now only"),
        (valued("data.x", "equals", "a\0"), "a text holds a NUL"),
        (valued("data.x\0", "equals", "a"), "a text holds a NUL"),
        (one("event.x\0", "triggered"), "a text holds a NUL"),
        (valued("data.x", "in", list(range(101))), "at most 1000 values"),
        (valued("data.x", "like", 1), "unknown operator like"),
        (one("event.x", "triggered", where=valued("plan", "equals", 1)), "unknown field plan"),
        (
            {
                "logic": "AND",
                "groups": [{"filters": [{"field": "data.x", "operator": "exists"}] * 501}],
            },
            "at most 500 comparisons",
        ),
    ],
)
def test_a_mistake_is_named(condition: object, problem: str) -> None:
    with pytest.raises(InvalidCondition) as caught:
        segments.read(condition)
    assert problem in caught.value.message
