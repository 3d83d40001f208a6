"""The condition tree, read into SQL: what `matches` does in memory."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, NamedTuple, TypeAlias

from sqlalchemy import (
    ColumnElement,
    FromClause,
    Select,
    and_,
    exists,
    false,
    func,
    literal,
    or_,
    select,
    true,
)

from plunk.conditions import nodes
from plunk.conditions.matches import cutoff, expected
from plunk.conditions.nodes import (
    All,
    Condition,
    Count,
    Emails,
    Events,
    Membership,
    Not,
    Path,
    PathParts,
    Test,
)
from plunk.conditions.operators.segment import RULES, Kind
from plunk.conditions.segments import FEW, KINDS, MAX_DEPTH, MAX_TESTS, kind_of, levels
from plunk.conditions.sql import postgres, sqlite
from plunk.conditions.sql.places import (
    UUID,
    Find,
    FlagColumn,
    Happening,
    IdColumn,
    Number,
    Place,
    TextColumn,
    TimeColumn,
    between,
    check_sql,
    negated,
)
from plunk.conditions.sql.scope import Scope
from plunk.errors import InvalidCondition

Sql: TypeAlias = ColumnElement[bool]
JsonPlace: TypeAlias = Callable[[ColumnElement[Any], tuple[str, ...]], Place]


class Dialect(NamedTuple):
    """Where the databases differ: JSON, and how a text is searched."""

    data_place: JsonPlace
    event_place: JsonPlace
    find: Find


POSTGRES = Dialect(postgres.data_place, postgres.event_place, postgres.find)
SQLITE = Dialect(sqlite.data_place, sqlite.event_place, sqlite.find)
COLUMNS = {
    "id": "id",
    "email": "email",
    "subscribed": "subscribed",
    "createdAt": "created_at",
    "updatedAt": "updated_at",
}
PLACES: Mapping[Kind, Callable[[ColumnElement[Any], Find], Place]] = {
    Kind.ID: lambda column, _: IdColumn(column),
    Kind.EMAIL: TextColumn,
    Kind.FLAG: lambda column, _: FlagColumn(column),
    Kind.TIME: lambda column, _: TimeColumn(column),
}


def matches_sql(condition: Condition, scope: Scope) -> Sql:
    """Return SQL that is true for the contacts for whom a condition holds; null means false.

    The condition comes from `segments.read`, as do those of the segments it refers to.
    """
    return _Builder(scope).tree(condition, _Spot())


@dataclass(frozen=True, slots=True)
class _Spot:
    """Where in the SQL a condition stands: inside which segments, and beside which event."""

    depth: int = 0
    segments: tuple[str, ...] = ()
    event: FromClause | None = None


class _Builder:
    """One condition on its way into SQL."""

    def __init__(self, scope: Scope) -> None:
        self.scope = scope
        self.dialect = POSTGRES if scope.dialect == "postgresql" else SQLITE
        self.tests = 0

    def tree(self, node: Condition, spot: _Spot) -> Sql:
        """Return SQL for a part of the tree."""
        if spot.depth > MAX_DEPTH:
            raise InvalidCondition("the condition and its segments are nested too deep")
        inner = replace(spot, depth=spot.depth + levels(node))
        match node:
            case All(parts):
                return self.joined(and_, true(), [self.tree(part, inner) for part in parts])
            case nodes.Any(parts):
                return self.joined(or_, false(), [self.tree(part, inner) for part in parts])
            case Not(part):
                return negated(self.tree(part, inner))
            case Test():
                return self.test(node, inner)

    def joined(self, link: Callable[..., Sql], neutral: Sql, parts: Sequence[Sql]) -> Sql:
        """Return the parts linked; a long chain in SQLite is one of single terms."""
        if self.scope.dialect == "sqlite" and len(parts) > FEW:
            parts = [func.coalesce(part, false()) for part in parts]
        return link(neutral, *parts)

    def test(self, test: Test, spot: _Spot) -> Sql:
        """Return SQL for one comparison."""
        self.tests += 1
        if self.tests > MAX_TESTS:
            raise InvalidCondition("the condition and its segments make too many comparisons")
        rule = RULES[kind_of(test.field)][test.operator]
        return check_sql(rule(expected(test, self.scope.constants)), self.place(test, spot))

    def place(self, test: Test, spot: _Spot) -> Place:
        """Return where the value of a test's field is found."""
        match field := test.field:
            case Events(name, where):
                return Happening(lambda since: exists(self.events(name, where, since, spot)))
            case Count(name, where, within, unit):
                counted = self.events(name, where, self.since(within, unit), spot)
                return Number(counted.with_only_columns(func.count()).scalar_subquery())
            case Emails():
                return Happening(lambda since: self.emails(field, since))
            case Membership(segment_id):
                return FlagColumn(self.membership(segment_id, spot))
            case Path(parts):
                return self.column(parts, spot)
        raise InvalidCondition("an expression cannot stand on the left in a segment")

    def column(self, path: PathParts, spot: _Spot) -> Place:
        """Return the place of a contact's field, or of one of the event beside."""
        columns = self.scope.contacts.c
        match path:
            case ("contact", "data", *keys):
                return self.dialect.data_place(columns["data"], tuple(map(str, keys)))
            case ("event", *keys) if spot.event is not None:
                return self.dialect.event_place(spot.event.c["data"], tuple(map(str, keys)))
            case ("contact", str() as name) if name in COLUMNS:
                column = columns[COLUMNS[name]]
                return PLACES[KINDS[name]](column, self.dialect.find)
        raise InvalidCondition(f"unknown field {'.'.join(map(str, path))}")

    def events(
        self, name: str, where: Condition | None, since: datetime | None, spot: _Spot
    ) -> Select[int]:
        """Return a query for the contact's events of a name."""
        contacts, events = self.scope.contacts, self.scope.events.alias()
        found = (
            select(literal(1))
            .select_from(events)
            .where(events.c["contact_id"] == contacts.c["id"], events.c["name"] == name)
            .correlate(contacts)
        )
        if since is not None:
            found = found.where(events.c["created_at"] >= since)
        if where is not None:
            found = found.where(self.tree(where, replace(spot, event=events)))
        return found

    def emails(self, asked: Emails, since: datetime | None) -> Sql:
        """Return whether the contact has an e-mail with such an activity."""
        contacts, emails = self.scope.contacts, self.scope.emails.alias()
        template_id = asked.template_id
        if template_id is not None and not UUID.match(template_id):
            return false()
        at = emails.c[f"{asked.activity}_at"]
        found = (
            select(literal(1))
            .select_from(emails)
            .where(emails.c["contact_id"] == contacts.c["id"], between(at, since, None))
            .correlate(contacts)
        )
        if template_id is not None:
            found = found.where(emails.c["template_id"] == template_id)
        return exists(found)

    def membership(self, segment_id: str, spot: _Spot) -> Sql:
        """Return whether the contact is in a segment: by its rows, or by its condition."""
        if segment_id in spot.segments:
            raise InvalidCondition("segments refer to each other in a circle")
        if segment_id in self.scope.conditions:
            inside = _Spot(spot.depth, (*spot.segments, segment_id))
            return self.tree(self.scope.conditions[segment_id], inside)
        if segment_id not in self.scope.listed:
            raise InvalidCondition(f"unknown segment {segment_id}")
        contacts, members = self.scope.contacts, self.scope.members.alias()
        return exists(
            select(literal(1))
            .select_from(members)
            .where(
                members.c["segment_id"] == segment_id,
                members.c["contact_id"] == contacts.c["id"],
                members.c["left_at"].is_(None),
            )
            .correlate(contacts)
        )

    def since(self, within: float | None, unit: str | None) -> datetime | None:
        """Return where a window that ends now begins."""
        if unit is None:
            return None
        return cutoff(self.scope.constants.now, within, unit)
