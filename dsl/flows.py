"""The drawn steps of a workflow, as the checks about ways need them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from dsl import nodes
from dsl.drawing import Drawing
from dsl.walking import conditions, every_item, is_condition, misplaced, values

if TYPE_CHECKING:
    from collections.abc import Sequence
    from collections.abc import Set as AbstractSet

    from dsl.spans import Span

Step: TypeAlias = nodes.Action | nodes.Branch
Way: TypeAlias = tuple[int, str | None]


@dataclass(frozen=True, slots=True)
class Flow:
    """Steps from 1, and from each of them, 0 being the start, the ways with their branch."""

    steps: Sequence[Step]
    ways: Sequence[Sequence[Way]]
    places: dict[Span, int]
    reached: AbstractSet[int]

    def place_of(self, item: nodes.Item) -> int | None:
        """Return the number of a statement's first step; None when it is never come to."""
        found = self.places.get(_span(item))
        return found if found in self.reached else None


def flow_of(workflow: nodes.Workflow) -> Flow | None:
    """Draw a workflow; None when some of it could not be read, so that ways are missing."""
    items = list(every_item(workflow.body.items))
    if any(isinstance(item, nodes.Broken) or _is_unclear(item) for item in items):
        return None
    drawing = Drawing(workflow.statements)
    ways: list[list[Way]] = [[] for _ in range(len(drawing.steps) + 1)]
    for end, target in drawing.ways:
        ways[end.step].append((target, end.branch))
    places = {step.span: at for at, step in enumerate(drawing.steps, 1)}
    return Flow(drawing.steps, ways, places, _reached(ways))


def operands(step: Step) -> tuple[nodes.Operand, ...]:
    """Return the values and conditions directly in a step."""
    if isinstance(step, nodes.Branch):
        return (step.condition,)
    return (*conditions(step), *values(step))


def _is_unclear(item: nodes.Item) -> bool:
    """Tell whether this is an edge whose options hold what no JSON can say."""
    if not isinstance(item, nodes.Edge) or item.options is None:
        return False
    return any(
        is_condition(pair.value) or any(misplaced(pair.value)) for pair in item.options.pairs
    )


def _span(item: nodes.Item) -> Span:
    """Return where the first step of a statement stands."""
    return item.branches[0].span if isinstance(item, nodes.If) else item.span


def _reached(ways: Sequence[Sequence[Way]]) -> AbstractSet[int]:
    reached, waiting = {0}, [0]
    while waiting:
        for target, _ in ways[waiting.pop()]:
            if target not in reached:
                reached.add(target)
                waiting.append(target)
    return reached
