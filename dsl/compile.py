"""Syntax tree → graph, everything by name."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from dsl import nodes
from dsl.compile_templates import compile_template
from dsl.conditions import tree_json
from dsl.durations import seconds
from dsl.graph import (
    TRIGGER,
    Compiled,
    EventTrigger,
    ManualTrigger,
    Outcome,
    Reentry,
    Step,
    Transition,
    Trigger,
    WorkflowGraph,
)
from dsl.joins import downwards
from dsl.naming import derived_key, derived_name, labels_of, prefix_of, unique_keys
from dsl.step_configs import step_config, step_type

if TYPE_CHECKING:
    from collections.abc import Iterable

    from dsl.bundle import Bundle


@dataclass(frozen=True, slots=True)
class _End:
    """A way out of a step that leads nowhere yet."""

    step: int
    branch: str | None = None
    outcome: Outcome | None = None
    priority: int = 0


def compile(bundle: Bundle) -> Compiled:  # noqa: A001 - its name in the public face
    """Compile every workflow and template; the bundle must have no errors."""
    workflows = tuple(compile_workflow(workflow) for _, workflow in bundle.workflows())
    templates = (compile_template(bundle, file, found) for file, found in bundle.templates())
    return Compiled(workflows, tuple(templates))


def compile_workflow(workflow: nodes.Workflow) -> WorkflowGraph:
    """Compile one workflow; what can never be reached is left out."""
    drawing = _Drawing()
    drawing.block(workflow.statements, [_End(0)])
    drawing.sort()
    headers = workflow.headers
    triggers = tuple(_triggers(headers))
    descriptions = [found.text.value for found in headers if isinstance(found, nodes.Description)]
    keys = [TRIGGER, *drawing.keys()]
    return WorkflowGraph(
        name=workflow.name.value,
        description=descriptions[0] if descriptions else None,
        enabled=not any(isinstance(header, nodes.Disabled) for header in headers),
        reentry=_reentry(headers),
        triggers=triggers,
        steps=(_trigger_step(triggers), *drawing.compiled(keys[1:])),
        transitions=drawing.transitions(keys),
    )


class _Drawing:
    """The steps of one workflow and the ways between them, by number; 0 is the trigger."""

    def __init__(self) -> None:
        self.steps: list[nodes.Action | nodes.Branch] = []
        self.ways: list[tuple[_End, int]] = []

    def block(self, items: Iterable[nodes.Item], ends: list[_End]) -> list[_End]:
        """Draw statements one after the other; the ends that remain open."""
        for item in items:
            if ends and not isinstance(item, (*nodes.HEADERS, nodes.Broken)):
                ends = self._statement(item, ends)
        return ends

    def sort(self) -> None:
        """Put the steps into reading order, which the ways alone decide."""
        ways: dict[str, list[str]] = {str(here): [] for here in range(len(self.steps) + 1)}
        for end, target in sorted(self.ways, key=lambda way: way[0].priority):
            ways[str(end.step)].append(str(target))
        order = [int(here) for here in downwards(ways, "0")]
        place = {old: new for new, old in enumerate(order)}
        self.steps = [self.steps[old - 1] for old in order[1:]]
        self.ways = [
            (replace(end, step=place[end.step]), place[target]) for end, target in self.ways
        ]

    def keys(self) -> list[str]:
        """Return the key of each step."""
        return unique_keys([derived_key(step) for step in self.steps], labels_of(self.steps))

    def compiled(self, keys: list[str]) -> list[Step]:
        """Return the steps with keys, names and configs."""
        return [_step(key, step) for key, step in zip(keys, self.steps, strict=True)]

    def transitions(self, keys: list[str]) -> tuple[Transition, ...]:
        """Return the ways, in the order of the steps they leave."""
        ways = sorted(self.ways, key=lambda way: (way[0].step, way[0].priority))
        return tuple(
            Transition(keys[end.step], keys[target], end.branch, end.outcome, end.priority)
            for end, target in ways
        )

    def _statement(self, statement: nodes.Action, ends: list[_End]) -> list[_End]:
        if isinstance(statement, nodes.If):
            return self._if(statement, ends)
        here = self._add(statement, ends)
        match statement:
            case nodes.Exit():
                return []
            case nodes.WaitForEvent():
                return self._outcomes(statement, here)
        return [_End(here)]

    def _add(self, step: nodes.Action | nodes.Branch, ends: list[_End]) -> int:
        """Draw one step, reached from all open ends."""
        self.steps.append(step)
        here = len(self.steps)
        self.ways += [(end, here) for end in ends]
        return here

    def _if(self, statement: nodes.If, ends: list[_End]) -> list[_End]:
        done: list[_End] = []
        for number, branch in enumerate(statement.branches):
            prefix = branch.prefix if number else statement.prefix
            step = nodes.Branch(branch.condition, branch.body, prefix, branch.span)
            here = self._add(step, ends)
            done += self.block(branch.body.items, [_End(here, branch="yes")])
            ends = [_End(here, branch="no", priority=1)]
        if statement.otherwise:
            ends = self.block(statement.otherwise.items, ends)
        return done + ends

    def _outcomes(self, statement: nodes.WaitForEvent, here: int) -> list[_End]:
        came = [_End(here, outcome="EVENT")]
        late = [_End(here, outcome="TIMEOUT", priority=1)] if statement.limit else []
        if statement.body:
            came = self.block(statement.body.items, came)
        if statement.timeout:
            late = self.block(statement.timeout.items, late)
        return came + late


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


def _trigger_step(triggers: tuple[Trigger, ...]) -> Step:
    first = next((found.event for found in triggers if isinstance(found, EventTrigger)), None)
    config = {"eventName": first} if first else {}
    return Step(TRIGGER, "TRIGGER", f"Trigger: {first or 'manual'}", dict(config))


def _triggers(headers: Iterable[nodes.Header]) -> Iterable[Trigger]:
    for header in headers:
        match header:
            case nodes.OnEvent(event, where):
                yield EventTrigger(event.value, tree_json(where) if where else None)
            case nodes.OnManual():
                yield ManualTrigger()


def _reentry(headers: Iterable[nodes.Header]) -> Reentry:
    for header in headers:
        match header:
            case nodes.Reentry("always"):
                return Reentry("always")
            case nodes.Reentry("after", after) if after:
                return Reentry("after", seconds(after))
    return Reentry()
