"""Starts that come again and again, for people who may enter only once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dsl import nodes
from dsl.diagnostics import Diagnostic, Fix, fix, report
from dsl.spans import Span

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dsl.spans import Source

_ALWAYS = "reentry always"


def check_reentry(source: Source, workflow: nodes.Workflow) -> Iterator[Diagnostic]:
    """Report the first start that repeats where no header says who may come again."""
    if any(isinstance(item, nodes.Reentry | nodes.Broken) for item in workflow.body.items):
        return
    for header in workflow.headers:
        match header:
            case nodes.OnSchedule():
                repeats = "a schedule comes again and again"
            case nodes.OnDate(is_yearly=True):
                repeats = "this date comes every year"
            case _:
                continue
        message = f"{repeats}, but without reentry each contact enters once; add: {_ALWAYS}"
        edits = (_added(source, header),)
        yield report(source, "FLOW-W417", header.span, message, fixes=edits)
        return


def _added(source: Source, header: nodes.Header) -> Fix:
    """Return the edit that writes the missing header on a line of its own, behind this one."""
    start, end = header.span.start, header.span.end
    before = source.text[source.text.rfind("\n", 0, start) + 1 : start]
    behind, line_break, _ = source.text[end:].partition("\n")
    has_line = not before.strip() and (not behind.strip() or behind.lstrip().startswith("#"))
    if not has_line or not line_break:
        return fix(source, Span(end, end), f" {_ALWAYS}")
    line_end = end + len(behind)
    return fix(source, Span(line_end, line_end), f"\n{before}{_ALWAYS}")
