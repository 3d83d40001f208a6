"""What was probably meant: the known word most like an unknown one."""

from __future__ import annotations

from difflib import get_close_matches
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

from dsl.diagnostics import Fix, fix

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from dsl.spans import Source, Span

_LONGEST = 80
_MOST_KNOWN = 300


class Advice(NamedTuple):
    """A hint where a word was probably meant, an edit instead where it certainly was."""

    hint: str | None = None
    fixes: tuple[Fix, ...] = ()


def nearest(word: str, known: Iterable[str], most: int = _MOST_KNOWN) -> str | None:
    """Return the known word most like this one, if any is; looking through very many is slow."""
    candidates = frozenset(known)
    return _nearest(word[:_LONGEST].lower(), candidates) if len(candidates) <= most else None


def did_you_mean(word: str, known: Iterable[str]) -> str | None:
    """Hint with the nearest known word."""
    found = nearest(word, known)
    return f"did you mean {found!r}?" if found else None


def advice(
    source: Source,
    span: Span,
    word: str,
    known: Iterable[str],
    write: Callable[[str], str] = str,
) -> Advice:
    """Return what to do about an unknown word: mend a slip of the pen, ask about the rest."""
    found = nearest(word, known)
    if found is None:
        return Advice()
    if is_slip(word.lower(), found.lower()):
        return Advice(fixes=(fix(source, span, write(found)),))
    return Advice(hint=f"did you mean {write(found)}?")


def is_slip(word: str, meant: str) -> bool:
    """Tell whether one letter is missing, too much, another one, or two have changed places."""
    if abs(len(word) - len(meant)) > 1 or len(meant) <= 1:
        return False
    start = next((at for at, (a, b) in enumerate(zip(word, meant, strict=False)) if a != b), None)
    if start is None:
        return True
    one, other = word[start:], meant[start:]
    swapped = one[:2] == other[1::-1] and one[2:] == other[2:]
    return swapped or one[1:] == other or one == other[1:] or one[1:] == other[1:]


@lru_cache(maxsize=256)
def _nearest(word: str, known: frozenset[str]) -> str | None:
    by_lower = {candidate.lower(): candidate for candidate in sorted(known)}
    found = get_close_matches(word, by_lower, n=1, cutoff=0.7)
    if found:
        return by_lower[found[0]]
    slips = (name for lower, name in by_lower.items() if is_slip(word, lower))
    return next(slips, None) if len(word) > 2 else None  # noqa: PLR2004 - shorter words are all alike
