"""Paths into JSON values."""

from __future__ import annotations

import re
from collections.abc import Iterable

INDEX = re.compile(r"(0|[1-9]\d{0,8})\Z", re.ASCII)


def descend(value: object, parts: Iterable[str | int], default: object) -> object:
    """Return what stands at a path inside a JSON value; digits also index arrays."""
    for part in parts:
        match value:
            case dict() if (key := str(part)) in value:
                value = value[key]
            case list() if INDEX.match(text := str(part)) and int(text) < len(value):
                value = value[int(text)]
            case _:
                return default
    return value
