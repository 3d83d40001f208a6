"""Where two JSON values part."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping

from plunk.simulation.timeline import json_text


def first_difference(expected: object, actual: object, at: str) -> str | None:
    """Say where a value first differs from what is expected; None when it is as expected.

    Of an object only the keys that are expected count; lists must be the same throughout.
    """
    return next(_differences(expected, actual, at), None)


def _differences(expected: object, actual: object, at: str) -> Iterator[str]:
    match expected, actual:
        case Mapping(), Mapping():
            for key, item in expected.items():
                place = f"{at}.{key}"
                if key in actual:
                    yield from _differences(item, actual[key], place)
                else:
                    yield f"{place}: {json_text(item)} expected, but it is not there"
        case list(), list():
            for number, (item, other) in enumerate(zip(expected, actual, strict=False)):
                yield from _differences(item, other, f"{at}[{number}]")
            if len(expected) != len(actual):
                yield f"{at}: {len(expected)} items expected, {len(actual)} found"
        case _ if not _is_same(expected, actual):
            yield f"{at}: {json_text(expected)} expected, {json_text(actual)} found"


def _is_same(one: object, other: object) -> bool:
    """Tell whether two values are the same to JSON: 1 and 1.0 are, 1 and true are not."""
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    if isinstance(one, int | float) and isinstance(other, int | float):
        return one == other
    return json.dumps(one, sort_keys=True) == json.dumps(other, sort_keys=True)
