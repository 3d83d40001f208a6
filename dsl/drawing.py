"""Statements → numbered steps and the ways between them; 0 is the trigger."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, TypeAlias

from dsl import nodes
from dsl.graph import TRIGGER, Outcome, Transition
from dsl.joins import downwards
from dsl.naming import derived_key, labels_of, prefix_of, unique_keys
from dsl.step_configs import REST, case_ids, has_rest, share_ids
from dsl.values import mixed_json
from dsl.walking import blocks, is_condition

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from dsl.graph import JsonObject

Step: TypeAlias = nodes.Action | nodes.Branch
OUTCOMES: dict[str, Outcome] = {"EVENT": "EVENT", "TIMEOUT": "TIMEOUT"}
_WITHOUT_STEP = (*nodes.HEADERS, nodes.Broken, nodes.Edge)


@dataclass(frozen=True, slots=True)
class End:
    """A way out of a step that leads nowhere yet."""

    step: int
    branch: str | None = None
    outcome: Outcome | None = None
    priority: int = 0
    condition: JsonObject | None = None


class Drawing:
    """The steps of one workflow and the ways between them.

    A statement that no way leads to is left out, unless it has a label: then a jump, an edge or
    a person who stands there may still come to it.
    """

    def __init__(self, statements: Iterable[nodes.Item]) -> None:
        self.steps: list[Step] = []
        self.ways: list[tuple[End, int]] = []
        self._jumps: list[tuple[End, str]] = []
        self._edges: list[nodes.Edge] = []
        self._block(statements, [End(0)])
        self._jump()
        self._replace_by_edges()
        self._sort()

    def keys(self) -> list[str]:
        """Return the key of each step."""
        return unique_keys([derived_key(step) for step in self.steps], labels_of(self.steps))

    def transitions(self, keys: list[str]) -> tuple[Transition, ...]:
        """Return the ways, in the order of the steps they leave."""
        ways = sorted(self.ways, key=lambda way: (way[0].step, way[0].priority))
        return tuple(
            Transition(
                keys[end.step], keys[target], end.branch, end.outcome, end.priority, end.condition
            )
            for end, target in ways
        )

    def _block(self, items: Iterable[nodes.Item], ends: list[End]) -> list[End]:
        """Draw statements one after the other; the ends that remain open."""
        for item in items:
            ends = self._item(item, ends)
        return ends

    def _item(self, item: nodes.Item, ends: list[End]) -> list[End]:
        if isinstance(item, nodes.Edge):
            self._edges.append(item)
        if isinstance(item, _WITHOUT_STEP):
            return ends
        if isinstance(item, nodes.Goto):
            if item.label:
                self._jumps += [(end, item.label.value) for end in ends]
            return []
        if not ends and not prefix_of(item).label:
            return [end for block in blocks(item) for end in self._block(block, [])]
        return self._statement(item, ends)

    def _statement(self, statement: nodes.Action, ends: list[End]) -> list[End]:
        if isinstance(statement, nodes.If):
            return self._if(statement, ends)
        here = self._add(statement, ends)
        match statement:
            case nodes.Exit() | nodes.RawStep(nodes.Text("EXIT")):
                return []
            case nodes.WaitForEvent():
                return self._outcomes(statement, here)
            case nodes.WaitUntil(moment) if is_condition(moment):
                return self._outcomes(statement, here)
            case nodes.Switch() | nodes.Split():
                return self._arms(statement, here)
        return [End(here)]

    def _add(self, step: Step, ends: list[End]) -> int:
        """Draw one step, reached from all open ends."""
        self.steps.append(step)
        here = len(self.steps)
        self.ways += [(end, here) for end in ends]
        return here

    def _if(self, statement: nodes.If, ends: list[End]) -> list[End]:
        done: list[End] = []
        for number, branch in enumerate(statement.branches):
            prefix = branch.prefix if number else statement.prefix
            step = nodes.Branch(branch.condition, branch.body, prefix, branch.span)
            here = self._add(step, ends)
            done += self._block(branch.body.items, [End(here, branch="yes")])
            ends = [End(here, branch="no", priority=1)]
        if statement.otherwise:
            ends = self._block(statement.otherwise.items, ends)
        return done + ends

    def _outcomes(self, statement: nodes.WaitForEvent | nodes.WaitUntil, here: int) -> list[End]:
        came = [End(here, outcome="EVENT")]
        late = [End(here, outcome="TIMEOUT", priority=1)] if statement.limit else []
        if statement.body:
            came = self._block(statement.body.items, came)
        if statement.timeout:
            late = self._block(statement.timeout.items, late)
        return came + late

    def _arms(self, statement: nodes.Switch | nodes.Split, here: int) -> list[End]:
        if isinstance(statement, nodes.Switch):
            names, bodies = case_ids(statement), [case.body for case in statement.cases]
        else:
            names, bodies = share_ids(statement), [share.body for share in statement.shares]
        done: list[End] = []
        for place, (name, body) in enumerate(zip(names, bodies, strict=True)):
            done += self._block(body.items, [End(here, branch=name, priority=place)])
        rest = [End(here, branch=REST, priority=len(names))]
        if isinstance(statement, nodes.Split) and not has_rest(statement):
            rest = []
        if statement.otherwise:
            rest = self._block(statement.otherwise.items, rest)
        return done + rest

    def _places(self) -> dict[str, int]:
        """Return where each label stands."""
        labels = enumerate(labels_of(self.steps), 1)
        return {TRIGGER: 0, **{label: place for place, label in labels if label}}

    def _jump(self) -> None:
        places = self._places()
        self.ways += [(end, places[label]) for end, label in self._jumps if label in places]

    def _replace_by_edges(self) -> None:
        """Let edges stand for all ways out of the steps that they leave."""
        places = self._places()
        drawn = [
            (_edge_end(edge, places[edge.source.value]), places[edge.target.value])
            for edge in self._edges
            if edge.source.value in places and edge.target.value in places
        ]
        left = {end.step for end, _ in drawn}
        self.ways = [way for way in self.ways if way[0].step not in left] + drawn

    def _sort(self) -> None:
        """Put the steps into reading order, which the ways alone decide; drop what is lost."""
        ways: dict[str, list[str]] = {str(here): [] for here in range(len(self.steps) + 1)}
        for end, target in sorted(self.ways, key=lambda way: way[0].priority):
            ways[str(end.step)].append(str(target))
        order: dict[str, None] = {}
        for start in self._starts():
            order |= dict.fromkeys(downwards(ways, start, order))
        place = {int(old): new for new, old in enumerate(order)}
        self.steps = [self.steps[old - 1] for old in place if old]
        self.ways = [
            (replace(end, step=place[end.step]), place[target])
            for end, target in self.ways
            if end.step in place
        ]

    def _starts(self) -> Iterator[str]:
        """Yield the trigger, then whatever has a label."""
        yield "0"
        for place, label in enumerate(labels_of(self.steps), 1):
            if label:
                yield str(place)


def _edge_end(edge: nodes.Edge, source: int) -> End:
    given = {pair.key.value: pair.value for pair in edge.options.pairs} if edge.options else {}
    values = {key: mixed_json(_worded(value)) for key, value in given.items()}
    branch, outcome = values.get("branch"), values.get("waitOutcome")
    priority, condition = values.get("priority"), values.get("condition")
    return End(
        source,
        branch if isinstance(branch, str) else None,
        OUTCOMES.get(outcome) if isinstance(outcome, str) else None,
        priority if isinstance(priority, int) else 0,
        condition if isinstance(condition, dict) else None,
    )


def _worded(value: nodes.Operand) -> nodes.Operand:
    """Read a bare word as a text: waitOutcome: EVENT."""
    match value:
        case nodes.Name(word, ()):
            return nodes.Literal(word)
    return value
