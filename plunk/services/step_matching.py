"""Which step of a new graph is which step of the old one, so that runs keep their places.

A step is the same one when it has the same label; else when it says the same in the same place,
reached by the same ways from steps that are the same; else when it says the same anywhere; else
when it is of the same type and comes right after the same step as before. Earlier rules win over
later ones, and within a rule the order of reading decides.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Sequence

from plunk.services.flow_graphs import TRIGGER, FlowGraph, FlowStep, Way
from plunk.services.json_values import same

Rule = Callable[[FlowStep], Hashable]


def match(old: FlowGraph, new: FlowGraph) -> dict[str, str]:
    """Return, by the keys of the new steps, the keys of the old ones that they are."""
    pairing = _Pairing(old, new)
    pairing.pair(_labelled)
    pairing.walk()
    for rule in (_identical, _alike):
        pairing.pair(rule)
    pairing.pair_neighbours()
    return pairing.found


def is_alike(old: FlowStep, new: FlowStep) -> bool:
    """Tell whether two steps do the same under the same name."""
    return (old.type, old.name) == (new.type, new.name) and same(old.config, new.config)


class _Pairing:
    """Pairs found so far, by the new key; and the old keys that are taken."""

    def __init__(self, old: FlowGraph, new: FlowGraph) -> None:
        self.old, self.new = old, new
        self.old_steps = [old.steps[key] for key in old.reading_order()]
        self.new_steps = [new.steps[key] for key in new.reading_order()]
        self.found = {TRIGGER: TRIGGER} if TRIGGER in old.steps else {}
        self.taken = set(self.found)

    def pair(self, rule: Rule) -> None:
        """Pair the free steps about which the rule says the same; None is about nothing."""
        waiting: dict[Hashable, list[FlowStep]] = defaultdict(list)
        for step in self._free_old():
            waiting[rule(step)].append(step)
        for planned in self.new_steps:
            said = rule(planned)
            if planned.key not in self.found and said is not None and waiting[said]:
                self._join(waiting[said].pop(0), planned)

    def walk(self) -> None:
        """Pair steps that do the same and are reached alike from steps that are paired."""
        queue = list(self.found)
        for key in queue:  # it grows while it is being read
            ways = _by_kind(self.old.ways[self.found[key]])
            for kind, target in _by_kind(self.new.ways[key]).items():
                if kind in ways and self._is_free(ways[kind], target):
                    step, planned = self.old.steps[ways[kind]], self.new.steps[target]
                    if is_alike(step, planned) and not _differ(step, planned):
                        self._join(step, planned)
                        queue.append(target)

    def pair_neighbours(self) -> None:
        """Pair free steps of one type that follow the same paired step."""
        waiting: dict[Hashable, list[FlowStep]] = defaultdict(list)
        before: str | None = None
        for step in self.old_steps:
            if step.key in self.taken:
                before = step.key
            else:
                waiting[before, step.type].append(step)
        before = None
        for planned in self.new_steps:
            if planned.key in self.found:
                before = self.found[planned.key]
                continue
            free = [one for one in waiting[before, planned.type] if not _differ(one, planned)]
            if free:
                waiting[before, planned.type].remove(free[0])
                self._join(free[0], planned)

    def _free_old(self) -> Iterable[FlowStep]:
        return [step for step in self.old_steps if step.key not in self.taken]

    def _is_free(self, old: str, new: str) -> bool:
        return old not in self.taken and new not in self.found

    def _join(self, step: FlowStep, planned: FlowStep) -> None:
        self.found[planned.key] = step.key
        self.taken.add(step.key)


def _by_kind(ways: Sequence[Way]) -> dict[Hashable, str]:
    """Return where ways lead, by what they are for; of several alike the first counts."""
    found: dict[Hashable, str] = {}
    for way in ways:
        kind = (way.outcome, way.priority, json.dumps(way.condition, sort_keys=True))
        found.setdefault(kind, way.target)
    return found


def _labelled(step: FlowStep) -> Hashable:
    return (step.type, step.label) if step.label else None


def _identical(step: FlowStep) -> Hashable:
    return (step.name, *_alike_by(step))


def _alike(step: FlowStep) -> Hashable:
    return _alike_by(step)


def _alike_by(step: FlowStep) -> tuple[str, str]:
    return step.type, json.dumps(step.config, sort_keys=True)


def _differ(step: FlowStep, planned: FlowStep) -> bool:
    """Tell whether somebody gave the two different labels on purpose."""
    return bool(step.label and planned.label) and step.label != planned.label
