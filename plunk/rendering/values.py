"""Values as JavaScript sees them: truth, text and property access."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from datetime import date, datetime

from liquid import Undefined, is_undefined

from plunk import clock
from plunk.rendering.limits import check_size


def is_truthy(value: object) -> bool:
    """Tell whether `if` takes the branch: empty text, zero and nothing are false, arrays true."""
    if value is None or is_undefined(value):
        return False
    if isinstance(value, float) and math.isnan(value):
        return False
    return not (isinstance(value, str | int | float) and not value)


def is_blank(value: object) -> bool:
    """Tell whether a fallback applies: everything false, and the empty array."""
    return not is_truthy(value) or (isinstance(value, list | tuple) and not value)


def to_text(value: object) -> str:  # noqa: PLR0911 - one line per kind of value
    """Return a value as text inside a sentence."""
    match value:
        case str():
            return value
        case bool():
            return "true" if value else "false"
        case None | Undefined():
            return ""
        case float():
            return _float_text(value)
        case list() | tuple() | range():
            return ",".join(_flat_texts(value))
        case Mapping():
            return "[object Object]"
        case datetime() if value.tzinfo:
            return clock.iso(value)
        case date():
            return value.isoformat()
    return str(value)


def _flat_texts(items: Iterable[object]) -> Iterator[str]:
    """Yield the texts of nested arrays from left to right, without recursion."""
    waiting = [iter(items)]
    while waiting:
        for item in waiting[-1]:
            if isinstance(item, list | tuple | range):
                waiting.append(iter(item))
                break
            yield to_text(item)
        else:
            waiting.pop()


def _float_text(value: float) -> str:
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "Infinity" if value > 0 else "-Infinity"
    if value.is_integer() and abs(value) < 1e21:  # noqa: PLR2004 - where JavaScript switches to 1e+21
        return str(int(value))
    return repr(value)


def to_output(value: object, *, as_list: bool) -> str:
    """Return what a placeholder prints; arrays become list items unless told otherwise."""
    check_size(value)
    if not isinstance(value, list | tuple | range):
        return to_text(value)
    if as_list:
        return "\n".join(f"<li>{to_text(item)}</li>" for item in value)
    return "".join(to_text(item) for item in value)


def get_property(value: object, key: object) -> object:
    """Return an own property; a KeyError says there is none. Array indexes may be text."""
    match value, key:
        case Mapping(), str() if key in value:
            return value[key]
        case Mapping(), int():
            return value[str(key)]
        case list() | tuple() | range(), int() | str():
            return _get_item(value, key)
        case ((str() | Mapping()), "size"):
            return len(value)
    raise KeyError(key)


def _get_item(items: list[object] | tuple[object, ...] | range, key: int | str) -> object:
    if key == "size":
        return len(items)
    index = {"first": 0, "last": -1}.get(key, key) if isinstance(key, str) else key
    try:
        return items[int(index)]
    except (ValueError, IndexError) as error:
        raise KeyError(key) from error


def find_path(scope: Mapping[str, object], path: Iterable[str]) -> object:
    """Return what a dotted path leads to, or None."""
    first, *rest = path
    value = scope.get(first)  # a variable: not, like `size`, a property of them all
    for name in rest:
        try:
            value = get_property(value, name)
        except KeyError:
            return None
    return value
