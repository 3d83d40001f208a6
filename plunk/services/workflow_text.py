"""The `.flow` language at the border: texts in, diagnostics and graphs by name out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, fields, is_dataclass, replace
from typing import Any

import dsl
from dsl.nodes import Prefix, Text, Workflow
from plunk.errors import Conflict, InvalidFlow

Json = dict[str, Any]
NAME_TAKEN = {"workflow": "FLOW-E201", "template": "FLOW-E202"}
UNKNOWN, DOES_NOT_FIT = "FLOW-E204", "FLOW-E306"
ELSEWHERE = "FLOW-W406"  # the project must have a template: deploying finds out


@dataclass(frozen=True, slots=True)
class Written:
    """A bundle without mistakes of its own: workflows, templates and each workflow's own text."""

    bundle: dsl.Bundle
    workflows: Sequence[Json]
    templates: Sequence[Json]
    sources: Sequence[str]
    warnings: Sequence[Json]

    def workflow_fault(self, at: int, message: str, *, is_taken: bool = False) -> Json:
        """Return a diagnostic about the name of a workflow."""
        file, found = list(self.bundle.workflows())[at]
        code = NAME_TAKEN["workflow"] if is_taken else DOES_NOT_FIT
        return _diagnostic(code, message, file, found.name)

    def template_fault(self, at: int, message: str, *, is_taken: bool = False) -> Json:
        """Return a diagnostic about the name of a template."""
        file, found = list(self.bundle.templates())[at]
        code = NAME_TAKEN["template"] if is_taken else DOES_NOT_FIT
        return _diagnostic(code, message, file, found.name)

    def unknown_templates(
        self, known: AbstractSet[str], ambiguous: AbstractSet[str]
    ) -> Iterator[Json]:
        """Yield a diagnostic for each place that sends a template which cannot be told."""
        missing = {(one.range, one.file) for one in _unknown(self.bundle, known | ambiguous)}
        for one in _unknown(self.bundle, known - ambiguous):
            if (one.range, one.file) in missing:
                yield one.to_json()
            else:
                message = 'several templates of the project have this name; write id "…" instead'
                yield replace(one, message=message, hint=None).to_json()


def check(files: Mapping[str, str], known_templates: AbstractSet[str]) -> list[Json]:
    """Return everything that is wrong or doubtful in a bundle."""
    found = dsl.check(dsl.read_bundle(files), known_templates)
    return [diagnostic.to_json() for diagnostic in found]


def read(files: Mapping[str, str]) -> Written:
    """Return a bundle, compiled; InvalidFlow lists all that is wrong in it."""
    bundle = dsl.read_bundle(files)
    found = [one.to_json() for one in dsl.check(bundle)]
    refuse(found)
    compiled = dsl.compile(bundle).to_json()
    return Written(
        bundle=bundle,
        workflows=_objects(compiled["workflows"]),
        templates=_objects(compiled["templates"]),
        sources=[_own_text(file, node) for file, node in bundle.workflows()],
        warnings=[one for one in found if one["code"] != ELSEWHERE],
    )


def is_valid(diagnostics: Iterable[Json]) -> bool:
    """Tell whether there is no error among the diagnostics."""
    return all(one["severity"] != "error" for one in diagnostics)


def refuse(diagnostics: Iterable[Json]) -> None:
    """Raise InvalidFlow with these diagnostics when there is an error among them."""
    listed = list(diagnostics)
    errors = [one for one in listed if one["severity"] == "error"]
    if errors:
        first = errors[0]
        place = f"{first['file']}:{first['range']['start']['line']}"
        more = f" (and {len(errors) - 1} more)" if len(errors) > 1 else ""
        raise InvalidFlow(f"{place}: {first['message']}{more}", details={"diagnostics": listed})


def own_text(source: str) -> str:
    """Return the part of a stored text that is the workflow itself."""
    (found,) = dsl.read_bundle({"workflow.flow": source}).workflows()
    return _slice(*found)


def by_name(source: str) -> Json:
    """Return the workflow of a stored text, compiled."""
    compiled = dsl.compile(dsl.read_bundle({"workflow.flow": own_text(source)})).to_json()
    return _objects(compiled["workflows"])[0]


def declared_templates(source: str) -> list[Json] | None:
    """Return the templates that a stored text declares; None when some stand in other files."""
    bundle = dsl.read_bundle({"workflow.flow": source})
    if any(one.is_error for one in dsl.check(bundle)):
        return None
    return _objects(dsl.compile(bundle).to_json()["templates"])


def to_text(workflow: Json, made_keys: AbstractSet[str]) -> str:
    """Return a graph by name as text; Conflict tells why when the language has no words for it.

    Steps whose keys were made up for this come without a label.
    """
    compiled = dsl.Compiled.from_json({"workflows": [workflow], "templates": []})
    try:
        file = _without_labels(dsl.decompile(compiled), made_keys)
    except dsl.NotExpressible as error:
        step = next((one for one in workflow["steps"] if one["key"] == error.step), None)
        name = step["name"] if step else error.step
        raise Conflict(
            f"The workflow cannot be written as .flow: step {name!r}: {error.reason}.",
            details={"step": name, "reason": error.reason},
        ) from None
    text = dsl.print_file(file)
    for one in dsl.check(dsl.read_bundle({"workflow.flow": text})):
        if one.is_error:
            raise Conflict(f"The workflow cannot be written as .flow: {one.message}.")
    return text


def _unknown(bundle: dsl.Bundle, known: AbstractSet[str]) -> list[dsl.Diagnostic]:
    return [one for one in dsl.check(bundle, known) if one.code == UNKNOWN]


def _diagnostic(code: str, message: str, file: dsl.Parsed, name: Text) -> Json:
    place = file.source.range(name.span)
    return dsl.Diagnostic(code, message, file.source.path, place).to_json()


def _own_text(file: dsl.Parsed, workflow: Workflow) -> str:
    """Return the whole file when no other workflow is in it, else its own part of it."""
    others = [one for one in file.file.declarations if isinstance(one, Workflow)]
    return file.source.text if len(others) == 1 else _slice(file, workflow)


def _slice(file: dsl.Parsed, workflow: Workflow) -> str:
    """Return the lines of one workflow, with the comment right above it."""
    text, span = file.source.text, workflow.span
    before = text[: span.start].splitlines(keepends=True)
    start = len(before)
    while start and before[start - 1].lstrip().startswith("#"):
        start -= 1
    return "".join(before[start:]) + text[span.start : span.end] + "\n"


def _without_labels(node: Any, made: AbstractSet[str]) -> Any:  # noqa: ANN401 - any part of the tree
    """Return the same tree without the labels that nobody wrote."""
    match node:
        case tuple():
            return tuple(_without_labels(one, made) for one in node)
        case Prefix(label, None, None) if label in made:
            return None
        case Prefix(label) if label in made:
            return replace(node, label=None)
        case _ if is_dataclass(node) and not isinstance(node, type):
            parts = {one.name: getattr(node, one.name) for one in fields(node)}
            return replace(node, **{key: _without_labels(parts[key], made) for key in parts})
    return node


def _objects(value: object) -> list[Json]:
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []
