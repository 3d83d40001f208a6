"""Which labels the steps of a decompiled graph have, and what else stands before them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from dsl import nodes
from dsl.graph import TRIGGER
from dsl.naming import derived_key, derived_name, unique_keys

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from collections.abc import Set as AbstractSet

    from dsl.graph import Step, WorkflowGraph

_LABEL = re.compile(r"\w[\w-]*")


class Labels:
    """Written labels, labels that keys need to come out the same, and targets of jumps.

    Keys in `made` were made up for the occasion: nobody minds if they come out otherwise.
    """

    def __init__(
        self,
        graph: WorkflowGraph,
        statements: Mapping[str, nodes.Action | nodes.Branch],
        order: Sequence[str],
        made: AbstractSet[str],
    ) -> None:
        self.statements = statements
        steps = {step.key: step for step in graph.steps}
        keys = [key for key in order if key != TRIGGER]
        bases = [derived_key(statements[key]) for key in keys]
        labels = [_writable(steps[key].label) for key in keys]
        wanted = [None if key in made or not _writable(key) else key for key in keys]
        names, labels = _settled(bases, labels, wanted)
        self._names = {TRIGGER: TRIGGER, **dict(zip(keys, names, strict=True))}
        self._written = {key: label for key, label in zip(keys, labels, strict=True) if label}

    def require(self, key: str) -> str:
        """Return the label of a step, which it has from now on."""
        if key != TRIGGER:
            self._written[key] = self._names[key]
        return self._names[key]

    def known(self) -> dict[str, str]:
        """Return the key that each labelled step will have."""
        return {TRIGGER: TRIGGER, **self._written}

    def prefix(self, step: Step) -> nodes.Prefix | None:
        """Return what must be written before a step: whatever differs from what is derived."""
        label = self._written.get(step.key)
        name = None if step.name == derived_name(self.statements[step.key]) else step.name
        if label is None and name is None and step.position is None:
            return None
        return nodes.Prefix(label, name, step.position)


def _writable(label: str | None) -> str | None:
    return label if label and label != TRIGGER and _LABEL.fullmatch(label) else None


def _settled(
    bases: Sequence[str], labels: list[str | None], wanted: Sequence[str | None]
) -> tuple[list[str], list[str | None]]:
    """Add labels until every key comes out as it is wanted."""
    while True:
        names = unique_keys(bases, labels)
        added = [
            label or (key if key and key != name else None)
            for label, key, name in zip(labels, wanted, names, strict=True)
        ]
        if added == labels:
            return names, labels
        labels = added
