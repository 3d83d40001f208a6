"""Law 3: memory, SQL on both databases and JSON say the same of every condition."""

from __future__ import annotations

import os
from collections.abc import Iterator
from itertools import product
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine

from plunk.conditions import nodes, segments, tree
from plunk.conditions.names import ACTIVITIES
from plunk.conditions.nodes import Computed, Condition, Count, Emails, Events, Literal, Path
from plunk.conditions.operators.segment import RULES, Kind
from plunk.db import open_engine
from plunk.errors import InvalidCondition
from plunk.ids import new_id
from tests.conditions.people import MISSING, NESTED, VALUES, People, population, settle

EXAMPLES = int(os.environ.get("CONDITION_EXAMPLES", "300"))
MANY = settings(
    max_examples=EXAMPLES,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
FEW = settings(MANY, max_examples=max(10, EXAMPLES // 10))
DYNAMIC = new_id()
DYNAMIC_CONDITION = {
    "logic": "OR",
    "groups": [
        {"filters": [{"field": "data.v", "operator": "equals", "value": "Pro"}]},
        {"filters": [{"field": "event.login", "operator": "triggered"}]},
    ],
}
PEOPLE = population(VALUES.values())
PEOPLE.conditions = {DYNAMIC: segments.read(DYNAMIC_CONDITION)}


@pytest.fixture(scope="module")
def engine(backend: str, databases: Any) -> Iterator[Engine]:
    """Return a database in which the population lives."""
    engine = open_engine(databases(backend, "plunk_readers"))
    settle(engine, PEOPLE)
    yield engine
    engine.dispose()


def agree(engine: Engine, people: People, condition: Condition) -> None:
    """Compare the readers; where one refuses the other refuses too."""
    resolved = segments.resolved(condition)
    assert segments.read(tree.to_json(condition)) == nodes.normal(resolved)
    try:
        expected = people.in_memory(resolved)
    except InvalidCondition:
        with engine.connect() as connection, pytest.raises(InvalidCondition):
            people.in_sql(connection, resolved)
        return
    with engine.connect() as connection:
        found = people.in_sql(connection, resolved)
    assert found == expected, (names(people, found), names(people, expected))


def names(people: People, ids: set[str]) -> list[Any]:
    """Show people by what they are, not by their ids."""
    return [one.contact.data.get("v", ...) for one in people.persons if one.contact.id in ids]


CONSTANTS = [value for value in VALUES.values() if value is not MISSING]
DATES = [
    "2026-03-01",
    "2026-03-02T12:00:00.123Z",
    "2026-03-02T14:00:00+02:00",
    "2026-03-02T12:00:00.1239Z",
    "0001-01-01",
    "9999-12-31",
    "9999-12-31T23:59:59.999Z",
    "2026-03-01T10:00",
]
UNITS = {"within", "olderThan", "triggeredWithin", "triggeredOlderThan", "notTriggeredWithin"}
LISTS: list[Any] = [
    CONSTANTS,
    [],
    ["Pro", None],
    ["2026-03-01", 5],
    [["2026-03-01"], {}],
    [f"x{number}" for number in range(30)] + ["Pro", "5", True],
    "Pro",
]


def amounts(operator: str, values: list[Any]) -> list[tuple[Any, str | None]]:
    """Return what an operator can be compared with."""
    if operator in UNITS:
        return [(1, "days"), (7, "days"), (0, "hours"), (36.5, "hours"), (99_999, "weeks")]
    if operator in tree.WITHOUT_VALUE:
        return [(None, None)]
    if operator in {"in", "notIn"}:
        return [(value, None) for value in (*LISTS, *values)]
    return [(value, None) for value in values]


@pytest.mark.parametrize("operator", sorted(RULES[Kind.JSON]))
def test_every_operator_on_every_value(engine: Engine, operator: str) -> None:
    every = amounts(operator, CONSTANTS)
    for (value, unit), keys in [*product(every, [("v",)]), *product(every[::4], NESTED)]:
        test = nodes.Test(Path(("data", *keys)), operator, Literal(value), unit)
        if is_accepted(test):
            agree(engine, PEOPLE, test)
            agree(engine, PEOPLE, nodes.Not(test))


def is_accepted(condition: Condition) -> bool:
    try:
        segments.resolved(condition)
    except InvalidCondition:
        return False
    return True


def is_accepted_of_events(condition: Condition) -> bool:
    return is_accepted(nodes.Test(Events("x", condition), "triggered"))


@pytest.mark.parametrize("field", ["id", "email", "subscribed", "createdAt", "updatedAt"])
def test_every_operator_on_every_column(engine: Engine, field: str) -> None:
    some = PEOPLE.persons[3].contact
    own = [some.id, some.id.upper(), some.email, some.email.upper(), "@EXAMPLE1", ".com", "ZOË"]
    values = [*CONSTANTS, *own, *DATES, 1_772_452_800_123, 1_772_452_800_123.9]
    rules = RULES[segments.kind_of(Path(("contact", field)))]
    for operator in rules:
        for value, unit in amounts(operator, values):
            test = nodes.Test(Path((field,)), operator, Literal(value), unit)
            if is_accepted(test):
                agree(engine, PEOPLE, test)
                agree(engine, PEOPLE, nodes.Not(test))


WHERES: list[Condition | None] = [
    None,
    nodes.Test(Path(("event", "v")), "equals", Literal("Pro")),
    nodes.Test(Path(("event", "v")), "notExists"),
    nodes.Test(Path(("event", "v", "persistent")), "equals", Literal(True)),
    nodes.Test(Path(("event", "n", "v", "value")), "exists"),
    nodes.Not(nodes.Test(Path(("event", "list", 0)), "greaterThan", Literal(0))),
    nodes.Test(Path(("email",)), "contains", Literal("zoë")),
]
HISTORIES = [
    *(Events(name, where) for name in ("login", "paid", "never") for where in WHERES),
    *(
        Emails(name, one)
        for name in ACTIVITIES
        for one in (None, *PEOPLE.templates, "odd", new_id())
    ),
]


@pytest.mark.parametrize("operator", sorted(RULES[Kind.HAPPENING]))
def test_every_operator_on_every_history(engine: Engine, operator: str) -> None:
    for operand in HISTORIES:
        for value, unit in amounts(operator, [None]):
            literal = None if value is None else Literal(value)
            agree(engine, PEOPLE, nodes.Test(operand, operator, literal, unit))


@pytest.mark.parametrize("operator", sorted(RULES[Kind.COUNT]))
def test_every_operator_on_every_count(engine: Engine, operator: str) -> None:
    windows = [(None, None), (7, "days"), (0, "days"), (0.5, "weeks")]
    for name, where, (within, unit) in product(("login", "never"), WHERES, windows):
        for value in (0, 1, 2.0, -1, 1e300):
            test = nodes.Test(Count(name, where, within, unit), operator, Literal(value))
            agree(engine, PEOPLE, test)


@pytest.mark.parametrize("operator", sorted(RULES[Kind.MEMBERSHIP]))
def test_every_operator_on_every_segment(engine: Engine, operator: str) -> None:
    for segment in (*PEOPLE.listed, DYNAMIC):
        agree(engine, PEOPLE, nodes.Test(nodes.Membership(segment), operator))


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**64) + 1, 2**64 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=5)
    | st.dates().map(str),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["v", "a", "value", "persistent"]), inner, max_size=3)
    ),
    max_leaves=4,
)
KNOWN = st.sampled_from(CONSTANTS)
KEYS = st.sampled_from([("v",), *NESTED, ("v", "b"), ("v", "a", 0), ("other",), ("list",)])


def comparisons(kind: Kind, field: st.SearchStrategy[Any], values: Any) -> st.SearchStrategy[Any]:
    """Return comparisons that suit a kind of field."""
    return (
        st.sampled_from(sorted(RULES[kind]))
        .flatmap(
            lambda operator: st.builds(
                nodes.Test,
                field,
                st.just(operator),
                st.builds(Literal, _values_for(operator, values)),
                st.sampled_from(["days", "hours"]) if operator in UNITS else st.none(),
            )
        )
        .filter(lambda test: is_accepted(test) or is_accepted_of_events(test))
    )


def _values_for(operator: str, values: Any) -> st.SearchStrategy[Any]:
    if operator in UNITS:
        return st.integers(0, 50) | st.floats(0, 50)
    return st.lists(values, max_size=4) if operator in {"in", "notIn"} else values


def data_tests(root: str, values: Any) -> st.SearchStrategy[Any]:
    return comparisons(Kind.JSON, KEYS.map(lambda keys: Path((root, *keys))), values)


MOMENTS = st.sampled_from(DATES)
COLUMNS = (
    comparisons(
        Kind.EMAIL, st.just(Path(("contact", "email"))), st.sampled_from(["ada", "1", "Z", ""])
    )
    | comparisons(Kind.FLAG, st.just(Path(("subscribed",))), KNOWN)
    | comparisons(Kind.TIME, st.just(Path(("contact", "createdAt"))), MOMENTS)
    | comparisons(Kind.TIME, st.just(Path(("updatedAt",))), MOMENTS)
    | st.just(nodes.Test(Path(("createdAt",)), "lessThan", Path(("now",))))
    | st.just(nodes.Test(Path(("data", "v")), "equals", Computed(["+", "P", "ro"])))
)
EVENT_NAMES = st.sampled_from(["login", "paid", "email.open", "never"])
WINDOWS = st.none() | st.integers(0, 30)


def conditions(values: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """Return random trees, history included."""
    plain = data_tests("data", values) | COLUMNS
    wheres = st.none() | trees(data_tests("event", values) | plain, 3)
    counts = st.builds(
        lambda name, where, within: Count(name, where, within, within and "days"),
        EVENT_NAMES,
        wheres,
        st.none() | st.integers(1, 30),
    )
    emails = st.builds(
        Emails, st.sampled_from(ACTIVITIES), st.none() | st.sampled_from(PEOPLE.templates)
    )
    asked = (
        comparisons(Kind.HAPPENING, st.builds(Events, EVENT_NAMES, wheres) | emails, st.none())
        | comparisons(Kind.COUNT, counts, st.integers(0, 4))
        | comparisons(
            Kind.MEMBERSHIP,
            st.sampled_from([*PEOPLE.listed, DYNAMIC]).map(nodes.Membership),
            st.none(),
        )
    )
    return trees(plain | asked, 8)


def trees(tests: st.SearchStrategy[Any], leaves: int) -> st.SearchStrategy[Any]:
    return st.recursive(
        tests,
        lambda inner: (
            st.builds(nodes.Not, inner)
            | st.lists(inner, min_size=1, max_size=3).map(tuple).map(nodes.All)
            | st.lists(inner, min_size=1, max_size=3).map(tuple).map(nodes.Any)
        ),
        max_leaves=leaves,
    )


@MANY
@given(condition=conditions(KNOWN | JSON))
def test_random_conditions_find_the_same_people(engine: Engine, condition: Condition) -> None:
    agree(engine, PEOPLE, condition)


@FEW
@given(values=st.lists(JSON, min_size=1, max_size=30), data=st.data())
def test_random_people_are_found_alike(engine: Engine, values: list[Any], data: Any) -> None:
    people = population(values)
    settle(engine, people)
    near = st.sampled_from(values) | JSON
    for _ in range(5):
        test = data.draw(data_tests("data", near))
        agree(engine, people, test)
        agree(engine, people, nodes.Not(test))


@MANY
@given(condition=conditions(KNOWN | JSON))
def test_json_is_canonical(condition: Condition) -> None:
    json = tree.to_json(condition)
    again = tree.from_json(json, segments.OPERATORS)
    assert again == nodes.normal(condition)
    assert tree.to_json(again) == json
