"""Pictures of workflows: Mermaid, DOT and SVG, from graphs by name."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from plunk.errors import BadRequest
from plunk.pictures import dot, mermaid, svg
from plunk.pictures.scenes import scene

FORMATS: Mapping[str, Callable[..., str]] = {
    "mermaid": mermaid.draw,
    "dot": dot.draw,
    "svg": svg.draw,
}


def draw(workflows: Iterable[Mapping[str, Any]], form: str) -> str:
    """Return the workflows as one text in a format; raises BadRequest for one that is unknown."""
    if form not in FORMATS:
        raise BadRequest(f"There is no format {form!r}; choose {', '.join(FORMATS)}.")
    return FORMATS[form]([scene(workflow) for workflow in workflows])
