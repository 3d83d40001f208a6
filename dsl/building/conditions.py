"""Rules of conditions."""

from __future__ import annotations

from dsl import nodes
from dsl.building.parts import Parts, as_condition, span_of

OPERATORS = {
    "==": "equals",
    "!=": "notEquals",
    ">": "greaterThan",
    ">=": "greaterThanOrEqual",
    "<": "lessThan",
    "<=": "lessThanOrEqual",
    "contains": "contains",
    "not contains": "notContains",
    "starts with": "startsWith",
    "ends with": "endsWith",
    "in": "in",
    "not in": "notIn",
}
PRESENCE = {"set": "exists", "not set": "notExists", "empty": "isEmpty", "not empty": "isNotEmpty"}


def condition(parts: Parts) -> nodes.Condition:
    """Any value; one that is no condition must be true."""
    return as_condition(parts[0])


def any_of(parts: Parts) -> nodes.AnyOf:
    """Return a "or" b …."""
    return nodes.AnyOf(tuple(_chained(parts, nodes.AnyOf)), span_of(parts))


def all_of(parts: Parts) -> nodes.AllOf:
    """Return a "and" b …."""
    return nodes.AllOf(tuple(_chained(parts, nodes.AllOf)), span_of(parts))


def negation(parts: Parts) -> nodes.Not:
    """Build from "not" a."""
    return nodes.Not(as_condition(parts[1]), span_of(parts))


def test(parts: Parts) -> nodes.Test:
    """Value operator value."""
    return nodes.Test(parts[0], parts[1], parts[2], span_of(parts))


def operator(parts: Parts) -> str:
    """Words or sign of a comparison → its JSON name."""
    return OPERATORS[" ".join(part for part in parts if part is not None)]


def presence(parts: Parts) -> nodes.Test:
    """Value "is" ["not"] ("set" | "empty")."""
    words = " ".join(part for part in parts[2:] if part is not None)
    return nodes.Test(parts[0], PRESENCE[words], None, span_of(parts))


def recent(parts: Parts) -> nodes.Test:
    """Build from value "within" duration."""
    return nodes.Test(parts[0], "within", parts[2], span_of(parts))


def older(parts: Parts) -> nodes.Test:
    """Build from value "older" "than" duration."""
    return nodes.Test(parts[0], "olderThan", parts[3], span_of(parts))


def member(parts: Parts) -> nodes.Member:
    """Build from value ["not"] "in" "segment" reference."""
    return nodes.Member(parts[0], parts[4], parts[1] is not None, span_of(parts))


def triggered(parts: Parts) -> nodes.Triggered:
    """Build from "triggered" text [limited] [window]."""
    return nodes.Triggered(parts[1], parts[2], parts[3], span_of(parts))


def mailed(parts: Parts) -> nodes.Mailed:
    """Build from activity (reference | "any" "email") [window]."""
    activity, template, window = parts[0], parts[1], parts[-1]
    named = template if isinstance(template, nodes.Reference) else None
    return nodes.Mailed(str(activity), named, window, span_of(parts))


def activity(parts: Parts) -> object:
    """Return the word."""
    return parts[0]


def counted(parts: Parts) -> nodes.Counted:
    """Build from "count" text [limited] [window] operator value."""
    _, event, where, window, operator, value = parts
    return nodes.Counted(event, where, window, operator, value, span_of(parts))


def limited(parts: Parts) -> nodes.Condition:
    """Build from "where" "(" condition ")"."""
    return as_condition(parts[2])


def window(parts: Parts) -> nodes.Window:
    """Build from "within" duration | "older" "than" duration."""
    return nodes.Window(parts[-1], str(parts[0]) == "older", span_of(parts))


def raw_condition(parts: Parts) -> nodes.RawCondition:
    """Build from "json" text."""
    return nodes.RawCondition(parts[1], span_of(parts))


def _chained(parts: Parts, joined: type[nodes.AllOf | nodes.AnyOf]) -> Parts:
    """Operands of a chain of and, or of or, with the nested chains of its own kind opened."""
    found: Parts = []
    for part in parts[::2]:
        found.extend(part.parts if isinstance(part, joined) else [as_condition(part)])
    return found
