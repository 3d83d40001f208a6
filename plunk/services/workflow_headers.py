"""Headers of a workflow: what stops its runs, its goals, whose clock it keeps and when it is quiet.

One JSON value: {"stops": [], "goals": [], "timezone": …, "quietHours": …}, or null without any.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from plunk.engine.core.headers import Headers
from plunk.values import Unset

NOTHING: Mapping[str, Any] = {"stops": [], "goals": [], "timezone": None, "quietHours": None}


def merged(
    stored: Mapping[str, Any] | None, wanted: Mapping[str, object | Unset]
) -> dict[str, Any] | None:
    """Return the headers to store; BadRequest names the one that cannot be read."""
    given = {
        name: NOTHING[name] if value is None else value
        for name, value in wanted.items()
        if not isinstance(value, Unset)
    }
    headers = {**NOTHING, **(stored or {}), **given}
    Headers.from_json(headers)
    return headers if any(headers.values()) else None
