"""Templates and segments that are spoken of, and exist nowhere."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dsl import nodes
from dsl.diagnostics import Diagnostic, report
from dsl.near_names import nearest_names
from dsl.references import references
from dsl.strings import encode
from dsl.suggestions import advice

if TYPE_CHECKING:
    from collections.abc import Iterator
    from collections.abc import Set as AbstractSet

    from dsl.bundle import Bundle
    from dsl.references import Kind

_UNKNOWN: dict[Kind, tuple[str, str]] = {
    "template": ("FLOW-E204", "FLOW-W406"),
    "segment": ("FLOW-E213", "FLOW-W408"),
}


def check_references(
    bundle: Bundle, kind: Kind, known: AbstractSet[str] | None
) -> Iterator[Diagnostic]:
    """Templates or segments that are spoken of and exist nowhere."""
    if _has_broken(bundle, kind):
        return
    names = _declared(bundle, kind) | (known or frozenset())
    unknown = [
        (file, reference)
        for file, found, reference in references(bundle)
        if found == kind and reference.value and not reference.is_id
        if reference.value not in names
    ]
    meants = nearest_names((reference.value for _, reference in unknown), names)
    error, doubt = _UNKNOWN[kind]
    for file, reference in unknown:
        name, meant = reference.value, meants.get(reference.value)
        known_one = (meant,) if meant else ()
        hint, edits = advice(file.source, reference.span, name, known_one, encode)
        if known is not None:
            message = f"there is no {kind} called {name!r}; declare it or mend the name"
            yield report(file.source, error, reference.span, message, hint=hint, fixes=edits)
        elif meant:
            message = f"{name!r} is not declared here; the project must have it"
            yield report(file.source, doubt, reference.span, message, hint=hint, fixes=edits)


def _declared(bundle: Bundle, kind: Kind) -> set[str]:
    found = bundle.templates() if kind == "template" else bundle.segments()
    return {declaration.name.value for _, declaration in found}


def _has_broken(bundle: Bundle, kind: Kind) -> bool:
    """Whether a template or segment could not be read, so that its name is not known."""
    return any(
        isinstance(found, nodes.Broken) and file.source.text.startswith(kind, found.span.start)
        for file in bundle.files
        for found in file.file.declarations
    )
