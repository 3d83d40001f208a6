"""A workflow becomes what a text says, step by step and edge by edge."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from plunk.ids import new_id
from plunk.models import Step, Transition, Workflow
from plunk.services import flow_changes, flow_stored, in_flight, revisions, step_removal
from plunk.services.flow_changes import Changes
from plunk.services.flow_columns import COLUMNS, step_columns, workflow_columns
from plunk.services.flow_graphs import TRIGGER, FlowGraph, FlowStep, Way
from plunk.services.flow_stored import Stored
from plunk.services.in_flight import Policy
from plunk.services.json_values import put, put_all, same
from plunk.services.workflow_graph import next_instant

LEFT, TOP, BETWEEN = 100, 100, 200


@dataclass(frozen=True, slots=True)
class Made:
    """The text a graph was made from, when it is stored, and what becomes of runs under way."""

    source: str
    now: datetime
    in_flight: Policy = "follow"


@dataclass(frozen=True, slots=True)
class Rewrite:
    """A graph before and after, and what is different; steps that are new have keys of the text."""

    old: FlowGraph
    new: FlowGraph
    changes: Changes

    @classmethod
    def of_new(cls, graph: FlowGraph) -> Rewrite:
        """Return the making of a workflow out of nothing."""
        nothing = FlowGraph("", dict.fromkeys(graph.headers), {}, {})
        return cls(nothing, graph, flow_changes.of_new(graph))


def create(session: Session, project_id: str, graph: FlowGraph, made: Made) -> Workflow:
    """Store a new workflow; the text says whether it is switched on."""
    workflow = Workflow(
        id=new_id(),
        project_id=project_id,
        enabled=graph.headers["enabled"],
        revision=0,
        created_at=made.now,
        updated_at=made.now,
        **workflow_columns(graph),
    )
    session.add(workflow)
    session.flush()
    _Writing(session, flow_stored.new(workflow), graph, made).carry_out()
    revisions.cut(session, workflow, now=made.now, source=made.source)
    return workflow


def write(session: Session, stored: Stored, graph: FlowGraph, made: Made) -> Rewrite:
    """Make a locked workflow what the graph says; return what that changed.

    Steps that stay keep their ids. Other words for the same graph are kept without a revision,
    and the same words for the same graph cost no query.
    """
    workflow = stored.workflow
    writing = _Writing(session, stored, graph, made)
    changes = writing.changes
    if writing.is_revision and made.in_flight != "follow":
        revisions.refuse_left_behind(session, workflow, now=made.now)
        in_flight.pin(session, workflow)
    writing.carry_out()
    if changes.headers:
        _write_headers(workflow, writing.graph, changes)
    if writing.is_revision:
        touched = in_flight.touched(changes) if made.in_flight == "follow" else ()
        revisions.cut(
            session,
            workflow,
            now=made.now,
            source=made.source,
            touched=touched,
            drawing=stored.drawing if writing.has_same_rows else None,
        )
        return writing.rewrite
    if changes:
        workflow.updated_at = made.now
        session.flush()
    if stored.source != made.source:
        revisions.keep_source(session, workflow, made.source)
    return writing.rewrite


def _write_headers(workflow: Workflow, graph: FlowGraph, changes: Changes) -> None:
    columns = workflow_columns(graph)
    wanted = {"name"} & set(changes.headers)
    wanted |= {column for name in changes.headers for column in COLUMNS.get(name, ())}
    put_all(workflow, {column: columns[column] for column in wanted})
    if "enabled" in changes.headers:
        workflow.enabled = False


class _Writing:
    """One graph on its way into the rows of a workflow."""

    def __init__(self, session: Session, stored: Stored, graph: FlowGraph, made: Made) -> None:
        self.session, self.drawing, self.graph, self.made = session, stored.drawing, graph, made
        self.old = stored.graph
        self.changes = flow_changes.find(self.old, graph)
        if self.is_revision and made.in_flight == "drain":
            self.graph = replace(graph, headers={**graph.headers, "enabled": False})
            self.changes = flow_changes.find(self.old, self.graph)
        self.rows = {step.id: step for step in self.drawing.steps}
        trigger = self.drawing.trigger
        ids = {**{key: key for key in self.rows}, TRIGGER: trigger.id if trigger else ""}
        self.ids = {key: ids[old] for key, old in self.changes.pairs.items() if ids[old]}

    @property
    def rewrite(self) -> Rewrite:
        """What becomes of the graph."""
        return Rewrite(self.old, self.graph, self.changes)

    @property
    def is_revision(self) -> bool:
        """Whether more changes than that the workflow is switched off."""
        return self.changes.has_structure or bool(set(self.changes.headers) - {"enabled"})

    @property
    def has_same_rows(self) -> bool:
        """Whether no step and no edge comes or goes, so that the drawing stays true."""
        changes = self.changes
        return not (changes.added or changes.removed or changes.rerouted)

    def carry_out(self) -> None:
        """Write all steps and edges."""
        gone = set(self.changes.removed)
        step_removal.erase(self.session, self.drawing, gone, now=self.made.now)
        born = next_instant(self.drawing.steps, self.made.now)
        for place, step in enumerate(self.graph.steps.values()):
            if step.key in self.ids:
                self._update(self.rows[self.ids[step.key]], step)
            else:
                self._add(step, place, born + timedelta(microseconds=place))
        self.session.flush()
        self._write_edges()

    def _update(self, row: Step, step: FlowStep) -> None:
        is_trigger = step.key == TRIGGER
        drawn_by = row.draw or row.label or row.id
        if step.key in self.changes.changed or (is_trigger and "triggers" in self.changes.headers):
            put_all(row, step_columns(step))
            row.updated_at = self.made.now
        if step.position is not None:
            put(row, "position", step.position)
        if not is_trigger:
            put(row, "label", step.label)
        if step.type == "SPLIT" and drawn_by != (row.label or row.id):
            put(row, "draw", drawn_by)

    def _add(self, step: FlowStep, place: int, born: datetime) -> None:
        row = Step(
            id=new_id(),
            project_id=self.drawing.workflow.project_id,
            workflow_id=self.drawing.workflow.id,
            type=step.type,
            label=step.label,
            position=step.position or {"x": LEFT, "y": TOP + BETWEEN * place},
            created_at=born,
            updated_at=self.made.now,
            **step_columns(step),
        )
        self.ids[step.key] = row.id
        self.session.add(row)

    def _write_edges(self) -> None:
        """Keep the edges that are wanted, remove the others, add what is missing."""
        born = next_instant(self.drawing.transitions, self.made.now)
        count = 0
        for key in self.changes.rerouted:
            missing = list(self.graph.ways[key])
            for edge in self.drawing.ways_out(self.ids[key]):
                wanted = next((way for way in missing if _is(edge, way, self.ids)), None)
                if wanted is not None:
                    missing.remove(wanted)
                elif edge.to_step_id not in self.changes.removed:  # else gone with its step
                    self.session.delete(edge)
            for way in missing:
                edge = self._new_edge(key, way)
                edge.created_at = born + timedelta(microseconds=count)
                edge.updated_at = self.made.now
                self.session.add(edge)
                count += 1

    def _new_edge(self, source: str, way: Way) -> Transition:
        return Transition(
            project_id=self.drawing.workflow.project_id,
            workflow_id=self.drawing.workflow.id,
            from_step_id=self.ids[source],
            to_step_id=self.ids[way.target],
            condition=way.condition,
            priority=way.priority,
            wait_outcome=way.outcome,
        )


def _is(edge: Transition, way: Way, ids: Mapping[str, str]) -> bool:
    return (
        edge.to_step_id == ids[way.target]
        and (edge.priority, edge.wait_outcome) == (way.priority, way.outcome)
        and same(edge.condition, way.condition)
    )
