"""What SQL for a condition is made of: tables, the time, and the segments it may refer to."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import FromClause

from plunk.conditions.instants import iso
from plunk.conditions.nodes import MISSING, Condition, History, PathParts
from plunk.errors import InvalidCondition


def _no_expressions(_expression: object, _facts: Constants) -> object:
    raise InvalidCondition("expressions cannot be computed here")


@dataclass(frozen=True, slots=True)
class Constants:
    """Facts that know the time and nothing else."""

    now: datetime
    compute: Callable[[object, Constants], object] = _no_expressions

    def get(self, path: PathParts, default: object = MISSING) -> object:
        """Return the time."""
        return iso(self.now) if path == ("now",) else default

    def evaluate(self, expression: object) -> object:
        """Return the value of an expression."""
        return self.compute(expression, self)

    def render(self, _source: str) -> str:
        """Refuse: a template is about somebody."""
        raise InvalidCondition("render() is no constant")

    def answer(self, operand: History) -> object:
        """Refuse: history is in the tables."""
        raise InvalidCondition(f"{type(operand).__name__} is no constant")


@dataclass(frozen=True, slots=True)
class Scope:
    """Where a condition is asked: the tables, which dialect they are in, and other segments.

    `contacts` needs id, email, subscribed, created_at, updated_at and data; `events` contact_id,
    name, created_at and data; `emails` contact_id, template_id and the activities as `<name>_at`;
    `members` segment_id, contact_id and left_at.
    """

    contacts: FromClause
    events: FromClause
    emails: FromClause
    members: FromClause
    dialect: str
    constants: Constants
    # segments whose members are in `members`, and the conditions of the other ones, by id
    listed: Collection[str] = frozenset()
    conditions: Mapping[str, Condition] = field(default_factory=dict)
