"""Syntax tree → graph, everything by name."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dsl import nodes
from dsl.compile_headers import compile_headers
from dsl.compile_templates import compile_template
from dsl.conditions import SEGMENT, tree_json
from dsl.drawing import Drawing
from dsl.graph import TRIGGER, Compiled, JsonObject, SegmentText, Step, WorkflowGraph
from dsl.naming import LONGEST_NAME, derived_name, prefix_of
from dsl.step_configs import step_config, step_type

if TYPE_CHECKING:
    from collections.abc import Iterable

    from dsl.bundle import Bundle
    from dsl.parser import Parsed
    from dsl.spans import Range


def compile(bundle: Bundle) -> Compiled:  # noqa: A001 - its name in the public face
    """Compile every workflow, template and segment; the bundle must have no errors."""
    workflows = tuple(compile_workflow(workflow) for _, workflow in bundle.workflows())
    templates = (compile_template(bundle, file, found) for file, found in bundle.templates())
    segments = tuple(compile_segment(segment) for _, segment in bundle.segments())
    return Compiled(workflows, tuple(templates), segments)


def compile_workflow(workflow: nodes.Workflow) -> WorkflowGraph:
    """Compile one workflow; what can never be reached and has no label is left out."""
    drawing = Drawing(workflow.statements)
    headers = compile_headers(workflow.headers)
    keys = [TRIGGER, *drawing.keys()]
    steps = [_step(key, step) for key, step in zip(keys[1:], drawing.steps, strict=True)]
    return WorkflowGraph(
        name=workflow.name.value,
        headers=headers,
        steps=(trigger_step(headers.triggers), *steps),
        transitions=drawing.transitions(keys),
    )


def step_places(file: Parsed, workflow: nodes.Workflow) -> dict[str, Range]:
    """Return where the steps of a workflow stand in its file, by the keys they compile to."""
    drawing = Drawing(workflow.statements)
    spans = [workflow.name.span, *(step.span for step in drawing.steps)]
    keys = [TRIGGER, *drawing.keys()]
    return {key: file.source.range(span) for key, span in zip(keys, spans, strict=True)}


def compile_segment(segment: nodes.Segment) -> SegmentText:
    """Compile one segment."""
    wheres = [item.condition for item in segment.items if isinstance(item, nodes.SegmentWhere)]
    texts = [item.text.value for item in segment.items if isinstance(item, nodes.Description)]
    return SegmentText(
        name=segment.name.value,
        type="DYNAMIC" if wheres else "STATIC",
        condition=tree_json(wheres[0], SEGMENT) if wheres else None,
        track_membership=any(isinstance(item, nodes.Keep) for item in segment.items),
        description=texts[0] if texts else None,
    )


def _step(key: str, step: nodes.Action | nodes.Branch) -> Step:
    prefix = prefix_of(step)
    return Step(
        key=key,
        type=step_type(step),
        name=prefix.name or derived_name(step),
        config=step_config(step),
        label=prefix.label,
        position=prefix.position,
    )


def trigger_step(triggers: Iterable[JsonObject]) -> Step:
    """Return the step where runs begin, called after the first event that starts them."""
    names = (trigger.get("eventName") for trigger in triggers)
    first = next((name for name in names if isinstance(name, str)), None)
    config: JsonObject = {"eventName": first} if first else {}
    name = f"Trigger: {first or 'manual'}"[:LONGEST_NAME]
    return Step(TRIGGER, "TRIGGER", name, config)
