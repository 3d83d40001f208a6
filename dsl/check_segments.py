"""What a segment must say."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dsl import nodes
from dsl.check_headers import check_description
from dsl.check_lints import lint_condition
from dsl.check_names import Names, names_in
from dsl.check_values import check_values
from dsl.circles import circles
from dsl.diagnostics import Diagnostic, note, report
from dsl.expression_text import text
from dsl.segment_fields import fits, kind_of
from dsl.walking import every_operand, tests

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dsl.bundle import Bundle
    from dsl.spans import Source

_ROOTS = frozenset({"contact", "data", "now"})


def check_segment(source: Source, segment: nodes.Segment) -> Iterator[Diagnostic]:
    """Report what is wrong with one segment."""
    yield from _once(source, segment)
    yield from _kind(source, segment)
    names = Names(source, _ROOTS, is_segment=True)
    for condition in conditions_of(segment):
        yield from check_values(source, (), [condition])
        yield from names.inside(condition)
        yield from lint_condition(source, condition)
        for test in tests(condition):
            yield from _comparison(source, test)
    for item in segment.items:
        if isinstance(item, nodes.Description):
            yield from check_description(source, item)


def conditions_of(segment: nodes.Segment) -> Iterator[nodes.Condition]:
    """Yield the conditions of a segment, of which there should be one at most."""
    for item in segment.items:
        if isinstance(item, nodes.SegmentWhere):
            yield item.condition


def _once(source: Source, segment: nodes.Segment) -> Iterator[Diagnostic]:
    first: dict[type, nodes.SegmentItem] = {}
    for item in segment.items:
        earlier = first.setdefault(type(item), item)
        if earlier is not item and not isinstance(item, nodes.Broken):
            notes = (note(source, earlier.span, "first written here"),)
            joined = "; join the conditions with and" if _is_where(item) else "; remove one of them"
            message = f"this line is written twice{joined}"
            yield report(source, "FLOW-E302", item.span, message, notes=notes)


def _is_where(item: nodes.SegmentItem) -> bool:
    return isinstance(item, nodes.SegmentWhere)


def _kind(source: Source, segment: nodes.Segment) -> Iterator[Diagnostic]:
    """Report a segment that is neither static nor has a condition, or is both."""
    if any(isinstance(item, nodes.Broken) for item in segment.items):
        return
    wheres = [item for item in segment.items if isinstance(item, nodes.SegmentWhere)]
    static = next((item for item in segment.items if isinstance(item, nodes.Static)), None)
    if static and wheres:
        notes = (note(source, static.span, "static is written here"),)
        message = "a static segment has no condition: its members are added by hand; remove one"
        yield report(source, "FLOW-E324", wheres[0].span, message, notes=notes)
    elif not static and not wheres:
        message = "who is in this segment? write: where …, or: static"
        yield report(source, "FLOW-E324", segment.name.span, message)


def _comparison(source: Source, test: nodes.Leaf) -> Iterator[Diagnostic]:
    """Report comparisons that segments do not know."""
    if not isinstance(test, nodes.Test | nodes.Bare):
        return
    subject = test.subject
    if isinstance(subject, nodes.Name) and subject.root not in {"contact", "data"}:
        return  # the name itself is reported
    kind = kind_of(subject) if isinstance(subject, nodes.Name) else None
    operator = test.operator if isinstance(test, nodes.Test) else "equals"
    if kind is None and not _is_unknown_property(subject):
        message = 'a segment compares fields of the contact: contact.data.plan == "pro"'
        yield report(source, "FLOW-E334", subject.span, message)
    elif kind and not fits(kind, operator):
        message = f"{text(subject)} is {kind}; segments cannot compare that like this"
        yield report(source, "FLOW-E334", test.span, message)
    for name in names_in([test.value] if isinstance(test, nodes.Test) and test.value else []):
        if name.root in {"contact", "data"}:
            message = "a segment compares with fixed values and now, not with other fields"
            yield report(source, "FLOW-E334", name.span, message)


def _is_unknown_property(subject: nodes.Operand) -> bool:
    """Tell whether this is contact.something, which is reported as a name."""
    return isinstance(subject, nodes.Name) and subject.root == "contact" and bool(subject.path)


def check_circles(bundle: Bundle) -> Iterator[Diagnostic]:
    """Report segments whose conditions ask, in the end, about themselves."""
    declared = {found.name.value: (file.source, found) for file, found in bundle.segments()}
    asked = {name: _asked(found) for name, (_, found) in declared.items()}
    known = {name: [one for one in found if one in declared] for name, found in asked.items()}
    for ring in circles(known):
        onward = [*ring[1:], ring[0]]
        source = declared[ring[0]][0]
        span = asked[ring[0]][onward[0]].span
        notes = tuple(
            note(declared[name][0], asked[name][target].span, f"{name!r} asks for {target!r}")
            for name, target in zip(ring[1:], onward[1:], strict=True)
        )
        others = f", by way of {' and '.join(repr(name) for name in ring[1:])}," if ring[1:] else ""
        message = f"segment {ring[0]!r} depends{others} on itself; nobody can tell who is in it"
        yield report(source, "FLOW-E218", span, message, notes=notes)


def _asked(segment: nodes.Segment) -> dict[str, nodes.Reference]:
    """Return the segments that a segment's condition asks for, with the place."""
    found: dict[str, nodes.Reference] = {}
    for condition in conditions_of(segment):
        for inner in every_operand(condition):
            if isinstance(inner, nodes.Member) and not inner.segment.is_id:
                found.setdefault(inner.segment.value, inner.segment)
    return found
