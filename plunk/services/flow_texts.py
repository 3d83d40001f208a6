"""The `.flow` text of a stored workflow: as it was written, else put into words."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy.orm import Session

from plunk.services import flow_reading, flow_templates, revisions, workflow_text
from plunk.services.flow_plans import templates_by_id, templates_named
from plunk.services.workflow_graph import Drawing, draw, get_workflow


@dataclass(frozen=True, slots=True)
class FlowText:
    """A workflow as text, at one revision."""

    flow: str
    revision: int


def show(session: Session, project_id: str, workflow_id: str) -> FlowText:
    """Return a workflow's text; Conflict when the language has no words for its graph."""
    workflow = get_workflow(session, project_id, workflow_id)
    drawing = draw(session, workflow)
    source = revisions.current_source(session, workflow)
    if source is None or not _names_the_same(session, drawing, source):
        return FlowText(_put_into_words(session, drawing), workflow.revision)
    is_true = _tells_the_truth(session, project_id, source)
    return FlowText(source if is_true else workflow_text.own_text(source), workflow.revision)


def _names_the_same(session: Session, drawing: Drawing, source: str) -> bool:
    """Tell whether a text's names still lead to the templates that the steps send.

    A template may have been renamed since, or another one been given its name.
    """
    workflow = workflow_text.by_name(source)
    named = templates_named(workflow)
    shelf = flow_templates.find(session, drawing.workflow.project_id, named)
    meant = {shelf.unique.get(name) for name in named} | templates_by_id(workflow)
    return meant == {step.template_id for step in drawing.steps if step.type == "SEND_EMAIL"}


def _tells_the_truth(session: Session, project_id: str, source: str) -> bool:
    """Tell whether the templates that stand in a text are still as they stand there.

    Somebody who sends the text back must not undo what was done to a template since.
    """
    declared = workflow_text.declared_templates(source)
    if not declared:
        return declared is not None
    shelf = flow_templates.find(session, project_id, [one["name"] for one in declared])
    return all(
        one["name"] in shelf.unique and flow_templates.says(shelf.by_name[one["name"]][0], one)
        for one in declared
    )


def _put_into_words(session: Session, drawing: Drawing) -> str:
    used = {step.template_id for step in drawing.steps if step.template_id}
    named = flow_templates.unique_names(session, drawing.workflow.project_id, used)
    made = {flow_reading.made_key(step) for step in drawing.steps}
    return workflow_text.to_text(flow_reading.by_name(drawing, named), made)
