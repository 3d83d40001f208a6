"""Steps and ways between them → nested statements."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from dsl import nodes
from dsl.graph import TRIGGER, Step, Transition, WorkflowGraph
from dsl.joins import END, Shape
from dsl.naming import derived_key, derived_name, unique_keys
from dsl.reading import Unreadable
from dsl.step_reading import statement_of

if TYPE_CHECKING:
    from collections.abc import Sequence

_LABEL = re.compile(r"\w[\w-]*")
_DEEPEST = 64
_DEEPEST_REST = 8
_Way = tuple[str | None, str | None]
_PLAIN: _Way = (None, None)
_YES, _NO = ("yes", None), ("no", None)
_EVENT, _TIMEOUT = (None, "EVENT"), (None, "TIMEOUT")


class NotExpressible(ValueError):
    """The language has no words for this graph; `step` and `reason` say where and why."""

    def __init__(self, step: str, reason: str) -> None:
        """Name the step that stands in the way."""
        super().__init__(f"step {step!r}: {reason}")
        self.step = step
        self.reason = reason


class Structure:
    """One graph, prepared for being written down from the trigger to the end."""

    def __init__(self, graph: WorkflowGraph) -> None:
        self.steps = {step.key: step for step in graph.steps}
        self.ways = _ways(graph.transitions)
        self.statement_of = {
            step.key: _statement(step) for step in graph.steps if step.key != TRIGGER
        }
        self.shape = Shape({key: self._successors(key) for key in self.steps}, TRIGGER)
        self._refuse_loops_and_orphans()
        order = self.shape.order
        self.prefixes = _prefixes([self.steps[key] for key in order[1:]], self.statement_of)
        self.written: set[str] = set()
        self.depth = 0

    def statements(self) -> tuple[nodes.Statement, ...]:
        """All statements of the workflow."""
        return self._block(self._target(TRIGGER, _PLAIN), END)

    def _block(self, start: str, stop: str) -> tuple[nodes.Statement, ...]:
        """Return the statements from a step up to, and without, the place where ways meet."""
        self.depth += 1
        if self.depth > _DEEPEST:
            raise NotExpressible(start, "it is nested too deeply")
        found: list[nodes.Statement] = []
        here: str | None = start
        while here is not None and here not in {END, stop}:
            statement, here = self._statement(here, stop)
            found.append(statement)
        if here == END != stop:
            raise NotExpressible(start, "the workflow ends behind it, in the middle of a block")
        self.depth -= 1
        return tuple(found)

    def _statement(self, key: str, stop: str) -> tuple[nodes.Action, str | None]:
        """Return the statement of a step with its blocks, and the step behind it."""
        statement = self._write(key)
        match statement:
            case nodes.Branch():
                join = self._join(key, stop)
                return self._if(key, join), join
            case nodes.Exit():
                return statement, None
            case nodes.WaitForEvent() if statement.limit:
                join = self._join(key, stop)
                return self._wait_for(key, statement, join), join
        return statement, self._successors(key)[0]

    def _join(self, key: str, stop: str) -> str:
        """Return the step behind a statement with two ways.

        If they never meet, one of them always exits, and the other goes on behind the block.
        Only if the second exits the first goes inside, as long as that does not pile up.
        """
        first, second = self._successors(key)
        meeting = self.shape.meeting(first, second)
        if meeting is not None:
            return meeting
        if not self.shape.leads(first, stop):
            return second
        return stop if self.depth <= _DEEPEST_REST else first

    def _write(self, key: str) -> nodes.Action | nodes.Branch:
        if key in self.written:
            raise NotExpressible(key, "ways meet here where no block ends")
        self.written.add(key)
        statement = self.statement_of[key]
        prefix = self.prefixes.get(key)
        return replace(statement, prefix=prefix) if prefix else statement

    def _if(self, key: str, join: str) -> nodes.If:
        """Return an if with all arms; a chain of else if is followed without nesting."""
        branches = [self._branch(key, join)]
        otherwise = self._target(key, _NO)
        while self._continues(otherwise, join):
            self._write(otherwise)
            branches.append(self._branch(otherwise, join))
            otherwise = self._target(otherwise, _NO)
        rest = self._block(otherwise, join) if otherwise != join else ()
        prefix = self.prefixes.get(key)
        return nodes.If(tuple(branches), nodes.Block(rest) if rest else None, prefix)

    def _branch(self, key: str, join: str) -> nodes.Branch:
        condition = self.statement_of[key]
        if not isinstance(condition, nodes.Branch):
            raise NotExpressible(key, "it does not branch")
        body = nodes.Block(self._block(self._target(key, _YES), join))
        return replace(condition, body=body, prefix=self.prefixes.get(key))

    def _continues(self, key: str, join: str) -> bool:
        """Whether the other arm is nothing but another if, so that else if can say it."""
        is_if = isinstance(self.statement_of.get(key), nodes.Branch)
        return is_if and key not in {END, join} and self._join(key, join) == join

    def _wait_for(self, key: str, statement: nodes.WaitForEvent, join: str) -> nodes.WaitForEvent:
        came = self._block(self._target(key, _EVENT), join)
        late = self._block(self._target(key, _TIMEOUT), join)
        if not came and not late:
            return statement
        timeout = nodes.Block(late) if late else None
        return replace(statement, body=nodes.Block(came), timeout=timeout)

    def _successors(self, key: str) -> list[str]:
        """Where the ways of a step lead; the end where one leads nowhere."""
        if self.steps[key].type == "EXIT":
            if self.ways.get(key):
                raise NotExpressible(key, "it exits, and yet a way leads on")
            return []
        return [self._target(key, way) for way in self._outcomes(key)]

    def _outcomes(self, key: str) -> Sequence[_Way]:
        match self.statement_of.get(key):
            case nodes.Branch():
                return _YES, _NO
            case nodes.WaitForEvent(limit=limit):
                return (_EVENT, _TIMEOUT) if limit else (_EVENT,)
        return (_PLAIN,)

    def _target(self, key: str, way: _Way) -> str:
        """Return where a way leads; refuse ways that the step's statement cannot have."""
        ways = self.ways.get(key, {})
        for other in ways:
            if other not in self._outcomes(key):
                raise NotExpressible(key, "it has a way out that its statement cannot have")
        target = ways.get(way, END)
        if target != END and (target not in self.steps or target == TRIGGER):
            raise NotExpressible(key, f"it leads to {target!r}, which is no step")
        return target

    def _refuse_loops_and_orphans(self) -> None:
        for key in self.shape.backward():
            raise NotExpressible(key, "it leads back to an earlier step")
        for key in self.steps:
            if key not in self.shape.places:
                raise NotExpressible(key, "nothing leads to it")


def _ways(transitions: Sequence[Transition]) -> dict[str, dict[_Way, str]]:
    """Return the ways out of each step by what they stand for."""
    ways: dict[str, dict[_Way, str]] = {}
    for transition in transitions:
        own = ways.setdefault(transition.source, {})
        way = (transition.branch, transition.outcome)
        if way in own or transition.priority != int(way in {_NO, _TIMEOUT}):
            reason = "it has several ways out with priorities of their own"
            raise NotExpressible(transition.source, reason)
        own[way] = transition.target
    return ways


def _statement(step: Step) -> nodes.Action | nodes.Branch:
    try:
        return statement_of(step)
    except Unreadable as error:
        raise NotExpressible(step.key, str(error)) from error


def _prefixes(
    steps: Sequence[Step], statements: dict[str, nodes.Action | nodes.Branch]
) -> dict[str, nodes.Prefix | None]:
    """Return what must be written before each statement: whatever differs from what is derived."""
    labels = _labels(steps, statements)
    return {
        step.key: _prefix(step, label, derived_name(statements[step.key]))
        for step, label in zip(steps, labels, strict=True)
    }


def _prefix(step: Step, label: str | None, derived: str) -> nodes.Prefix | None:
    if label and not _LABEL.fullmatch(label):
        raise NotExpressible(step.key, "its key cannot be written as a label")
    name = None if step.name == derived else step.name
    if label is None and name is None and step.position is None:
        return None
    return nodes.Prefix(label, name, step.position)


def _labels(
    steps: Sequence[Step], statements: dict[str, nodes.Action | nodes.Branch]
) -> list[str | None]:
    """Return the labels that were written, and those that the keys need to come out the same."""
    bases = [derived_key(statements[step.key]) for step in steps]
    labels = [step.label for step in steps]
    keys = [step.key for step in steps]
    while (derived := unique_keys(bases, labels)) != keys:
        labels = [
            label if label or key == other else key
            for label, key, other in zip(labels, keys, derived, strict=True)
        ]
    return labels
