"""The rules for history, which both rule sets share: a table from an operator to a check.

What is checked is the latest instant at which something happened (None: never), and whether the
contact is a member.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeAlias

from plunk.conditions.checks import Between, Both, Check, Either, Equal, Negated, passes
from plunk.conditions.instants import instant

Rule: TypeAlias = Callable[[object], Check]
Operators: TypeAlias = Mapping[str, Callable[[object, object], bool]]

EVER, NEVER, MEMBER = Between(), Either(()), Equal(True)


def _since(cutoff: object) -> Check:
    at = instant(cutoff)
    return Between(at) if at else NEVER


HAPPENING: Mapping[str, Rule] = {
    "triggered": lambda _: EVER,
    "notTriggered": lambda _: Negated(EVER),
    "triggeredWithin": _since,
    "triggeredOlderThan": lambda cutoff: Both((EVER, Negated(_since(cutoff)))),
    "notTriggeredWithin": lambda cutoff: Negated(_since(cutoff)),
}
MEMBERSHIP: Mapping[str, Rule] = {
    "memberOfSegment": lambda _: MEMBER,
    "notMemberOfSegment": lambda _: Negated(MEMBER),
}


def in_memory(rules: Mapping[str, Rule]) -> Operators:
    """Return rules as operators on an actual and an expected value."""
    return {name: _operator(rule) for name, rule in rules.items()}


def _operator(rule: Rule) -> Callable[[object, object], bool]:
    return lambda actual, expected: passes(rule(expected), actual)
