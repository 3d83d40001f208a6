"""A workflow's graph by id: immutable, read once per revision, shared by all its runs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import chain
from typing import Any

from plunk.conditions.history import asked
from plunk.conditions.nodes import History
from plunk.engine.core.configs import parse_action
from plunk.engine.core.headers import NONE, Headers
from plunk.engine.core.steps import Action, ChangeSegment, SendEmail, conditions_of


@dataclass(frozen=True, slots=True)
class Step:
    """One step; `config` is as stored, `action` what it means.

    `draw` is what the lots of a split were drawn by before its label was changed.
    """

    id: str
    type: str
    name: str
    label: str | None
    config: Mapping[str, object]
    template_id: str | None
    action: Action
    draw: str | None = None

    @property
    def drawn_by(self) -> str:
        """What the lots of a split are drawn by: nobody's is drawn anew."""
        return self.draw or self.label or self.id


@dataclass(frozen=True, slots=True)
class Edge:
    """A way from one step to another."""

    id: str
    from_id: str
    to_id: str
    condition: Mapping[str, object] | None = None
    priority: int = 0
    wait_outcome: str | None = None


@dataclass(frozen=True)
class Graph:
    """Steps by id and each step's ways out, in the order in which they are tried."""

    workflow_id: str
    revision: int
    name: str
    steps: Mapping[str, Step]
    edges: tuple[Edge, ...]
    dialect: str = "plunk"
    headers: Headers = NONE
    headers_json: Mapping[str, object] | None = None

    @cached_property
    def outgoing(self) -> Mapping[str, tuple[Edge, ...]]:
        """Ways out by step: lowest priority number first, then oldest first."""
        ways: dict[str, tuple[Edge, ...]] = {}
        for edge in sorted(self.edges, key=lambda edge: edge.priority):
            ways[edge.from_id] = (*ways.get(edge.from_id, ()), edge)
        return ways

    @cached_property
    def entry(self) -> str | None:
        """The id of the trigger step, where runs begin."""
        return next((step.id for step in self.steps.values() if step.type == "TRIGGER"), None)

    @cached_property
    def template_ids(self) -> frozenset[str]:
        """The templates that runs of this graph may need."""
        actions = (step.action for step in self.steps.values())
        return frozenset(action.template_id for action in actions if isinstance(action, SendEmail))

    @cached_property
    def segment_ids(self) -> frozenset[str]:
        """The segments that runs of this graph may change."""
        actions = (step.action for step in self.steps.values())
        return frozenset(one.segment_id for one in actions if isinstance(one, ChangeSegment))

    @cached_property
    def questions(self) -> frozenset[History]:
        """What runs of this graph may ask about their subject's history."""
        conditions = chain(
            self.headers.conditions, *(conditions_of(step.action) for step in self.steps.values())
        )
        return frozenset(chain.from_iterable(map(asked, conditions)))

    @classmethod
    def from_json(cls, snapshot: Mapping[str, Any]) -> Graph:
        """Read a stored revision; transitions stand in the order in which they were created."""
        steps = map(_step, snapshot["steps"])
        return cls(
            workflow_id=snapshot["workflowId"],
            revision=snapshot["revision"],
            name=snapshot["name"],
            steps={step.id: step for step in steps},
            edges=tuple(map(_edge, snapshot["transitions"])),
            dialect=snapshot.get("dialect") or "plunk",
            headers=Headers.from_json(snapshot.get("headers")),
            headers_json=snapshot.get("headers"),
        )

    def to_json(self) -> dict[str, object]:
        """Return the snapshot to store."""
        headers = {} if self.headers_json is None else {"headers": self.headers_json}
        return {
            "workflowId": self.workflow_id,
            "revision": self.revision,
            "name": self.name,
            "dialect": self.dialect,
            "steps": list(map(_step_json, self.steps.values())),
            "transitions": list(map(_edge_json, self.edges)),
            **headers,
        }


def _step(raw: Mapping[str, Any]) -> Step:
    config, template_id = raw.get("config") or {}, raw.get("templateId")
    return Step(
        id=raw["id"],
        type=raw["type"],
        name=raw["name"],
        label=raw.get("label"),
        config=config,
        template_id=template_id,
        action=parse_action(raw["type"], config, template_id),
        draw=raw.get("draw"),
    )


def _edge(raw: Mapping[str, Any]) -> Edge:
    return Edge(
        id=raw["id"],
        from_id=raw["fromStepId"],
        to_id=raw["toStepId"],
        condition=raw.get("condition"),
        priority=raw.get("priority") or 0,
        wait_outcome=raw.get("waitOutcome"),
    )


def _step_json(step: Step) -> dict[str, object]:
    return {
        "id": step.id,
        "type": step.type,
        "name": step.name,
        "label": step.label,
        "config": step.config,
        "templateId": step.template_id,
        **({} if step.draw is None else {"draw": step.draw}),
    }


def _edge_json(edge: Edge) -> dict[str, object]:
    return {
        "id": edge.id,
        "fromStepId": edge.from_id,
        "toStepId": edge.to_id,
        "condition": edge.condition,
        "priority": edge.priority,
        "waitOutcome": edge.wait_outcome,
    }
