"""JSON values in rows: compared and stored as JSON sees them, where true is not 1."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy.orm.attributes import flag_modified

from plunk.db import Base


def same(left: object, right: object) -> bool:
    """Tell whether two JSON values are equal; Python alone takes true for 1."""
    match left, right:
        case dict(), dict():
            return left.keys() == right.keys() and all(same(left[key], right[key]) for key in left)
        case list(), list():
            return len(left) == len(right) and all(map(same, left, right))
        case (bool(), _) | (_, bool()):
            return left is right
    return left == right


def put(row: Base, column: str, value: object) -> bool:
    """Set a column; tell whether that changed it. SQLAlchemy would miss 1 becoming true."""
    if same(getattr(row, column), value):
        return False
    setattr(row, column, value)
    flag_modified(row, column)
    return True


def put_all(row: Base, values: Mapping[str, object]) -> bool:
    """Set several columns; tell whether that changed one of them."""
    changed = False
    for column, value in values.items():
        changed |= put(row, column, value)
    return changed
