"""The `.flow` language at the border: texts in, diagnostics and graphs by name out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from typing import Any, Literal

import dsl
from dsl import nodes
from dsl.nodes import Text, Workflow
from plunk.errors import Conflict, InvalidFlow
from plunk.services.flow_graphs import FlowGraph, FlowStep
from plunk.services.flow_references import Kind

Json = dict[str, Any]
Thing = Literal["workflow", "template", "segment"]
NAME_TAKEN = {"workflow": "FLOW-E201", "template": "FLOW-E202", "segment": "FLOW-E212"}
UNKNOWN: Mapping[Kind, str] = {"template": "FLOW-E204", "segment": "FLOW-E213"}
BODY = Text("body")
DOES_NOT_FIT = "FLOW-E306"
ELSEWHERE = {"FLOW-W406", "FLOW-W408"}  # the project must have it: deploying finds out


@dataclass(frozen=True, slots=True)
class Known:
    """The names of one kind that a project has, and those that several things have."""

    names: AbstractSet[str] = frozenset()
    ambiguous: AbstractSet[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Written:
    """A bundle without mistakes of its own, compiled, and each workflow's own text."""

    bundle: dsl.Bundle
    workflows: Sequence[Json]
    templates: Sequence[Json]
    segments: Sequence[Json]
    sources: Sequence[str]
    warnings: Sequence[Json]

    def fault(self, thing: Thing, at: int, message: str, *, is_taken: bool = False) -> Json:
        """Return a diagnostic about the name of a declaration, the first of its kind being 0."""
        code = NAME_TAKEN[thing] if is_taken else DOES_NOT_FIT
        return _diagnostic(code, message, *self._names(thing)[at])

    def step_fault(self, at: int, key: str, message: str) -> Json:
        """Return a diagnostic about a step of a workflow, where it stands in the text."""
        file, found = list(self.bundle.workflows())[at]
        place = dsl.step_places(file, found)[key]
        return dsl.Diagnostic(DOES_NOT_FIT, message, file.source.path, place).to_json()

    def _names(self, thing: Thing) -> list[tuple[dsl.Parsed, Text]]:
        match thing:
            case "workflow":
                return [(file, one.name) for file, one in self.bundle.workflows()]
            case "template":
                return [(file, one.name) for file, one in self.bundle.templates()]
        return [(file, one.name) for file, one in self.bundle.segments()]

    def spoken(self, kind: Kind) -> set[str]:
        """Return the names of templates or segments that have a place of their own in the text."""
        found = dsl.references(self.bundle)
        return {one.value for _, own, one in found if own == kind and not one.is_id}

    def unknown(self, templates: Known, segments: Known) -> Iterator[Json]:
        """Yield a diagnostic for each place that speaks of something which cannot be told."""
        missing = _unknown(self.bundle, templates.names, segments.names)
        places = {(one.range, one.file) for one in missing}
        yield from (one.to_json() for one in missing)
        told = templates.names - templates.ambiguous, segments.names - segments.ambiguous
        for one in _unknown(self.bundle, *told):
            if (one.range, one.file) not in places:
                kind = "templates" if one.code == UNKNOWN["template"] else "segments"
                message = f'several {kind} of the project have this name; write id "…" instead'
                yield replace(one, message=message, hint=None).to_json()


def judge(
    files: Mapping[str, str | bytes],
    templates: AbstractSet[str] | None = None,
    segments: AbstractSet[str] | None = None,
) -> tuple[dsl.Bundle, list[Json]]:
    """Return a bundle, and everything that the language finds wrong or doubtful in it."""
    bundle = dsl.read_bundle(files)
    return bundle, [one.to_json() for one in dsl.check(bundle, templates, segments)]


def read(files: Mapping[str, str]) -> Written:
    """Return a bundle, compiled; InvalidFlow lists all that is wrong in it."""
    bundle, found = judge(files)
    refuse(found)
    return compiled(bundle, found)


def compiled(bundle: dsl.Bundle, found: Sequence[Json]) -> Written:
    """Return a bundle in which nothing but doubts were found, compiled."""
    made = dsl.compile(bundle).to_json()
    return Written(
        bundle=bundle,
        workflows=_objects(made["workflows"]),
        templates=_objects(made["templates"]),
        segments=_objects(made["segments"]),
        sources=[_own_text(file, node) for file, node in bundle.workflows()],
        warnings=[one for one in found if one["code"] not in ELSEWHERE],
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


def undeclared(files: Mapping[str, str]) -> list[tuple[Kind, Json]]:
    """Return what the files refer to by name and do not declare."""
    bundle = dsl.read_bundle(files)
    declared = {("template", one.name.value) for _, one in bundle.templates()}
    declared |= {("segment", one.name.value) for _, one in bundle.segments()}
    return [
        (kind, {"name": one.value})
        for _, kind, one in dsl.references(bundle)
        if not one.is_id and (kind, one.value) not in declared
    ]


def own_text(source: str) -> str:
    """Return the part of a stored text that is the workflow itself."""
    (found,) = dsl.read_bundle({"workflow.flow": source}).workflows()
    return _slice(*found)


def by_name(source: str) -> Json:
    """Return the workflow of a stored text, compiled."""
    compiled = dsl.compile(dsl.read_bundle({"workflow.flow": own_text(source)})).to_json()
    return _objects(compiled["workflows"])[0]


def declared(source: str) -> tuple[list[Json], list[Json]] | None:
    """Return the templates and segments of a stored text; None when some stand in other files."""
    bundle = dsl.read_bundle({"workflow.flow": source})
    if any(one.is_error for one in dsl.check(bundle)):
        return None
    compiled = dsl.compile(bundle).to_json()
    return _objects(compiled["templates"]), _objects(compiled["segments"])


def canonical(graph: FlowGraph) -> FlowGraph:
    """Return a graph in the one spelling that the language gives it."""
    steps = {
        key: replace(step, config=dsl.config_form(step.config)) for key, step in graph.steps.items()
    }
    listed = {
        name: [dsl.config_form(one) for one in graph.headers[name]]
        for name in ("triggers", "stops", "goals")
    }
    return replace(graph.normal(), headers={**graph.headers, **listed}, steps=steps)


def canonical_segment(segment: Json) -> Json:
    """Return a segment in the one spelling that the language gives it."""
    return dsl.segment_form(dsl.SegmentText.from_json(segment)).to_json()


def trigger_step(triggers: Sequence[Json]) -> FlowStep:
    """Return the step where runs begin, as the language names it."""
    made = dsl.trigger_step(triggers)
    return FlowStep(made.key, made.type, made.name, made.config)


def to_text(graph: FlowGraph) -> str:
    """Return a graph by name as text; Conflict tells why when the language has no words for it.

    Steps come with a label only where they have one, or where something must refer to them.
    """
    compiled = dsl.Compiled.from_json({"workflows": [graph.to_json()], "templates": []})
    text = _decompiled(compiled, graph)
    if _mistakes(text):  # somebody stored what nobody would write
        text = _decompiled(compiled, graph, dsl.refused(compiled.workflows[0]))
    for one in _mistakes(text):
        raise Conflict(f"The workflow cannot be written as .flow: {one.message}.")
    return text


def template_text(declared: Json, body: str) -> str:
    """Return a template as text, its body in a file of that name beside it."""
    (template,) = dsl.decompile(
        dsl.Compiled.from_json({"workflows": [], "templates": [declared]})
    ).declarations
    if not isinstance(template, nodes.Template):
        raise TypeError(template)
    pairs = tuple(
        nodes.Pair(BODY, nodes.Call(Text("file"), (nodes.Literal(body),)))
        if pair.key == BODY
        else pair
        for pair in template.fields.pairs
    )
    return dsl.print_file(dsl.File((replace(template, fields=nodes.Object(pairs)),)))


def segment_text(declared: Json) -> str:
    """Return a segment as text; Conflict when the language has no words for its condition."""
    compiled = dsl.Compiled.from_json({"workflows": [], "templates": [], "segments": [declared]})
    try:
        return dsl.print_file(dsl.decompile(compiled))
    except ValueError as error:
        raise Conflict(f"The segment cannot be written as .flow: {error}.") from None


def header_lines(graph: FlowGraph) -> list[str]:
    """Return what is said about a workflow as a whole, by name, as lines of the language."""
    try:
        return dsl.header_lines(dsl.WorkflowGraph.from_json(graph.to_json()).headers)
    except ValueError:
        return []


def step_lines(step: FlowStep) -> list[str]:
    """Return a step by name as lines of the language; none where it has no words."""
    try:
        return dsl.statement_lines(dsl.Step(step.key, step.type, step.name, step.config))
    except (ValueError, KeyError, TypeError):
        return []


def _decompiled(
    compiled: dsl.Compiled, graph: FlowGraph, raw: AbstractSet[str] = frozenset()
) -> str:
    try:
        return dsl.print_file(dsl.decompile(compiled, graph.steps.keys(), raw))
    except dsl.NotExpressible as error:
        step = graph.steps.get(error.step)
        name = step.name if step else error.step
        raise Conflict(
            f"The workflow cannot be written as .flow: step {name!r}: {error.reason}.",
            details={"step": name, "reason": error.reason},
        ) from None


def _mistakes(text: str) -> list[dsl.Diagnostic]:
    return [one for one in dsl.check(dsl.read_bundle({"workflow.flow": text})) if one.is_error]


def _unknown(
    bundle: dsl.Bundle, templates: AbstractSet[str], segments: AbstractSet[str]
) -> list[dsl.Diagnostic]:
    found = dsl.check(bundle, templates, segments)
    return [one for one in found if one.code in UNKNOWN.values()]


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


def _objects(value: object) -> list[Json]:
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []
