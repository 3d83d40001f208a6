"""Everything that can be wrong in a bundle whose texts could be read."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from dsl import nodes
from dsl.check_lints import check_lints
from dsl.check_names import check_names
from dsl.check_statements import check_statements
from dsl.check_templates import check_template
from dsl.check_workflows import check_workflow
from dsl.diagnostics import Diagnostic, did_you_mean, note, report, sort_key
from dsl.walking import every_item

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from collections.abc import Set as AbstractSet

    from dsl.bundle import Bundle
    from dsl.parser import Parsed

_Declared = TypeVar("_Declared", nodes.Workflow, nodes.Template)
_LONGEST_NAME = 100
_MOST_HINTS = 20


def check(bundle: Bundle, known_templates: AbstractSet[str] | None = None) -> list[Diagnostic]:
    """Every mistake and doubt, in reading order.

    With the project's template names an unknown template is an error; without them (None) it
    is taken to exist in the project, unless it looks like a slip of the pen.
    """
    found = [diagnostic for file in bundle.files for diagnostic in file.diagnostics]
    found += _duplicates(bundle.workflows(), "FLOW-E201", "workflow")
    found += _duplicates(bundle.templates(), "FLOW-E202", "template")
    for file, template in bundle.templates():
        found += check_template(bundle, file, template)
    for file, workflow in bundle.workflows():
        found += check_workflow(file.source, workflow)
        found += check_statements(file.source, workflow)
        found += check_names(file.source, workflow)
        found += check_lints(file.source, workflow)
    found += _references(bundle, known_templates)
    return sorted(dict.fromkeys(found), key=sort_key)  # a set would forget their order


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


def _references(bundle: Bundle, known: AbstractSet[str] | None) -> Iterator[Diagnostic]:
    """Templates that are sent and exist nowhere."""
    if _has_broken_template(bundle):
        return
    declared = {template.name.value for _, template in bundle.templates()}
    unknown = [
        (file, reference)
        for file, reference in _sent(bundle)
        if not reference.is_id and reference.value not in declared | (known or frozenset())
    ]
    hints = _hints(unknown, declared | (known or frozenset()))
    for file, reference in unknown:
        name, hint = reference.value, hints.get(reference.value)
        if known is not None:
            message = f"there is no template called {name!r}; declare it or mend the name"
            yield report(file.source, "FLOW-E204", reference.span, message, hint=hint)
        elif hint:
            message = f"{name!r} is not declared here; the project must have it"
            yield report(file.source, "FLOW-W406", reference.span, message, hint=hint)


def _hints(
    unknown: list[tuple[Parsed, nodes.Reference]], names: AbstractSet[str]
) -> dict[str, str | None]:
    """Return the nearest known name for some of the unknown ones; looking is slow."""
    words = sorted({reference.value for _, reference in unknown})[:_MOST_HINTS]
    return {word: did_you_mean(word, names) for word in words}


def _sent(bundle: Bundle) -> Iterator[tuple[Parsed, nodes.Reference]]:
    for file, workflow in bundle.workflows():
        for item in every_item(workflow.body.items):
            if isinstance(item, nodes.SendEmail) and item.template.value:
                yield file, item.template


def _has_broken_template(bundle: Bundle) -> bool:
    """Whether a template could not be read, so that its name is not known."""
    return any(
        isinstance(found, nodes.Broken)
        and file.source.text.startswith("template", found.span.start)
        for file in bundle.files
        for found in file.file.declarations
    )
