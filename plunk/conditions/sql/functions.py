"""JSON questions that SQLite cannot answer by itself: functions for its connections."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from plunk.conditions.checks import digits, is_same
from plunk.conditions.nodes import MISSING
from plunk.conditions.paths import descend


def json_at(document: str | None, path: str) -> str | None:
    """Return the JSON text of what stands at a path, or None; digits also index arrays."""
    if document is None:
        return None
    value = descend(json.loads(document), json.loads(path), MISSING)
    return None if value is MISSING else dump(value)


def dump(value: object) -> str:
    """Return the JSON text of a value, as the functions and the databases take it."""
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


def json_same(left: str | None, right: str) -> int:
    """Return 1 when two JSON texts mean the same value, else 0."""
    return int(left is not None and is_same(json.loads(left), json.loads(right)))


def number_order(left: str, right: str) -> int:
    """Return -1, 0 or 1: how two numbers in JSON stand to each other, digit by digit."""
    first, second = digits(json.loads(left)), digits(json.loads(right))
    return (first > second) - (first < second)


# name → number of arguments, function
FUNCTIONS: Mapping[str, tuple[int, Callable[..., Any]]] = {
    "plunk_json_at": (2, json_at),
    "plunk_json_same": (2, json_same),
    "plunk_number_order": (2, number_order),
}
