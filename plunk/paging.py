"""Pages of lists: numbered ones and cursors, with the lenient numbers the public API accepts."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

T = TypeVar("T")

MAX_PAGE_SIZE = 100
MAX_PAGE_NUMBER = 10_000_000


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """One numbered page of a list, and the size of the whole."""

    items: Sequence[T]
    total: int
    page: int
    page_size: int

    @property
    def total_pages(self) -> int:
        """Return the number of pages; 0 when the list is empty."""
        return -(-self.total // self.page_size)


@dataclass(frozen=True, slots=True)
class CursorPage(Generic[T]):
    """A stretch of a list; `cursor` is the id to go on from, None at the end."""

    items: Sequence[T]
    total: int
    cursor: str | None

    @property
    def has_more(self) -> bool:
        """Tell whether another page follows."""
        return self.cursor is not None


@dataclass(frozen=True, slots=True)
class PageRequest:
    """Which numbered page is wanted."""

    page: int = 1
    page_size: int = 20

    @property
    def offset(self) -> int:
        """Return how many rows come before this page."""
        return (self.page - 1) * self.page_size


def lenient_int(text: str | None, default: int, *, high: int, low: int = 1) -> int:
    """Return the leading whole number of a query parameter, clamped; 0 or none gives the default.

    `"10abc"` is 10, as browsers' parseInt reads it.
    """
    match = re.match(r"\s*([+-]?\d{1,18})", text or "")
    value = int(match[1]) if match else 0
    return min(max(value, low), high) if value else default
