"""Everything that can be wrong in a bundle whose texts could be read."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from dsl import nodes
from dsl.check_bindings import check_bindings
from dsl.check_chains import check_chains
from dsl.check_headers import check_headers
from dsl.check_labels import check_labels
from dsl.check_lints import check_lints
from dsl.check_liquid import check_liquid
from dsl.check_membership import check_membership
from dsl.check_names import check_names
from dsl.check_reentry import check_reentry
from dsl.check_references import check_references
from dsl.check_secrets import check_secrets
from dsl.check_segments import check_circles, check_segment
from dsl.check_statements import check_statements
from dsl.check_templates import check_template
from dsl.check_tests import check_test
from dsl.check_variables import check_variables
from dsl.check_ways import check_ways
from dsl.check_workflows import check_workflow
from dsl.diagnostics import Diagnostic, note, report, sort_key
from dsl.flows import flow_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from collections.abc import Set as AbstractSet

    from dsl.bundle import Bundle
    from dsl.parser import Parsed
    from dsl.spans import Source

_Declared = TypeVar("_Declared", nodes.Workflow, nodes.Template, nodes.Segment, nodes.TestBlock)
_LONGEST_NAME = 100


def check(
    bundle: Bundle,
    known_templates: AbstractSet[str] | None = None,
    known_segments: AbstractSet[str] | None = None,
) -> list[Diagnostic]:
    """Every mistake and doubt, in reading order.

    With the names of the project's templates and segments an unknown one is an error; without
    them (None) it is taken to exist in the project, unless it looks like a slip of the pen.
    """
    found = [diagnostic for file in bundle.files for diagnostic in file.diagnostics]
    found += _duplicates(bundle.workflows(), "FLOW-E201", "workflow")
    found += _duplicates(bundle.templates(), "FLOW-E202", "template")
    found += _duplicates(bundle.segments(), "FLOW-E212", "segment")
    found += _duplicates(bundle.tests(), "FLOW-E215", "test")
    for file, template in bundle.templates():
        found += check_template(bundle, file, template)
    for file, segment in bundle.segments():
        found += check_segment(file.source, segment)
    for file, workflow in bundle.workflows():
        found += _workflow(file.source, workflow)
    for file, test in bundle.tests():
        found += check_test(bundle, file, test)
    for file in bundle.files:
        found += check_secrets(file.source)
    found += check_circles(bundle)
    found += check_chains(bundle)
    found += check_variables(bundle)
    found += check_liquid(bundle)
    found += check_membership(bundle)
    found += check_references(bundle, "template", known_templates)
    found += check_references(bundle, "segment", known_segments)
    return sorted(dict.fromkeys(found), key=sort_key)  # a set would forget their order


def _workflow(source: Source, workflow: nodes.Workflow) -> Iterator[Diagnostic]:
    yield from check_workflow(source, workflow)
    yield from check_headers(source, workflow)
    yield from check_reentry(source, workflow)
    yield from check_statements(source, workflow)
    yield from check_labels(source, workflow)
    yield from check_names(source, workflow)
    yield from check_lints(source, workflow)
    flow = flow_of(workflow)
    if flow:
        yield from check_bindings(source, workflow, flow)
        yield from check_ways(source, workflow, flow)


def _duplicates(
    declared: Iterable[tuple[Parsed, _Declared]], code: str, what: str
) -> Iterator[Diagnostic]:
    """Names declared twice, empty or too long."""
    first: dict[str, tuple[Parsed, _Declared]] = {}
    for file, found in declared:
        name = found.name
        if not name.value.strip() or len(name.value) > _LONGEST_NAME:
            message = f"a {what} needs a name of 1 to {_LONGEST_NAME} characters"
            yield report(file.source, "FLOW-E313", name.span, message)
        elif name.value in first:
            earlier_file, earlier = first[name.value]
            notes = (note(earlier_file.source, earlier.name.span, "first defined here"),)
            message = f"there is a {what} called {name.value!r} already; choose another name"
            yield report(file.source, code, name.span, message, notes=notes)
        else:
            first[name.value] = file, found
