"""Workflows as they are stored, read for a deployment, however many there are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy.orm import Session

from plunk.models import Workflow
from plunk.services import flow_reading, revisions
from plunk.services.flow_graphs import FlowGraph
from plunk.services.workflow_graph import Drawing, draw_all


@dataclass(frozen=True, slots=True)
class Stored:
    """A workflow's rows, what they say, and the text that its newest revision was made from."""

    drawing: Drawing
    graph: FlowGraph
    source: str | None = None

    @property
    def workflow(self) -> Workflow:
        """The workflow itself."""
        return self.drawing.workflow


def new(workflow: Workflow) -> Stored:
    """Return a workflow that has no steps yet."""
    drawing = Drawing(workflow, (), ())
    return Stored(drawing, flow_reading.graph_of(drawing))


def read(session: Session, workflows: Sequence[Workflow]) -> list[Stored]:
    """Return these workflows, which the caller has locked, in three queries."""
    sources = revisions.current_sources(session, workflows)
    return [
        Stored(one, flow_reading.graph_of(one), sources.get(one.workflow.id))
        for one in draw_all(session, workflows)
    ]
