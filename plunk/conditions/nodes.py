"""The condition tree: frozen nodes that many readers match on."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from enum import Enum
from typing import Final, TypeAlias

PathParts: TypeAlias = tuple[str | int, ...]


class Missing(Enum):
    """The type of MISSING: a field that is not there, which is not the same as null."""

    MISSING = "missing"


MISSING: Final = Missing.MISSING


@dataclass(frozen=True, slots=True, eq=False)
class Literal:
    """A JSON value that stands for itself; 1, 1.0 and true are three different ones."""

    value: object

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Literal) and _exact(self.value) == _exact(other.value)

    def __hash__(self) -> int:
        return hash(_exact(self.value))


@dataclass(frozen=True, slots=True)
class Path:
    """A place in the facts: names, and positions in arrays."""

    parts: PathParts


@dataclass(frozen=True, slots=True, eq=False)
class Computed:
    """An expression in its JSON form; the facts know how to evaluate it."""

    expression: object

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Computed) and _exact(self.expression) == _exact(other.expression)

    def __hash__(self) -> int:
        return hash(_exact(self.expression))


@dataclass(frozen=True, slots=True)
class Events:
    """The latest event of a name, of those whose data (`event.<key>`) meets `where`."""

    name: str
    where: Condition | None = None


@dataclass(frozen=True, slots=True)
class Emails:
    """The latest e-mail activity; its template may have to be a certain one."""

    activity: str
    template_id: str | None = None


@dataclass(frozen=True, slots=True)
class Membership:
    """Whether the contact is in a segment."""

    segment_id: str


@dataclass(frozen=True, slots=True)
class Count:
    """How many events of a name there are, all of them or those of the last `within` units."""

    event: str
    where: Condition | None = None
    within: float | None = None
    unit: str | None = None


History: TypeAlias = Events | Emails | Membership | Count
Operand: TypeAlias = Literal | Path | Computed | History


def _exact(value: object) -> str:
    return json.dumps(value, sort_keys=True, default=repr)


@dataclass(frozen=True, slots=True)
class All:
    """True when every part is."""

    parts: tuple[Condition, ...]


@dataclass(frozen=True, slots=True)
class Any:
    """True when at least one part is."""

    parts: tuple[Condition, ...]


@dataclass(frozen=True, slots=True)
class Not:
    """True when the part is not."""

    part: Condition


@dataclass(frozen=True, slots=True)
class Test:
    """One comparison.

    `value` is None when it was left out. With a `unit`, it counts back from now: 7 days means
    the instant seven days ago.
    """

    __test__ = False  # pytest would collect a class of this name

    field: Operand
    operator: str
    value: Operand | None = None
    unit: str | None = None


Condition: TypeAlias = All | Any | Not | Test


def normal(node: Condition) -> Condition:
    """Return the same condition without nested or single-part All and Any."""
    match node:
        case All(parts):
            return _joined(All, parts)
        case Any(parts):
            return _joined(Any, parts)
        case Not(part):
            return Not(normal(part))
        case Test(field=(Events(where=where) | Count(where=where)) as field) if where:
            return replace(node, field=replace(field, where=normal(where)))
        case Test():
            return node


def _joined(kind: type[All | Any], parts: tuple[Condition, ...]) -> Condition:
    flat: list[Condition] = []
    for part in map(normal, parts):
        flat.extend(part.parts if isinstance(part, kind) else (part,))
    return flat[0] if len(flat) == 1 else kind(tuple(flat))
