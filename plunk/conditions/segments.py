"""Conditions of the segment rule set: read, checked against the fields, evaluated in memory.

field   email  subscribed  id  createdAt  updatedAt  data.<key>…     with or without contact.
        event.<key>…                                                 inside `where` only
        history: events, e-mails, membership, count
value   a constant, or an expression that knows nothing but `now`
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from plunk.conditions.matches import Facts
from plunk.conditions.matches import matches as tree_matches
from plunk.conditions.nodes import (
    All,
    Any,
    Computed,
    Condition,
    Count,
    Emails,
    Events,
    Literal,
    Membership,
    Not,
    Operand,
    Path,
    Test,
)
from plunk.conditions.operators.happening import Operators, in_memory
from plunk.conditions.operators.segment import RULES, Kind
from plunk.conditions.tree import from_json
from plunk.errors import InvalidCondition

MAX_TESTS = 500
MAX_DEPTH = 66  # SQLite's parser has a stack of 100, and the last comparison needs some of it
FEW = 8
MAX_PARTS = 65  # data is at most 64 levels deep
KINDS = {
    "id": Kind.ID,
    "email": Kind.EMAIL,
    "subscribed": Kind.FLAG,
    "createdAt": Kind.TIME,
    "updatedAt": Kind.TIME,
}
OPERATORS = frozenset(name for rules in RULES.values() for name in rules)
TABLES = {kind: in_memory(rules) for kind, rules in RULES.items()}
NOW = ("now",)


def read(raw: object) -> Condition:
    """Return a segment's condition; InvalidCondition when a field or operator does not fit."""
    return resolved(from_json(raw, OPERATORS))


def matches(condition: Condition, facts: Facts) -> bool:
    """Return whether a condition from `read` holds."""
    return tree_matches(condition, facts, operators_of)


def operators_of(field: Operand) -> Operators:
    """Return the table of operators that a field has."""
    return TABLES[kind_of(field)]


def resolved(condition: Condition) -> Condition:
    """Return the tree with every field in its long form, after looking at all of it."""
    if sum(1 for _ in tests(condition)) > MAX_TESTS:
        raise InvalidCondition(f"a segment's condition has at most {MAX_TESTS} comparisons")
    if depth_of(condition) > MAX_DEPTH:
        raise InvalidCondition("a segment's condition is nested too deep")
    return _resolved(condition, is_where=False)


def tests(condition: Condition) -> Iterator[Test]:
    """Yield every comparison of a tree, those inside `where` too."""
    match condition:
        case All(parts) | Any(parts):
            for part in parts:
                yield from tests(part)
        case Not(part):
            yield from tests(part)
        case Test(field=field):
            yield condition
            if isinstance(field, Events | Count) and field.where is not None:
                yield from tests(field.where)


def depth_of(node: Condition) -> int:
    """Return how deep the SQL of a condition is nested, in places on a parser's stack."""
    match node:
        case All(parts) | Any(parts):
            return levels(node) + max(map(depth_of, parts), default=0)
        case Not(part):
            return levels(node) + depth_of(part)
        case Test(field=Events(where=where) | Count(where=where)) if where is not None:
            return levels(node) + depth_of(where)
    return levels(node)


def levels(node: Condition) -> int:
    """Return how many places one node adds."""
    match node:
        case All(parts) | Any(parts):
            return 3 if len(parts) <= FEW else 6
        case Not():
            return 4
        case Test(field=Events(where=where) | Count(where=where)) if where is not None:
            return 16
    return 1


def _resolved(node: Condition, *, is_where: bool) -> Condition:
    match node:
        case All(parts):
            return All(tuple(_resolved(part, is_where=is_where) for part in parts))
        case Any(parts):
            return Any(tuple(_resolved(part, is_where=is_where) for part in parts))
        case Not(part):
            return Not(_resolved(part, is_where=is_where))
        case Test(field=field):
            test = replace(node, field=_field(field, is_where=is_where))
            _check(test)
            return test


def _field(field: Operand, *, is_where: bool) -> Operand:
    match field:
        case Events(where=where) | Count(where=where):
            met = None if where is None else _resolved(where, is_where=True)
            return replace(field, where=met)
        case Emails() | Membership():
            return field
        case Path(("contact", *parts) | parts) if len(parts) <= MAX_PARTS:
            match parts:
                case ["data", _, *_]:
                    return Path(("contact", *parts))
                case [str() as name] if name in KINDS:
                    return Path(("contact", name))
                case ["event", _, *_] if is_where and field.parts[0] == "event":
                    return field
    raise InvalidCondition(f"unknown field {_named(field)}: {_known(is_where=is_where)}")


def kind_of(field: Operand) -> Kind:
    """Return what a resolved field holds."""
    match field:
        case Events() | Emails():
            return Kind.HAPPENING
        case Membership():
            return Kind.MEMBERSHIP
        case Count():
            return Kind.COUNT
        case Path(("contact", str() as name)):
            return KINDS[name]
    return Kind.JSON


def _check(test: Test) -> None:
    _check_texts(test)
    kind = kind_of(test.field)
    rules = RULES[kind]
    if test.operator not in rules:
        raise InvalidCondition(
            f"{test.operator} does not fit {_named(test.field)}, which holds {kind.value}:"
            f" it has {', '.join(rules)}"
        )
    match test.value:
        case Literal(value) if test.unit is None:
            rules[test.operator](value)
        case Literal(value):
            _check_amount(value, test.unit)
        case Path(path) if path != NOW:
            raise _not_constant(test)
        case Computed(expression) if not _is_constant(expression):
            raise _not_constant(test)


def _check_amount(value: object, unit: str | None) -> None:
    if isinstance(value, bool) or not isinstance(value, int | float) or value < 0:
        raise InvalidCondition(f"a number of {unit} is needed, 0 or more")


def _check_texts(test: Test) -> None:
    """Refuse what no database can hold."""
    if any("\0" in text for text in _texts(test)):
        raise InvalidCondition(f"{_named(test.field)}: a text holds a NUL character")


def _texts(value: object) -> Iterator[str]:
    match value:
        case str():
            yield value
        case list() | tuple():
            for item in value:
                yield from _texts(item)
        case dict():
            yield from _texts([*value, *value.values()])
        case Test(field=field, value=operand):
            yield from _texts([field, operand])
        case Path(parts):
            yield from _texts(parts)
        case Literal(literal):
            yield from _texts(literal)
        case Events(name) | Count(name):
            yield name


def _not_constant(test: Test) -> InvalidCondition:
    return InvalidCondition(f"{_named(test.field)}: segments compare with constants and now only")


def _is_constant(expression: object) -> bool:
    match expression:
        case ["get", *path]:
            return tuple(path) == NOW
        case ["secret" | "render", *_] | ["call", "secret" | "render", *_]:
            return False
        case list():
            return all(map(_is_constant, expression))
    return True


def _named(field: Operand) -> str:
    match field:
        case Path(parts):
            return ".".join(map(str, parts))
        case Computed():
            return "an expression"
    return type(field).__name__.lower()


def _known(*, is_where: bool) -> str:
    where = "event.<key>, " if is_where else ""
    return f"fields are {where}{', '.join(KINDS)} and data.<key>"
