"""The report of a test run, for people."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from plunk.simulation.testing.coverage import Covered, percent
from plunk.simulation.testing.outcome import Failure, Result
from plunk.simulation.timeline import lines_of

MOST_ENTRIES = 60
PASSED, FAILED = "✓", "✗"


def report(results: Sequence[Result], covered: Sequence[Covered]) -> Iterator[str]:
    """Yield the lines: every test by file, what failed and why, and the coverage."""
    file = None
    for result in results:
        if result.file != file:
            file = result.file
            yield file
        yield f"  {PASSED if result.ok else FAILED} {result.name}"
    for result in results:
        if result.failure is not None:
            yield ""
            yield from failure_lines(result, result.failure)
    yield ""
    yield summary(results)
    if covered:
        yield ""
        yield from coverage_lines(covered)


def summary(results: Sequence[Result]) -> str:
    """Return one line: how many tests passed and failed."""
    failed = sum(not result.ok for result in results)
    tests = f"{len(results)} test{'' if len(results) == 1 else 's'}"
    return f"{tests}: {len(results) - failed} passed, {failed} failed"


def failure_lines(result: Result, failure: Failure) -> Iterator[str]:
    """Yield what went wrong in a test, and what had happened until then."""
    mismatch = failure.mismatch
    yield f"{FAILED} {result.name}"
    yield f"  {result.file}:{failure.line}: {failure.text}"
    yield f"  expected: {mismatch.expected}"
    yield f"  but:      {mismatch.found}"
    if mismatch.difference is not None:
        yield f"  first difference: {mismatch.difference}"
    entries = list(result.timeline)
    yield "  timeline:" if entries else "  timeline: nothing has happened"
    if len(entries) > MOST_ENTRIES:
        yield f"    … {len(entries) - MOST_ENTRIES} earlier entries"
    for line in lines_of(entries[-MOST_ENTRIES:], result.zone):
        yield f"    {line}"


def coverage_lines(covered: Sequence[Covered]) -> Iterator[str]:
    """Yield the coverage of each workflow, and the ways that were never taken."""
    yield "ways out of steps that were taken:"
    width = max(len(one.workflow) for one in covered)
    for one in covered:
        share = percent(one.taken, one.all)
        yield f"  {one.workflow:<{width}}  {one.taken} of {one.all} ({share:g} %)"
        for missed in one.missed:
            yield f"    never: {one.file}:{missed.line}: {missed.name}: {missed.way}"
