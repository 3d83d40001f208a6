"""Segments of the bundle, as workflows use them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dsl import nodes
from dsl.diagnostics import Diagnostic, Fix, note, report
from dsl.spans import Span
from dsl.walking import every_item

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dsl.bundle import Bundle
    from dsl.spans import Source


def check_membership(bundle: Bundle) -> Iterator[Diagnostic]:
    """Report members put into segments with a condition, and segments that tell nobody."""
    declared = {found.name.value: (file.source, found) for file, found in bundle.segments()}
    for file, workflow in bundle.workflows():
        for item in every_item(workflow.body.items):
            match item:
                case nodes.ChangeMembership(segment=reference) | nodes.OnSegment(reference):
                    found = None if reference.is_id else declared.get(reference.value)
                case _:
                    continue
            if found and isinstance(item, nodes.OnSegment):
                yield from _silent(file.source, reference, *found)
            elif found:
                yield from _computed(file.source, reference, *found)


def _computed(
    source: Source, reference: nodes.Reference, home: Source, segment: nodes.Segment
) -> Iterator[Diagnostic]:
    where = _first(segment, nodes.SegmentWhere)
    if where:
        notes = (note(home, where.span, "this decides who is in it"),)
        message = "only a static segment can be changed by hand; update the contact instead"
        yield report(source, "FLOW-E325", reference.span, message, notes=notes)


def _silent(
    source: Source, reference: nodes.Reference, home: Source, segment: nodes.Segment
) -> Iterator[Diagnostic]:
    if _first(segment, nodes.Keep) or _first(segment, nodes.Broken):
        return
    notes = (note(home, segment.name.span, "it is declared here"),)
    message = (
        f"segment {reference.value!r} tells nobody who comes and goes; add to it: track membership"
    )
    edits = (_keep(home, segment),) if home is source else ()
    yield report(source, "FLOW-W415", reference.span, message, notes=notes, fixes=edits)


def _first(segment: nodes.Segment, kind: type[nodes.SegmentItem]) -> nodes.SegmentItem | None:
    return next((item for item in segment.items if isinstance(item, kind)), None)


def _keep(source: Source, segment: nodes.Segment) -> Fix:
    """Return the edit that writes `track membership` behind the last line of a segment."""
    at = segment.items[-1].span.end if segment.items else segment.span.end - 1
    return Fix("write track membership", source.range(Span(at, at)), "\n  track membership")
