"""The condition tree: frozen nodes that many readers match on."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Final, TypeAlias

PathParts: TypeAlias = tuple[str | int, ...]


class Missing(Enum):
    """The type of MISSING: a field that is not there, which is not the same as null."""

    MISSING = "missing"


MISSING: Final = Missing.MISSING


@dataclass(frozen=True, slots=True)
class Literal:
    """A JSON value that stands for itself."""

    value: object


@dataclass(frozen=True, slots=True)
class Path:
    """A place in the facts: names, and positions in arrays."""

    parts: PathParts


@dataclass(frozen=True, slots=True)
class Computed:
    """An expression in its JSON form; the facts know how to evaluate it."""

    expression: object


Operand: TypeAlias = Literal | Path | Computed


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
        case Test():
            return node


def _joined(kind: type[All | Any], parts: tuple[Condition, ...]) -> Condition:
    flat: list[Condition] = []
    for part in map(normal, parts):
        flat.extend(part.parts if isinstance(part, kind) else (part,))
    return flat[0] if len(flat) == 1 else kind(tuple(flat))
