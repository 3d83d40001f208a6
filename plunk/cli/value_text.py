"""Values before and after, each cut so that a line shows where they differ."""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import zip_longest
from typing import Any

MAX_VALUE = 120
MAX_SIDE = 60
CONTEXT = 20


def value(given: object) -> str:
    """Return a value as JSON, without members that say nothing, and cut short."""
    text = _text(given)
    return text if len(text) <= MAX_VALUE else text[: MAX_VALUE - 1] + "…"


def change(name: str, old: object, new: object) -> Iterator[str]:
    """Yield what becomes of a member: one line, or for texts of many lines where they begin."""
    is_long = any(isinstance(one, str) and "\n" in one for one in (old, new))
    if is_long and isinstance(old, str) and isinstance(new, str):
        yield from _lines(name, old.splitlines(), new.splitlines())
        return
    before, after = _around(_text(old), _text(new))
    yield f"{name}: {before} → {after}"


def _lines(name: str, old: list[str], new: list[str]) -> Iterator[str]:
    differing = [pair for pair in zip_longest(old, new) if pair[0] != pair[1]]
    if not differing:
        yield f"{name}: only its line ends differ"
        return
    count = len(differing)
    yield f"{name}: 1 line differs" if count == 1 else f"{name}: {count} lines differ, first"
    before, after = _around(differing[0][0] or "", differing[0][1] or "")
    yield from (f"    {mark} {one}" for mark, one in (("-", before), ("+", after)) if one)


def _around(old: str, new: str) -> tuple[str, str]:
    """Return both, long ones from shortly before the first place where they differ."""
    pairs = enumerate(zip(old, new, strict=False))
    first = next((at for at, (one, other) in pairs if one != other), min(len(old), len(new)))
    start = first - CONTEXT if max(len(old), len(new)) > MAX_SIDE and first > CONTEXT else 0
    return _cut(old, start), _cut(new, start)


def _cut(text: str, start: int) -> str:
    shown = text[start : start + MAX_SIDE]
    before = "…" if start else ""
    return before + shown + ("…" if start + MAX_SIDE < len(text) else "")


def _text(given: object) -> str:
    if given is None:
        return "(none)"
    if isinstance(given, str) and '"' in given and "\n" not in given:
        return given  # a condition, mostly: with escapes it would be harder to read
    return json.dumps(_told(given), ensure_ascii=False, sort_keys=True)


def _told(given: Any) -> Any:  # noqa: ANN401 - JSON
    match given:
        case dict():
            return {name: _told(one) for name, one in given.items() if one is not None}
        case list():
            return [_told(one) for one in given]
    return given
