"""The ways out of the steps of a graph: which of them a statement has by nature."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

from dsl import nodes
from dsl.expressions_reading import Unreadable, object_node
from dsl.graph import TRIGGER, Outcome
from dsl.joins import END, downwards
from dsl.step_configs import REST, case_ids, has_rest, share_ids
from dsl.step_reading import statement_of
from dsl.walking import is_condition

if TYPE_CHECKING:
    from collections.abc import Sequence
    from collections.abc import Set as AbstractSet

    from dsl.graph import Step, Transition, WorkflowGraph

_Way: TypeAlias = tuple[str | None, Outcome | None]
_PLAIN: _Way = (None, None)
_YES: _Way = ("yes", None)
_NO: _Way = ("no", None)
_EVENT: _Way = (None, "EVENT")
_TIMEOUT: _Way = (None, "TIMEOUT")


class NotExpressible(ValueError):
    """The language has no words for this graph; `step` and `reason` say where and why."""

    def __init__(self, step: str, reason: str) -> None:
        """Name the step that stands in the way."""
        super().__init__(f"step {step!r}: {reason}")
        self.step = step
        self.reason = reason


class Ways:
    """The statement of each step, and where its ways out lead.

    A step is irregular when its statement would not have just these ways out.
    """

    def __init__(self, graph: WorkflowGraph, raw: AbstractSet[str] = frozenset()) -> None:
        self.steps = [step.key for step in graph.steps]
        self.statements = {
            step.key: _statement(step, as_raw=step.key in raw)
            for step in graph.steps
            if _is_written(step)
        }
        self._out: dict[str, list[Transition]] = {key: [] for key in self.steps}
        for way in graph.transitions:
            if way.source not in self._out or way.target not in self._out:
                raise NotExpressible(way.source, "one of its ways leads to no step")
            self._out[way.source].append(way)
        self.irregular = frozenset(key for key in self.steps if not self._is_regular(key))
        self.successors = {key: self._successors(key) for key in self.steps}

    def out_of(self, key: str) -> Sequence[Transition]:
        """Return the ways out of a step."""
        return self._out[key]

    def order(self) -> list[str]:
        """Return all steps in reading order, those that nothing leads to at the end."""
        found: dict[str, None] = {}
        for key in [TRIGGER, *self.steps]:
            found |= dict.fromkeys(downwards(self.successors, key, found))
        return list(found)

    def options(self, way: Transition) -> nodes.Object | None:
        """Return what stands behind an edge."""
        given = {
            "branch": way.branch,
            "waitOutcome": way.outcome,
            "priority": way.priority or None,
            "condition": way.condition,
        }
        values = {key: value for key, value in given.items() if value is not None}
        return object_node(values) if values else None

    def _is_regular(self, key: str) -> bool:
        natural = self._natural(key)
        written = [(way.branch, way.outcome) for way in self._out[key]]
        return len(set(written)) == len(written) and all(
            (way.branch, way.outcome) in natural
            and way.priority == natural.index((way.branch, way.outcome))
            and way.condition is None
            and way.target != TRIGGER
            for way in self._out[key]
        )

    def _successors(self, key: str) -> list[str]:
        """Return where the ways of a step lead; the end where one leads nowhere."""
        if key in self.irregular:
            return [way.target for way in self._out[key]]
        targets = {(way.branch, way.outcome): way.target for way in self._out[key]}
        return [targets.get(way, END) for way in self._natural(key)]

    def _natural(self, key: str) -> tuple[_Way, ...]:  # noqa: PLR0911 - a table
        """Return the ways out that a step's statement has."""
        match self.statements.get(key):
            case nodes.Exit() | nodes.RawStep(nodes.Text("EXIT")):
                return ()
            case nodes.Branch():
                return _YES, _NO
            case nodes.Switch() as switch:
                return (*((name, None) for name in case_ids(switch)), (REST, None))
            case nodes.Split() as split:
                rest = ((REST, None),) if has_rest(split) else ()
                return (*((name, None) for name in share_ids(split)), *rest)
            case nodes.WaitForEvent(limit=limit):
                return (_EVENT, _TIMEOUT) if limit else (_EVENT,)
            case nodes.WaitUntil(moment, limit=limit) if is_condition(moment):
                return (_EVENT, _TIMEOUT) if limit else (_EVENT,)
        return (_PLAIN,)


def _is_written(step: Step) -> bool:
    return step.key != TRIGGER


def _statement(step: Step, *, as_raw: bool) -> nodes.Action | nodes.Branch:
    try:
        return statement_of(step, as_raw=as_raw)
    except Unreadable as error:
        raise NotExpressible(step.key, str(error)) from error
