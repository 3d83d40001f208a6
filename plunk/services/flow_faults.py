"""What cannot be stored of a bundle in which the language finds no mistakes."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from plunk.ids import parse_id
from plunk.services import flow_limits, flow_segments, flow_templates
from plunk.services.flow_columns import workflow_columns
from plunk.services.flow_graphs import FlowGraph
from plunk.services.flow_references import Json, Kind, is_reference, references, renamed
from plunk.services.flow_segments import some_id
from plunk.services.flow_targets import Targets
from plunk.services.workflow_text import Known, Thing, Written

TAKEN = "several {}s of the project have this name; rename all but one"


def find(written: Written, targets: Targets, *, tolerated: Collection[str] = ()) -> list[Json]:
    """Return a diagnostic for each fault; ids that are tolerated need not lead anywhere."""
    return [
        *own(written),
        *_templates(written, targets),
        *_segments(written, targets),
        *_members(written, targets),
        *_unknown_names(written, targets),
        *_unknown_ids(written, targets, tolerated),
    ]


def taken(written: Written, targets: Targets) -> Iterator[Json]:
    """Yield a diagnostic for each workflow that several stored ones could be."""
    for at, workflow in enumerate(written.workflows):
        if len(targets.workflows.get(workflow["name"], ())) > 1:
            yield written.fault("workflow", at, TAKEN.format("workflow"), is_taken=True)


def own(written: Written) -> list[Json]:
    """Return a diagnostic for each fault that no project could change."""
    found = [
        written.fault("template", at, fault)
        for at, template in enumerate(written.templates)
        for fault in flow_templates.faults(template)
    ]
    found += [
        written.fault("segment", at, fault)
        for at, segment in enumerate(written.segments)
        for fault in flow_segments.faults(segment)
    ]
    for at, workflow in enumerate(written.workflows):
        columns = workflow_columns(FlowGraph.from_json(renamed(workflow, some_id)))
        for fault in (*flow_limits.excesses(workflow), *flow_limits.misunderstandings(columns)):
            found.append(written.fault("workflow", at, fault))
        for step in workflow["steps"]:
            for fault in flow_limits.step_faults(step):
                found.append(written.step_fault(at, step["key"], fault))
    return found


def _templates(written: Written, targets: Targets) -> Iterator[Json]:
    for at, template in enumerate(written.templates):
        if template["name"] in targets.shelf.ambiguous:
            yield written.fault("template", at, TAKEN.format("template"), is_taken=True)


def _segments(written: Written, targets: Targets) -> Iterator[Json]:
    ambiguous = targets.known.segments.known.ambiguous
    for at, segment in enumerate(written.segments):
        if segment["name"] in ambiguous:
            yield written.fault("segment", at, TAKEN.format("segment"), is_taken=True)
        stored = targets.segment({"name": segment["name"]})
        if stored is not None and stored.type != segment["type"]:
            message = (
                f"the project's segment of this name is {stored.type}, which cannot change;"
                " choose another name"
            )
            yield written.fault("segment", at, message)


def _members(written: Written, targets: Targets) -> Iterator[Json]:
    """Yield a diagnostic where somebody is put into a segment that a condition decides about."""
    types = {segment["name"]: segment["type"] for segment in written.segments}
    for at, workflow in enumerate(written.workflows):
        for step in workflow["steps"]:
            reference = step["config"].get("segment") if step["type"] == "SEGMENT" else None
            if not is_reference(reference):
                continue
            stored = targets.segment(reference)
            type_ = types.get(reference.get("name"), stored.type if stored else "STATIC")
            if type_ != "STATIC":
                who = next(iter(reference.values()))
                message = f"nobody can be put in or out of {who!r}, which has a condition"
                yield written.fault("workflow", at, message)


def _unknown_names(written: Written, targets: Targets) -> Iterator[Json]:
    declared = _declared(written)
    known = {
        kind: Known(names.names, names.ambiguous - declared[kind])
        for kind in declared
        for names in [targets.known.of(kind).known]
    }
    yield from written.unknown(known["template"], known["segment"])
    spoken = {kind: written.spoken(kind) for kind in declared}
    for thing, at, kind, reference in _references(written):
        name = reference.get("name")
        told = known[kind].names - known[kind].ambiguous | declared[kind]
        if name is not None and name not in told | spoken[kind]:
            yield written.fault(thing, at, f"there is no {kind} called {name!r}")


def _unknown_ids(written: Written, targets: Targets, tolerated: Collection[str]) -> Iterator[Json]:
    for thing, at, kind, reference in _references(written):
        one = reference.get("id")
        if one is None or one in tolerated:
            continue
        if parse_id(one) not in targets.known.of(kind).by_id:
            yield written.fault(thing, at, f"the project has no {kind} with the id {one!r}")


def _declared(written: Written) -> dict[Kind, set[str]]:
    return {
        "template": {template["name"] for template in written.templates},
        "segment": {segment["name"] for segment in written.segments},
    }


def _references(written: Written) -> Iterator[tuple[Thing, int, Kind, Json]]:
    """Yield each different reference once per declaration, in order."""
    things: tuple[tuple[Thing, list[Json]], ...] = (
        ("segment", list(written.segments)),
        ("workflow", list(written.workflows)),
    )
    for thing, declarations in things:
        for at, declaration in enumerate(declarations):
            seen: list[tuple[Kind, Json]] = []
            for found in references(declaration):
                if found not in seen:
                    seen.append(found)
                    yield thing, at, *found
