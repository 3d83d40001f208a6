"""What conditions ask about a contact's past: read, written, collected and answered."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from plunk.conditions import nodes, tree
from plunk.conditions.history import StoredEmail, StoredEvent, answer, asked
from plunk.conditions.matches import matches
from plunk.conditions.nodes import (
    MISSING,
    All,
    Condition,
    Count,
    Emails,
    Events,
    Literal,
    Membership,
    Not,
    Path,
    PathParts,
)
from plunk.conditions.operators.workflow import OPERATORS
from plunk.errors import InvalidCondition

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
LARGE = nodes.Test(Path(("event", "amount")), "greaterThan", Literal(10))
LARGE_JSON = {
    "logic": "AND",
    "groups": [{"filters": [{"field": "event.amount", "operator": "greaterThan", "value": 10}]}],
}


def ago(days: float) -> datetime:
    return NOW - timedelta(days=days)


def one(**filter_: object) -> dict[str, object]:
    return {"logic": "AND", "groups": [{"filters": [filter_]}]}


@pytest.mark.parametrize(
    ("json", "node"),
    [
        (
            {"field": "event.login", "operator": "triggered"},
            nodes.Test(Events("login"), "triggered"),
        ),
        (
            {"field": "event.sign up! é.x", "operator": "notTriggered"},
            nodes.Test(Events("sign up! é.x"), "notTriggered"),
        ),
        (
            {
                "field": "event.paid",
                "operator": "triggeredWithin",
                "value": 30,
                "unit": "days",
                "where": LARGE_JSON,
            },
            nodes.Test(Events("paid", LARGE), "triggeredWithin", Literal(30), "days"),
        ),
        (
            {
                "field": "email.opened",
                "operator": "notTriggeredWithin",
                "value": 1,
                "unit": "weeks",
                "template": {"id": "t1"},
            },
            nodes.Test(Emails("opened", "t1"), "notTriggeredWithin", Literal(1), "weeks"),
        ),
        (
            {"field": "segment.s1", "operator": "notMemberOfSegment"},
            nodes.Test(Membership("s1"), "notMemberOfSegment"),
        ),
        (
            {"field": {"$count": {"event": "login"}}, "operator": "equals", "value": 0},
            nodes.Test(Count("login"), "equals", Literal(0)),
        ),
        (
            {
                "field": {
                    "$count": {
                        "event": "paid",
                        "where": LARGE_JSON,
                        "within": {"value": 1.5, "unit": "hours"},
                    }
                },
                "operator": "greaterThanOrEqual",
                "value": 2,
            },
            nodes.Test(Count("paid", LARGE, 1.5, "hours"), "greaterThanOrEqual", Literal(2)),
        ),
        (
            {"field": "event.login", "operator": "equals", "value": 1},
            nodes.Test(Path(("event", "login")), "equals", Literal(1)),
        ),
    ],
)
def test_history_in_json(json: dict[str, object], node: nodes.Test) -> None:
    assert tree.from_json(one(**json), OPERATORS) == node
    assert tree.to_json(node) == one(**json)


@pytest.mark.parametrize(
    ("json", "operand"),
    [
        ({"field": "login", "operator": "triggered"}, Events("login")),
        ({"field": "segment.vip.entry", "operator": "triggered"}, Events("segment.vip.entry")),
        ({"field": "event.email.opened", "operator": "triggered"}, Events("email.open")),
        ({"field": "email.open", "operator": "triggered"}, Emails("opened")),
        ({"field": "email.delivery", "operator": "triggered"}, Emails("delivered")),
        (
            {"field": {"$segment": {"id": "s1"}}, "operator": "memberOfSegment"},
            Membership("s1"),
        ),
    ],
)
def test_other_spellings_are_read_as_the_canonical_one(json: Any, operand: object) -> None:
    node = tree.from_json(one(**json), OPERATORS)
    assert isinstance(node, nodes.Test)
    assert node.field == operand


@pytest.mark.parametrize(
    ("json", "problem"),
    [
        ({"field": "", "operator": "triggered"}, "field must name an event"),
        ({"field": "event.", "operator": "triggered"}, "field must name an event"),
        ({"field": {"$expr": 1}, "operator": "triggered"}, "field must name an event"),
        ({"field": "email.seen", "operator": "triggered"}, "e-mail activities are sent"),
        ({"field": "email.sent", "operator": "triggered", "where": LARGE_JSON}, "where belongs"),
        (
            {"field": "event.x", "operator": "triggered", "template": {"id": "t"}},
            "template belongs",
        ),
        (
            {"field": "email.sent", "operator": "triggered", "template": {"name": "t"}},
            "the template's id",
        ),
        ({"field": "event.x", "operator": "triggeredWithin", "value": 1}, "unit must be one of"),
        ({"field": "event.x", "operator": "triggeredWithin", "unit": "days"}, "value is required"),
        (
            {"field": "event.x", "operator": "triggered", "where": {"logic": 1}},
            ".where needs logic",
        ),
        (
            {
                "field": "event.x",
                "operator": "triggered",
                "where": one(field="event.y", operator="triggered"),
            },
            "cannot ask about history itself",
        ),
        ({"field": "vip", "operator": "memberOfSegment"}, "segment. and the segment's id"),
        (
            {"field": {"$segment": {"name": "VIP"}}, "operator": "memberOfSegment"},
            "segment. and the segment's id",
        ),
        (
            {"field": {"$count": 5}, "operator": "equals", "value": 1},
            "takes event, where and within",
        ),
        (
            {"field": {"$count": {"event": "x", "since": 1}}, "operator": "equals", "value": 1},
            "takes event, where and within",
        ),
        ({"field": {"$count": {}}, "operator": "equals", "value": 1}, "event must name an event"),
        (
            {
                "field": {"$count": {"event": "x", "within": {"value": True, "unit": "days"}}},
                "operator": "equals",
                "value": 1,
            },
            "within needs a number",
        ),
        ({"field": {"$count": {"event": "x"}}, "operator": "equals"}, "value is required"),
    ],
)
def test_a_mistake_is_named(json: Any, problem: str) -> None:
    with pytest.raises(InvalidCondition) as caught:
        tree.from_json(one(**json), OPERATORS)
    assert problem in caught.value.message


def test_a_where_counts_towards_the_depth() -> None:
    where: dict[str, Any] = LARGE_JSON
    for _ in range(63):
        where = {"not": where}
    with pytest.raises(InvalidCondition, match="nested more than 64"):
        tree.from_json(one(field="event.x", operator="triggered", where=where))


def test_asked_lists_each_history_once() -> None:
    often = Count("paid", LARGE, 30, "days")
    condition = All(
        (
            nodes.Test(Events("login"), "triggered"),
            Not(nodes.Test(Events("login"), "triggeredWithin", Literal(1), "days")),
            nodes.Any((nodes.Test(often, "equals", Literal(1)), nodes.Test(Membership("s"), "x"))),
            nodes.Test(Path(("event", "login")), "exists"),
        )
    )
    assert asked(condition) == {Events("login"), often, Membership("s")}


def test_operands_with_different_literals_are_different() -> None:
    def paid(value: object) -> Events:
        return Events("paid", nodes.Test(Path(("event", "x")), "equals", Literal(value)))

    values: list[object] = [1, True, 1.0, "1", [1], [True], {"a": 1}, None]
    assert len({paid(value) for value in values}) == len(values)


@dataclass
class Past:
    """A past in memory."""

    happened: tuple[StoredEvent, ...] = ()
    mails: tuple[StoredEmail, ...] = ()
    segments: tuple[str, ...] = ()

    def events(self, name: str) -> Iterable[StoredEvent]:
        return [event for event in self.happened if event.name == name]

    def emails(self) -> Iterable[StoredEmail]:
        return self.mails

    def is_member(self, segment_id: str) -> bool:
        return segment_id in self.segments


@dataclass
class Known:
    """Facts with a past; `event` is the data of the event under judgement."""

    past: Past
    event: StoredEvent | None = None

    def get(self, path: PathParts, default: object = MISSING) -> object:
        if path == ("now",):
            return NOW.isoformat()
        return self.event.data.get(str(path[1]), default) if self.event else default

    def evaluate(self, expression: object) -> object:
        return expression

    def answer(self, operand: nodes.History) -> object:
        return answer(operand, self.past, self.meets, NOW)

    def meets(self, condition: Condition, event: StoredEvent) -> bool:
        return matches(condition, Known(self.past, event), OPERATORS)


PAST = Past(
    (
        StoredEvent("login", ago(40), {}),
        StoredEvent("login", ago(10), {}),
        StoredEvent("paid", ago(40), {"amount": 50}),
        StoredEvent("paid", ago(5), {"amount": 5}),
    ),
    (
        StoredEmail("t1", {"sent": ago(20), "opened": ago(19)}),
        StoredEmail("t2", {"sent": ago(3)}),
    ),
    ("vip",),
)
LOGIN, PAID, NEVER = Events("login"), Events("paid", LARGE), Events("never")
WINDOWED = ("triggeredWithin", "triggeredOlderThan", "notTriggeredWithin")


@pytest.mark.parametrize(
    ("operand", "days", "true"),
    [
        (LOGIN, 10, {"triggered", "triggeredWithin"}),
        (LOGIN, 9, {"triggered", "triggeredOlderThan", "notTriggeredWithin"}),
        (PAID, 9, {"triggered", "triggeredOlderThan", "notTriggeredWithin"}),
        (PAID, 60, {"triggered", "triggeredWithin"}),
        (NEVER, 9, {"notTriggered", "notTriggeredWithin"}),
        (Emails("sent"), 5, {"triggered", "triggeredWithin"}),
        (Emails("sent", "t1"), 5, {"triggered", "triggeredOlderThan", "notTriggeredWithin"}),
        (Emails("opened", "t2"), 5, {"notTriggered", "notTriggeredWithin"}),
    ],
)
def test_the_five_operators(operand: nodes.History, days: float, true: set[str]) -> None:
    tests = [nodes.Test(operand, name) for name in ("triggered", "notTriggered")]
    tests += [nodes.Test(operand, name, Literal(days), "days") for name in WINDOWED]
    assert {test.operator for test in tests if matches(test, Known(PAST), OPERATORS)} == true


@pytest.mark.parametrize(
    ("operand", "count"),
    [
        (Count("login"), 2),
        (Count("login", within=10, unit="days"), 1),
        (Count("paid", LARGE), 1),
        (Count("paid", LARGE, 30, "days"), 0),
        (Count("never"), 0),
    ],
)
def test_counts(operand: Count, count: int) -> None:
    assert matches(nodes.Test(operand, "equals", Literal(count)), Known(PAST), OPERATORS)
    assert matches(nodes.Test(operand, "lessThan", Literal(count + 1)), Known(PAST), OPERATORS)
    assert not matches(nodes.Test(operand, "greaterThan", Literal(count)), Known(PAST), OPERATORS)


@pytest.mark.parametrize(("segment", "is_in"), [("vip", True), ("other", False)])
def test_membership(segment: str, *, is_in: bool) -> None:
    known = Known(PAST)
    assert matches(nodes.Test(Membership(segment), "memberOfSegment"), known, OPERATORS) is is_in
    assert matches(nodes.Test(Membership(segment), "notMemberOfSegment"), known, OPERATORS) is (
        not is_in
    )
