"""What could not be read."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from dsl.spans import NOWHERE, Span

if TYPE_CHECKING:
    from dsl.nodes.declarations import Item


@dataclass(frozen=True, slots=True)
class Broken:
    """Something that could not be read, and the statements that could be saved from it."""

    items: tuple[Item, ...] = ()
    span: Span = field(default=NOWHERE, compare=False, repr=False)
