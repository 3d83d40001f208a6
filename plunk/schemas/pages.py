"""Pages of lists, going out."""

from __future__ import annotations

from typing import Any

from marshmallow import Schema, post_dump
from sqlalchemy import inspect

from plunk.db import Base
from plunk.paging import MAX_PAGE_NUMBER, MAX_PAGE_SIZE, PageRequest, lenient_int
from plunk.schemas.fields import AnyJson, Flag, Input, ListOf, Query, Text, Whole


class PageQueryIn(Input):
    """Which numbered page is wanted."""

    page = Query(lambda text: lenient_int(text, 1, high=MAX_PAGE_NUMBER))
    pageSize = Query(lambda text: lenient_int(text, 20, high=MAX_PAGE_SIZE), attribute="page_size")

    makes = PageRequest


class PageOut(Schema):
    """A numbered page; subclasses say what `data` holds."""

    data = ListOf(AnyJson(), attribute="items")
    total = Whole()
    page = Whole()
    pageSize = Whole(attribute="page_size")
    totalPages = Whole(attribute="total_pages")


class CursorPageOut(Schema):
    """A stretch of a list; subclasses say what `data` holds, the last one has no `cursor`."""

    data = ListOf(AnyJson(), attribute="items")
    total = Whole()
    cursor = Text(metadata={"optional": True})
    hasMore = Flag(attribute="has_more")

    @post_dump
    def drop_cursor(self, page: dict[str, Any], **_: object) -> dict[str, Any]:
        """Leave the cursor out when there is nothing to go on to."""
        return {name: value for name, value in page.items() if value is not None}


def columns_of(row: Base) -> dict[str, Any]:
    """Return a row's columns by their Python names, to lay other members beside them."""
    return {column.key: getattr(row, column.key) for column in inspect(row).mapper.column_attrs}
