"""Ways through a workflow: statements that none leads to, and rounds without a pause."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dsl import nodes
from dsl.diagnostics import Diagnostic, note, report
from dsl.walking import blocks, every_item

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from collections.abc import Set as AbstractSet

    from dsl.flows import Flow, Step
    from dsl.spans import Source

_PASSED = (*nodes.HEADERS, nodes.Edge)
_PAUSES = (nodes.Wait, nodes.WaitClock, nodes.WaitForEvent, nodes.WaitUntil)
_RAW_PAUSES = frozenset({"DELAY", "WAIT_FOR_EVENT"})


def check_ways(source: Source, workflow: nodes.Workflow, flow: Flow) -> Iterator[Diagnostic]:
    """Report what is never reached, and what goes round for ever at once."""
    yield from _unreachable(source, flow, workflow.body.items)
    yield from _rounds(source, workflow, flow)


def _unreachable(source: Source, flow: Flow, items: Iterable[nodes.Item]) -> Iterator[Diagnostic]:
    """Yield the first statement of each stretch that nobody can come to."""
    before: nodes.Item | None = None
    reported = False
    for item in items:
        if isinstance(item, _PASSED):
            continue
        if before is not None and _is_lost(flow, item, before):
            if not reported:
                yield _lost(source, item, before)
            reported = True
            continue
        reported = False
        before = item
        for block in blocks(item):
            yield from _unreachable(source, flow, block)


def _is_lost(flow: Flow, item: nodes.Item, before: nodes.Item) -> bool:
    """Tell whether no way leads to a statement, `before` being the last one with a way to it."""
    if isinstance(item, nodes.Goto):
        return _ends(before)
    return flow.place_of(item) is None


def _lost(source: Source, item: nodes.Item, before: nodes.Item) -> Diagnostic:
    what = {nodes.Exit: "exit", nodes.Goto: "goto"}.get(type(before), "statement")
    message = f"this is never reached; remove it, or the {what} before it"
    notes = (note(source, before.span, "every way ends here"),)
    return report(source, "FLOW-W401", item.span, message, notes=notes)


def _ends(item: nodes.Item) -> bool:
    """Whether every way through the statement ends or leads elsewhere."""
    match item:
        case nodes.Exit() | nodes.Goto() | nodes.RawStep(nodes.Text("EXIT")):
            return True
        case nodes.If(branches, otherwise) if otherwise:
            return _all_end(*(branch.body for branch in branches), otherwise)
        case nodes.Switch(_, arms, otherwise) | nodes.Split(arms, otherwise) if otherwise:
            return _all_end(*(arm.body for arm in arms), otherwise)
        case nodes.WaitForEvent() | nodes.WaitUntil() if item.body:
            late = item.timeout or (None if item.limit else item.body)
            return late is not None and _all_end(item.body, late)
    return False


def _all_end(*several: nodes.Block) -> bool:
    return all(any(_ends(item) for item in block.items) for block in several)


def _rounds(source: Source, workflow: nodes.Workflow, flow: Flow) -> Iterator[Diagnostic]:
    """Report each ring of steps none of which pauses, at the jump that closes it."""
    items = every_item(workflow.body.items)
    jumps = [item for item in items if isinstance(item, nodes.Goto) and item.label]
    message = "this goes round without a pause; put a wait into it, or a way that ends"
    for ring in _rings(flow):
        steps = [flow.steps[at - 1] for at in sorted(ring)]
        jump, first = _closing(jumps, steps)
        notes = (note(source, first.span, "it comes back to here"),) if jump else ()
        yield report(source, "FLOW-W410", (jump or first).span, message, notes=notes)


def _closing(jumps: Iterable[nodes.Goto], steps: list[Step]) -> tuple[nodes.Goto | None, Step]:
    """Return the jump that leads back into a ring, and the step it leads to."""
    targets = {step.prefix.label: step for step in steps if step.prefix and step.prefix.label}
    for jump in jumps:
        target = targets.get(jump.label.value) if jump.label else None
        if target and target.span.start < jump.span.start:
            return jump, target
    return None, steps[0]


def _rings(flow: Flow) -> Iterator[AbstractSet[int]]:
    """Yield the sets of steps that lead to each other without a pause."""
    quick = {at for at in flow.reached if at and not _pauses(flow.steps[at - 1])}
    onward = {at: {way for way, _ in flow.ways[at]} & quick for at in quick}
    back: dict[int, set[int]] = {at: set() for at in quick}
    for at, targets in onward.items():
        for target in targets:
            back[target].add(at)
    left = quick - _ending(onward, back) - _ending(back, onward)
    while left:
        ring, waiting = set[int](), [min(left)]
        while waiting:
            here = waiting.pop()
            if here in left and here not in ring:
                ring.add(here)
                waiting += onward[here] | back[here]
        left -= ring
        yield ring


def _ending(onward: dict[int, set[int]], back: dict[int, set[int]]) -> AbstractSet[int]:
    """Return the steps from which no way goes on for ever."""
    open_ways = {at: len(targets) for at, targets in onward.items()}
    ended = [at for at, count in open_ways.items() if not count]
    for here in ended:  # grows while it is walked through
        for before in back[here]:
            open_ways[before] -= 1
            if not open_ways[before]:
                ended.append(before)
    return set(ended)


def _pauses(step: Step) -> bool:
    return isinstance(step, _PAUSES) or (
        isinstance(step, nodes.RawStep) and step.type.value in _RAW_PAUSES
    )
