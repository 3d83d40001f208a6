"""Conditions written as text: wherever the API takes a condition object, it takes this too."""

from __future__ import annotations

from typing import Any, Literal

import dsl
from plunk.errors import BadRequest, InvalidFlow
from plunk.services.flow_reading import by_reference
from plunk.services.flow_references import map_filters

Place = Literal["segment", "workflow"]
MAX_LENGTH = 16 * 1024


def tree_of(text: str, *, place: Place) -> dict[str, Any]:
    """Return the tree that a text stands for, by name; InvalidFlow lists what is wrong in it."""
    if len(text) > MAX_LENGTH:
        raise BadRequest(f"A condition has at most {MAX_LENGTH} characters.")
    tree, found = dsl.read_condition(text, place)
    if tree is None:
        listed = [one.to_json() for one in found]
        first = next(one for one in found if one.is_error)
        start = first.range.start
        raise InvalidFlow(
            f"{start.line}:{start.column}: {first.message}", details={"diagnostics": listed}
        )
    return dict(tree)


def extension_text(tree: Any) -> str | None:  # noqa: ANN401 - JSON
    """Return a segment's condition as text where it says what Plunk's own filters cannot say."""
    if not says_more(tree):
        return None
    try:
        return dsl.write_condition(map_filters(tree, by_reference), "segment")
    except ValueError:
        return None


def says_more(tree: Any) -> bool:  # noqa: ANN401 - JSON
    """Tell whether a tree uses `not`, computed values, counts, or conditions on past events."""
    match tree:
        case {"not": _} | {"$expr": _} | {"$count": _}:
            return True
        case {"operator": _, "where": _} | {"operator": _, "template": _}:
            return True
        case dict() | list():
            return any(map(says_more, tree.values() if isinstance(tree, dict) else tree))
    return False


def text_of(tree: Any, place: Place = "workflow") -> Any:  # noqa: ANN401 - JSON
    """Return a tree by name as text; one that the language has no words for stays a tree."""
    try:
        return dsl.write_condition(tree, place)
    except ValueError:
        return tree
