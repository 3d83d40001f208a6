"""What SQL for a condition refuses, how far it goes, and that values never become SQL."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import pairwise
from typing import Any

import pytest
from sqlalchemy import Connection

from plunk.conditions import nodes, segments
from plunk.conditions.nodes import Condition, Literal, Membership, Not, Path
from plunk.conditions.sql import Constants, Scope, matches_sql
from plunk.db import open_engine, table_of
from plunk.errors import InvalidCondition
from plunk.ids import new_id
from plunk.models import Contact, Email, Event, SegmentMember
from tests.conditions.people import NOW, People, population, settle

A, B, C = new_id(), new_id(), new_id()
IS_PRO = nodes.Test(Path(("contact", "data", "v")), "equals", Literal("Pro"))


def scope(conditions: Mapping[str, Condition], dialect: str = "sqlite") -> Scope:
    return Scope(
        table_of(Contact),
        table_of(Event),
        table_of(Email),
        table_of(SegmentMember),
        dialect,
        Constants(NOW),
        conditions=conditions,
    )


def is_in(segment: str) -> nodes.Test:
    return nodes.Test(Membership(segment), "memberOfSegment")


def deep(levels: int) -> Condition:
    """Return a tree in which every level is one that its JSON has."""
    condition: Condition = IS_PRO
    for _ in range(levels):
        condition = nodes.Any((nodes.All((IS_PRO, condition)), IS_PRO))
    return condition


def negated(times: int) -> Condition:
    """Return a condition under so many negations."""
    condition: Condition = IS_PRO
    for _ in range(times):
        condition = Not(condition)
    return condition


def nested_lists(times: int) -> Condition:
    """Return long lists in one another, which together have as many comparisons as there may be."""
    condition: Condition = IS_PRO
    odd = nodes.Test(IS_PRO.field, "notIn", Literal(["a", None, "2026-01-01", 5, [1]]))
    for number in range(times):
        kind = nodes.All if number % 2 else nodes.Any
        condition = Not(kind((condition, *(odd,) * 70)))
    return condition


def doubled(levels: int) -> dict[str, Condition]:
    """Return segments of which each refers twice to the next: small, and enormous written out."""
    ids = [new_id() for _ in range(levels)]
    found: dict[str, Condition] = {
        one: nodes.Any((is_in(other), Not(is_in(other)))) for one, other in pairwise(ids)
    }
    return {**found, ids[-1]: IS_PRO}


@pytest.mark.parametrize(
    ("condition", "others", "problem"),
    [
        (is_in(A), {}, "unknown segment"),
        (is_in(A), {A: is_in(A)}, "in a circle"),
        (Not(is_in(A)), {A: is_in(B), B: nodes.All((IS_PRO, is_in(A)))}, "in a circle"),
        (is_in(A), {A: is_in(B), B: is_in(C)}, "unknown segment"),
        (is_in(A), {A: nodes.All((is_in(B), IS_PRO)), B: deep(12)}, "nested too deep"),
        (deep(12), {}, "nested too deep"),
        (nodes.All((IS_PRO,) * 501), {}, "too many comparisons"),
    ],
)
def test_refusals(condition: Condition, others: dict[str, Condition], problem: str) -> None:
    with pytest.raises(InvalidCondition, match=problem):
        matches_sql(condition, scope(others))


def test_segments_that_refer_to_each_other_cannot_explode() -> None:
    others = doubled(10)
    with pytest.raises(InvalidCondition, match="too many comparisons"):
        matches_sql(is_in(next(iter(others))), scope(others))


def test_values_are_always_parameters() -> None:
    nasty = "'); DROP TABLE contacts; --"
    keys = ("contact", "data", nasty, 'a"b', "0")
    for operator in ("equals", "contains", "endsWith", "lessThan", "in"):
        test = nodes.Test(Path(keys), operator, Literal(nasty))
        for dialect in ("sqlite", "postgresql"):
            assert "DROP" not in str(matches_sql(test, scope({}, dialect)))


@pytest.fixture(scope="module")
def few(backend: str, databases: Any) -> Iterator[tuple[Connection, People]]:
    """Return a few people and a connection to where they live."""
    people = population(["Pro", None, 5])
    people.conditions = {A: is_in(B), B: IS_PRO, C: deep(9)}
    engine = open_engine(databases(backend, "plunk_few"))
    settle(engine, people)
    with engine.connect() as connection:
        yield connection, people
    engine.dispose()


@pytest.mark.parametrize(
    "condition",
    [
        is_in(A),
        Not(is_in(A)),
        nodes.All((is_in(A), is_in(B), Not(is_in(C)))),
        deep(11),
        negated(16),
        nodes.Test(nodes.Events("login", deep(8)), "triggered"),
        nodes.Test(nodes.Count("login", negated(12)), "lessThan", Literal(9)),
        nodes.All((IS_PRO,) * 500),
        nodes.Any((*(Not(IS_PRO),) * 499, IS_PRO)),
        nested_lists(6),
        nodes.Test(Path(("contact", "data", *["k"] * 64)), "notExists"),
        nodes.Test(Path(("contact", "data", *[0] * 64)), "exists"),
        nodes.All(()),
        nodes.Any(()),
    ],
)
def test_the_largest_conditions_still_run(
    few: tuple[Connection, People], condition: Condition
) -> None:
    connection, people = few
    assert people.in_sql(connection, condition) == people.in_memory(condition)


def test_contacts_of_other_projects_and_left_members_do_not_count(
    few: tuple[Connection, People],
) -> None:
    connection, people = few
    for segment in people.listed:
        condition = is_in(segment)
        assert people.in_sql(connection, condition) == people.in_memory(condition)


def test_expressions_are_refused_where_none_can_be_computed() -> None:
    test = nodes.Test(Path(("contact", "createdAt")), "lessThan", nodes.Computed(["+", 1, 2]))
    with pytest.raises(InvalidCondition, match="cannot be computed"):
        matches_sql(test, scope({}))


def test_windows_that_leave_the_calendar_are_refused() -> None:
    test = segments.read(
        {
            "logic": "AND",
            "groups": [
                {
                    "filters": [
                        {"field": "createdAt", "operator": "within", "value": 1e9, "unit": "weeks"}
                    ]
                }
            ],
        }
    )
    with pytest.raises(InvalidCondition, match="outside the calendar"):
        matches_sql(test, scope({}))
