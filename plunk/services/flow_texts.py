"""The `.flow` text of a stored workflow: as it was written, else put into words."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy.orm import Session

from plunk.services import (
    flow_changes,
    flow_names,
    flow_reading,
    flow_segments,
    flow_templates,
    revisions,
    workflow_text,
)
from plunk.services.flow_graphs import FlowGraph
from plunk.services.flow_names import Catalog
from plunk.services.flow_references import Json, renamed
from plunk.services.workflow_graph import draw, get_workflow


@dataclass(frozen=True, slots=True)
class FlowText:
    """A workflow as text, at one revision."""

    flow: str
    revision: int


def show(session: Session, project_id: str, workflow_id: str) -> FlowText:
    """Return a workflow's text; Conflict when the language has no words for its graph."""
    workflow = get_workflow(session, project_id, workflow_id)
    graph = flow_reading.graph_of(draw(session, workflow))
    source = revisions.current_source(session, workflow)
    known = flow_names.catalog(session, project_id)
    if source is None or not says(source, graph, known):
        return FlowText(in_words(graph, known), workflow.revision)
    is_true = _tells_the_truth(session, project_id, source, known)
    return FlowText(source if is_true else workflow_text.own_text(source), workflow.revision)


def says(source: str, graph: FlowGraph, known: Catalog) -> bool:
    """Tell whether a text still says what is stored.

    A template may have been renamed since, or another one been given its name; and somebody may
    have switched the workflow off.
    """
    written = resolved(workflow_text.by_name(source), known)
    is_as_on = graph.headers["enabled"] == written.headers["enabled"]
    return is_as_on and not flow_changes.find(graph, written)


def resolved(workflow: Json, known: Catalog) -> FlowGraph:
    """Return a compiled workflow with ids for all names that are known, in its one spelling."""
    return workflow_text.canonical(FlowGraph.from_json(renamed(workflow, known.to_id)))


def in_words(graph: FlowGraph, known: Catalog) -> str:
    """Return a stored graph as text, with names for all ids that have one of their own."""
    return workflow_text.to_text(FlowGraph.from_json(renamed(graph.to_json(), known.to_name)))


def _tells_the_truth(session: Session, project_id: str, source: str, known: Catalog) -> bool:
    """Tell whether the templates and segments that stand in a text are still as they stand there.

    Somebody who sends the text back must not undo what was done to them since.
    """
    declared = workflow_text.declared(source)
    if declared is None:
        return False
    templates, segments = declared
    shelf = flow_templates.find(session, project_id, [one["name"] for one in templates])
    ids = {one["name"]: known.segments.ids.get(one["name"], []) for one in segments}
    stored = flow_segments.find(session, project_id, [one for ids in ids.values() for one in ids])
    return all(
        one["name"] in shelf.unique and flow_templates.says(shelf.by_name[one["name"]][0], one)
        for one in templates
    ) and all(
        len(ids[one["name"]]) == 1
        and not flow_segments.differences(
            stored[ids[one["name"]][0]],
            workflow_text.canonical_segment(renamed(one, known.to_id)),
        )
        for one in segments
    )
