"""What was probably meant by many unknown names, among many known ones."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dsl.suggestions import is_slip, nearest

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from collections.abc import Set as AbstractSet

_MOST_PAIRS = 10_000  # comparing one name with another takes up to 40 microseconds
_SHORTEST, _LONGEST = 3, 100  # shorter ones are all alike, longer ones are no names


def nearest_names(unknown: Iterable[str], known: AbstractSet[str]) -> dict[str, str]:
    """Return the known name most like each unknown one, where there is one.

    A slip of the pen is always found. More letters may differ unless looking would take long.
    """
    words, names = sorted(set(unknown)), frozenset(known)
    if not words:
        return {}
    forms = _forms_of(names)
    found = {word: name for word in words if (name := _slip(word, forms))}
    others = [word for word in words if word not in found]
    if len(others) * len(names) > _MOST_PAIRS:
        return found
    return found | {word: name for word in others if (name := nearest(word, names, len(names)))}


def _forms_of(names: AbstractSet[str]) -> dict[str, list[str]]:
    """Return the names by what is left of them; two that are one slip apart share a form."""
    forms: dict[str, list[str]] = {}
    for name in sorted(names):
        for form in _forms(name):
            forms.setdefault(form, []).append(name)
    return forms


def _forms(name: str) -> Iterator[str]:
    """Yield a name as it is, and without each of its letters."""
    lower = name.lower()
    if _SHORTEST <= len(lower) <= _LONGEST:
        yield lower
        yield from (lower[:at] + lower[at + 1 :] for at in range(len(lower)))


def _slip(word: str, forms: dict[str, list[str]]) -> str | None:
    candidates = (name for form in _forms(word) for name in forms.get(form, ()))
    return next((name for name in candidates if is_slip(word.lower(), name.lower())), None)
