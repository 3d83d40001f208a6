"""Steps and ways between them → nested statements, with jumps where nesting cannot say it."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from itertools import combinations
from typing import TYPE_CHECKING, TypeAlias, TypeVar

from dsl import nodes
from dsl.decompile_ways import Ways
from dsl.graph import TRIGGER
from dsl.joins import END, Shape
from dsl.labels import Labels

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from collections.abc import Set as AbstractSet

    from dsl.graph import WorkflowGraph

_DEEPEST = 63
_DEEPEST_REST = 8
_ROOT = "\0"
_Statements: TypeAlias = list[nodes.Statement]
_Arm = TypeVar("_Arm", nodes.Case, nodes.Share)


def structure(
    graph: WorkflowGraph, made: AbstractSet[str], raw: AbstractSet[str] = frozenset()
) -> tuple[_Statements, Labels]:
    """Return the statements of a graph, and the labels they have.

    They are written twice: the first time tells which steps must be labelled for jumps.
    """
    ways = Ways(graph, raw)
    labels = Labels(graph, ways.statements, ways.order(), made)
    _Structure(graph, ways, labels).statements()
    return _Structure(graph, ways, labels).statements(), labels


class _Structure:
    """One graph being written down from the trigger to the end."""

    def __init__(self, graph: WorkflowGraph, ways: Ways, labels: Labels) -> None:
        self.ways = ways
        self.labels = labels
        self.steps = {step.key: step for step in graph.steps}
        roots = [TRIGGER, *(key for key in ways.order() if key != TRIGGER)]
        self.shape = Shape({**ways.successors, _ROOT: roots}, _ROOT)
        self.written: set[str] = {TRIGGER}
        self.pending: list[str] = []
        self.depth = 0

    def statements(self) -> _Statements:
        """All statements of the workflow; what nothing natural leads to stands at the end."""
        found = self._beginning()
        for key in self._left():
            if not found or not isinstance(found[-1], nodes.Exit | nodes.Goto):
                found.append(nodes.Goto())
            self.labels.require(key)
            found += self._block(key, END)
        return found

    def _beginning(self) -> _Statements:
        if TRIGGER in self.ways.irregular:
            edges, start = self._edges(TRIGGER)
            return [*edges, *(self._block(start, END) if start else ())]
        (start,) = self.ways.successors[TRIGGER]
        return list(self._block(start, END))

    def _left(self) -> Iterator[str]:
        """Yield steps that are not written yet, as long as there are some."""
        for key in self.pending:  # it grows while it is being read
            if key not in self.written:
                yield key
        for key in self.ways.order():
            if key not in self.written:
                yield key
        if any(key not in self.written for key in self.pending):
            yield from self._left()

    def _block(self, start: str, stop: str) -> tuple[nodes.Statement, ...]:
        """Return the statements from a step up to, and without, the place where ways meet."""
        if self.depth >= _DEEPEST and start not in {END, stop}:
            self.pending.append(start)
            return (self._goto(start),)
        self.depth += 1
        found: _Statements = []
        here: str | None = start
        while here is not None and here not in {END, stop}:
            if here in self.written:
                found.append(self._goto(here))
                break
            statements, here = self._statement(here, stop)
            found += statements
        if here == END != stop:
            found.append(nodes.Goto())
        self.depth -= 1
        return tuple(found)

    def _goto(self, key: str) -> nodes.Goto:
        return nodes.Goto(nodes.Text(self.labels.require(key)))

    def _statement(self, key: str, stop: str) -> tuple[_Statements, str | None]:
        """Return the statement of a step with its blocks, and the step behind it."""
        if key in self.ways.irregular:
            return self._irregular(key)
        statement = self._write(key)
        successors = self.ways.successors[key]
        if not successors:
            return [_whole(statement)], None
        if len(successors) == 1:
            return [_whole(statement)], successors[0]
        join = self._join(key, stop)
        return [self._branching(key, statement, join)], join

    def _branching(
        self, key: str, statement: nodes.Action | nodes.Branch, join: str
    ) -> nodes.Action:
        match statement:
            case nodes.Branch():
                return self._if(key, statement, join)
            case nodes.Switch() | nodes.Split():
                return self._arms(key, statement, join)
            case nodes.WaitForEvent() | nodes.WaitUntil():
                return self._wait(key, statement, join)
        raise AssertionError(statement)

    def _irregular(self, key: str) -> tuple[_Statements, str | None]:
        """Return a statement whose ways out are written as edges, and where to go on."""
        statement = self._write(key)
        edges, following = self._edges(key)
        return [_whole(statement), *edges], following

    def _edges(self, key: str) -> tuple[_Statements, str | None]:
        """Return the edges out of a step; its first new target comes next, the others later."""
        edges: _Statements = []
        following: list[str] = []
        source = nodes.Text(self.labels.require(key))
        for way in self.ways.out_of(key):
            target = nodes.Text(self.labels.require(way.target))
            edges.append(nodes.Edge(source, target, self.ways.options(way)))
            if way.target not in self.written:
                following.append(way.target)
        self.pending += following[1:]
        return edges, following[0] if following else None

    def _join(self, key: str, stop: str) -> str:
        """Return the step behind a statement with several ways.

        If they never all meet, it is where most of them do. If no two of them meet, some always
        exit, and another goes on behind the block. Only if the last of two exits the first goes
        inside, as long as that does not pile up.
        """
        first, *others = self.ways.successors[key]
        meeting: str | None = first
        for other in others:
            meeting = None if meeting is None else self.shape.meeting(meeting, other)
        if meeting is None and len(others) > 1:
            meeting = self._usual_meeting([first, *others])
        if meeting is not None:
            return meeting
        last = others[-1]
        if not self.shape.leads(first, stop):
            return last
        return stop if self.depth <= _DEEPEST_REST else first

    def _usual_meeting(self, targets: Sequence[str]) -> str | None:
        """Return the place where most of several ways meet; None when no two of them do."""
        places = Counter(
            place
            for one, other in combinations(targets, 2)
            if (place := self.shape.meeting(one, other)) is not None
        )
        return max(places, key=lambda place: places[place]) if places else None

    def _write(self, key: str) -> nodes.Action | nodes.Branch:
        self.written.add(key)
        statement = self.ways.statements[key]
        prefix = self.labels.prefix(self.steps[key])
        return replace(statement, prefix=prefix) if prefix else statement

    def _if(self, key: str, first: nodes.Branch, join: str) -> nodes.If:
        """Return an if with all arms; a chain of else if is followed without nesting."""
        came, otherwise = self.ways.successors[key]
        prefix = first.prefix
        branches = [replace(first, body=nodes.Block(self._block(came, join)), prefix=None)]
        while self._continues(otherwise, join):
            branch = self._write(otherwise)
            came, otherwise = self.ways.successors[otherwise]
            body = nodes.Block(self._block(came, join))
            branches.append(replace(branch, body=body))  # type: ignore[arg-type] # a Branch
        rest = self._block(otherwise, join) if otherwise != join else ()
        return nodes.If(tuple(branches), nodes.Block(rest) if rest else None, prefix)

    def _continues(self, key: str, join: str) -> bool:
        """Whether the other arm is nothing but another if, so that else if can say it."""
        is_new = key not in {END, join} and key not in self.written | self.ways.irregular
        is_if = is_new and isinstance(self.ways.statements.get(key), nodes.Branch)
        return is_if and self._join(key, join) == join

    def _arms(
        self, key: str, statement: nodes.Switch | nodes.Split, join: str
    ) -> nodes.Switch | nodes.Split:
        targets = self.ways.successors[key]
        arms = statement.cases if isinstance(statement, nodes.Switch) else statement.shares
        bodies = [nodes.Block(self._block(target, join)) for target in targets]
        rest = bodies[len(arms)] if len(bodies) > len(arms) and bodies[len(arms)].items else None
        if isinstance(statement, nodes.Switch):
            return replace(statement, cases=_filled(statement.cases, bodies), otherwise=rest)
        return replace(statement, shares=_filled(statement.shares, bodies), otherwise=rest)

    def _wait(
        self, key: str, statement: nodes.WaitForEvent | nodes.WaitUntil, join: str
    ) -> nodes.WaitForEvent | nodes.WaitUntil:
        came, late = (self._block(target, join) for target in self.ways.successors[key])
        if not came and not late:
            return statement
        timeout = nodes.Block(late) if late else None
        return replace(statement, body=nodes.Block(came), timeout=timeout)


def _filled(arms: tuple[_Arm, ...], bodies: Sequence[nodes.Block]) -> tuple[_Arm, ...]:
    return tuple(replace(arm, body=body) for arm, body in zip(arms, bodies, strict=False))


def _whole(statement: nodes.Action | nodes.Branch) -> nodes.Action:
    """Return a statement; an if stands for its one branch."""
    if isinstance(statement, nodes.Branch):
        return nodes.If((replace(statement, prefix=None),), None, statement.prefix)
    return statement
