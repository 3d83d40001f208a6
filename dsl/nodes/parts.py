"""What several statements and headers are made of."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from dsl.nodes.values import Duration
from dsl.spans import NOWHERE, Span

if TYPE_CHECKING:
    from dsl.nodes.declarations import Item


@dataclass(frozen=True, slots=True)
class Prefix:
    """@label "Display name" (x, y), each part optional."""

    label: str | None = None
    name: str | None = None
    position: tuple[int | float, int | float] | None = None
    span: Span = field(default=NOWHERE, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Reference:
    """A template or segment by name, or by id."""

    value: str
    is_id: bool = False
    span: Span = field(default=NOWHERE, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Block:
    """{ items }, the span reaching from brace to brace."""

    items: tuple[Item, ...]
    span: Span = field(default=NOWHERE, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Offset:
    """minus 3 days, plus 2 hours."""

    sign: str
    length: Duration
    span: Span = field(default=NOWHERE, compare=False, repr=False)
