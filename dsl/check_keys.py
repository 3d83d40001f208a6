"""Keys of pairs in braces."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dsl.diagnostics import Diagnostic, report
from dsl.suggestions import advice

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from dsl import nodes
    from dsl.spans import Source


def unknown_keys(
    source: Source,
    pairs: Iterable[nodes.Pair],
    known: tuple[str, ...],
    what: str,
    otherwise: str | None = None,
) -> Iterator[Diagnostic]:
    """Report keys that mean nothing in this place; `otherwise` is a hint for all of them."""
    for pair in pairs:
        key = pair.key
        if key.value not in known:
            hint, edits = advice(source, key.span, key.value, known)
            message = f"{what} has no {key.value!r}; known are {', '.join(known)}"
            yield report(
                source, "FLOW-E303", key.span, message, hint=hint or otherwise, fixes=edits
            )
