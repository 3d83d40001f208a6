"""Which step of a new text is which step of the old graph, so that runs keep their places.

A step is the same one when it has the same label; else when it is of the same type and says the
same; else when it is of the same type and comes right after the same step as before. Earlier
rules win over later ones, and within a rule the order of reading decides.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from plunk.models import Step
from plunk.services.flow_plans import Plan, PlannedStep
from plunk.services.workflow_graph import Drawing

Rule = Callable[[Step | PlannedStep], Hashable]


def match(drawing: Drawing, plan: Plan) -> dict[str, str]:
    """Return, by the planned steps' keys, the ids of the steps that they are."""
    old, new = _read_old(drawing), _read_new(plan)
    pairing = _Pairing({}, {})
    for rule in (_trigger, _labelled, _identical, _alike):
        pairing.pair(old, new, rule)
    pairing.pair_neighbours(old, new)
    return {key: step.id for key, step in pairing.new.items()}


@dataclass(frozen=True, slots=True)
class _Pairing:
    """Pairs found so far: the old step by the new one's key, and the other way round."""

    new: dict[str, Step]
    old: dict[str, str]

    def pair(self, old: Iterable[Step], new: Iterable[PlannedStep], rule: Rule) -> None:
        """Pair the free steps about which the rule says the same; None is about nothing."""
        waiting = defaultdict(list)
        for step in old:
            if step.id not in self.old:
                waiting[rule(step)].append(step)
        for planned in new:
            said = rule(planned)
            if planned.key not in self.new and said is not None and waiting[said]:
                self._join(waiting[said].pop(0), planned)

    def pair_neighbours(self, old: Sequence[Step], new: Sequence[PlannedStep]) -> None:
        """Pair free steps of one type that follow the same paired step."""
        waiting = defaultdict(list)
        before: str | None = None
        for step in old:
            if step.id in self.old:
                before = step.id
            else:
                waiting[before, step.type].append(step)
        before = None
        for planned in new:
            if planned.key in self.new:
                before = self.new[planned.key].id
                continue
            free = [one for one in waiting[before, planned.type] if not _differ(one, planned)]
            if free:
                waiting[before, planned.type].remove(free[0])
                self._join(free[0], planned)

    def _join(self, step: Step, planned: PlannedStep) -> None:
        self.new[planned.key], self.old[step.id] = step, planned.key


def _trigger(step: Step | PlannedStep) -> Hashable:
    return True if step.type == "TRIGGER" else None


def _labelled(step: Step | PlannedStep) -> Hashable:
    return (step.type, step.label) if step.label else None


def _identical(step: Step | PlannedStep) -> Hashable:
    return (step.name, *_content(step))


def _alike(step: Step | PlannedStep) -> Hashable:
    return _content(step)


def _content(step: Step | PlannedStep) -> tuple[str, str]:
    return step.type, json.dumps(step.config, sort_keys=True)


def _differ(step: Step, planned: PlannedStep) -> bool:
    """Tell whether somebody gave the two different labels on purpose."""
    return bool(step.label and planned.label)


def _read_old(drawing: Drawing) -> list[Step]:
    ways = {
        step.id: [edge.to_step_id for edge in drawing.ways_out(step.id)] for step in drawing.steps
    }
    starts = [step.id for step in drawing.steps if step.type == "TRIGGER"]
    steps = {step.id: step for step in drawing.steps}
    return [steps[one] for one in _reading_order([*starts, *ways], ways)]


def _read_new(plan: Plan) -> list[PlannedStep]:
    ways: dict[str, list[str]] = {step.key: [] for step in plan.steps}
    for edge in sorted(plan.edges, key=lambda edge: edge.priority):
        ways[edge.source].append(edge.target)
    steps = {step.key: step for step in plan.steps}
    return [steps[one] for one in _reading_order(list(ways), ways)]


def _reading_order(starts: Iterable[str], ways: Mapping[str, Sequence[str]]) -> list[str]:
    """Return everything that is reachable, each branch to its end before the next one."""
    order: dict[str, None] = {}
    stack = list(reversed(list(starts)))
    while stack:
        here = stack.pop()
        if here not in order:
            order[here] = None
            stack.extend(reversed(ways[here]))
    return list(order)
