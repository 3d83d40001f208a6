"""Conditions as other languages, or people, say them."""

from __future__ import annotations

from dsl.diagnostics import fix, report
from dsl.foreign_signs import instead, mistake
from dsl.spans import Span
from dsl.syntax_errors import Failure, Mistake, Repair
from dsl.tokens import span
from dsl.vocabulary import ACTIVITIES

# Words between two values → the operator.
_OPERATORS = {
    **dict.fromkeys(("equals", "eq", "equal"), "=="),
    **dict.fromkeys(("like", "includes", "has", "matches"), "contains"),
    "exists": "is set",
    "before": "<",
    "after": ">",
    **dict.fromkeys(("startswith", "startsWith", "begins"), "starts with"),
    **dict.fromkeys(("endswith", "endsWith"), "ends with"),
}
_COMPARISONS = frozenset({"EQ", "NE", "GE", "LE", "MORETHAN", "LESSTHAN"})
_BEFORE_TESTS = frozenset({"IF", "ELSE", "AND", "OR", "NOT", "WHERE", "WHEN", "UNTIL", "LPAR"})
_AGO = frozenset({"ago"})
_IS_SET = frozenset({"SET", "EMPTY"})


def repair(failure: Failure) -> Repair | None:
    """Read `opened "t" in the last 3 days`, where only the first word is wrong."""
    token = failure.token
    if token.type != "IN" or "WITHIN" not in failure.accepted or "COMMA" in failure.accepted:
        return None
    width = 1
    while failure.nearby(width) in {"the", "last", "past"}:
        width += 1
    place = Span(token.start_pos or 0, failure.nearby(width - 1).end_pos or 0)
    return Repair(instead(failure, place, "within"), "WITHIN", "within", width=width)


def diagnose(failure: Failure) -> Mistake | None:
    """Say more about conditions that cannot be read."""
    return _comparison(failure) or _history(failure)


def _comparison(failure: Failure) -> Mistake | None:
    token, before = failure.token, failure.nearby(-1)
    if token.type in _COMPARISONS and "AND" in failure.accepted:
        return mistake(failure, "compare two values at a time, and join with and: 1 < x and x < 5")
    if token in _OPERATORS and "LBRACE" in failure.accepted:
        return Mistake(instead(failure, span(token), _OPERATORS[token]))
    if before.type == "IS" and failure.accepted >= _IS_SET:
        is_member = token.type in {"IN", "NOT"}
        edit = fix(failure.source, span(before), "" if is_member else "==")
        message = "behind is stands set or empty; to compare values, write =="
        if is_member:
            message = f"write {token} without is"
        return Mistake(report(failure.source, "FLOW-E113", span(before), message, fixes=(edit,)))
    if token.type == "COMMA" and "RPAR" in failure.accepted:
        return mistake(failure, 'a list stands between square brackets: ["a", "b"]')
    return None


def _history(failure: Failure) -> Mistake | None:
    token, before = failure.token, failure.nearby(-1)
    if token in _AGO:
        return mistake(failure, "write how long ago like this: contact.createdAt older than 3 days")
    if token in ACTIVITIES and before.type == "CONTACT":
        message = f"write {token} without contact: it is always about the contact"
        edit = fix(failure.source, span(before), "")
        return Mistake(report(failure.source, "FLOW-E113", span(before), message, fixes=(edit,)))
    asks = failure.nearby(-2).type in _BEFORE_TESTS
    if asks and (before.type, token.type) == ("EVENT", "STRING"):
        return Mistake(instead(failure, span(before), "triggered"))
    if token.type == "LPAR" and before.type in {"COUNT", "TRIGGERED"}:
        return mistake(failure, f'write the event without parentheses: {before} "…"')
    return None
