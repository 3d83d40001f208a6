"""Where a bundle speaks of templates and segments, by name or by id."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, TypeAlias

from dsl import nodes
from dsl.walking import conditions, every_item, every_operand

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dsl.bundle import Bundle
    from dsl.parser import Parsed

Kind: TypeAlias = Literal["template", "segment"]
Found: TypeAlias = tuple[Kind, nodes.Reference]


def references(bundle: Bundle) -> Iterator[tuple[Parsed, Kind, nodes.Reference]]:
    """Yield every reference with the file it stands in."""
    for file, segment in bundle.segments():
        for part in segment.items:
            if isinstance(part, nodes.SegmentWhere):
                yield from ((file, *found) for found in _asked(part.condition))
    for file, workflow in bundle.workflows():
        for item in every_item(workflow.body.items):
            yield from ((file, *found) for found in _of_item(item))


def _of_item(item: nodes.Item) -> Iterator[Found]:
    match item:
        case nodes.SendEmail(template):
            yield "template", template
        case nodes.ChangeMembership(_, segment):
            yield "segment", segment
        case nodes.OnSegment(segment) | nodes.OnSchedule(segment=segment):
            yield "segment", segment
    for condition in conditions(item):
        yield from _asked(condition)


def _asked(condition: nodes.Condition) -> Iterator[Found]:
    for operand in every_operand(condition):
        match operand:
            case nodes.Member(_, segment):
                yield "segment", segment
            case nodes.Mailed(_, template) if template:
                yield "template", template
