"""Values: texts, numbers, names, and what is computed from them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeAlias

from dsl.spans import NOWHERE, Span

if TYPE_CHECKING:
    from dsl.nodes.conditions import Condition


Scalar: TypeAlias = str | int | float | bool | None


@dataclass(frozen=True, slots=True)
class Text:
    """A quoted text or a bare word that names something."""

    value: str
    span: Span = field(default=NOWHERE, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Literal:
    """A text, number, true, false or null."""

    value: Scalar
    span: Span = field(default=NOWHERE, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Name:
    """A value by its path: contact.data.plan, event.items[0]."""

    root: str
    path: tuple[str | int, ...] = ()
    span: Span = field(default=NOWHERE, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class ListOf:
    """[a, b]."""

    items: tuple[Operand, ...]
    span: Span = field(default=NOWHERE, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Pair:
    """key: value."""

    key: Text
    value: Operand
    span: Span = field(default=NOWHERE, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Object:
    """{ key: value … }; damaged when some of it could not be read."""

    pairs: tuple[Pair, ...]
    is_damaged: bool = field(default=False, compare=False, repr=False)
    span: Span = field(default=NOWHERE, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Binary:
    """left operator right, for + - * / ??."""

    operator: str
    left: Operand
    right: Operand
    span: Span = field(default=NOWHERE, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Negate:
    """-operand."""

    operand: Operand
    span: Span = field(default=NOWHERE, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Call:
    """function(arguments)."""

    function: Text
    arguments: tuple[Operand, ...]
    span: Span = field(default=NOWHERE, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Duration:
    """An amount of time as it was written: 3 days."""

    amount: int | float
    unit: str
    span: Span = field(default=NOWHERE, compare=False, repr=False)


Expression: TypeAlias = Literal | Name | ListOf | Object | Binary | Negate | Call | Duration
# A condition where a value belongs parses, and is reported by the checker.
Operand: TypeAlias = "Expression | Condition"
