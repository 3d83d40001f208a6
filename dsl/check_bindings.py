"""Names set by `as`: whether they have a value where they are used."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from dsl import nodes
from dsl.check_names import names_in
from dsl.diagnostics import Diagnostic, note, report
from dsl.flows import Step, operands
from dsl.walking import conditions, every_item, parts_of, values

if TYPE_CHECKING:
    from collections.abc import Iterator
    from collections.abc import Set as AbstractSet

    from dsl.flows import Flow
    from dsl.spans import Source

_NEVER = "has no value here yet; use it after it is set"
_PRESENCE = frozenset({"exists", "notExists", "isEmpty", "isNotEmpty"})
_EVERYWHERE = (nodes.Stop, nodes.Goal)  # looked at all the time, also when the name has a value


def check_bindings(source: Source, workflow: nodes.Workflow, flow: Flow) -> Iterator[Diagnostic]:
    """Report names that are used where no way, or only some ways, have set them."""
    bindings: dict[str, nodes.Text] = {}
    for item in every_item(workflow.body.items):
        if isinstance(item, nodes.Webhook) and item.binding:
            bindings.setdefault(item.binding.value, item.binding)
    if bindings:
        yield from _Bindings(source, flow, bindings).check(workflow)


@dataclass(frozen=True, slots=True)
class _Bindings:
    """All names that one workflow binds, each with the first place that does so."""

    source: Source
    flow: Flow
    bindings: dict[str, nodes.Text]
    reported: set[str] = field(default_factory=set)

    def check(self, workflow: nodes.Workflow) -> Iterator[Diagnostic]:
        for header in workflow.headers:
            if not isinstance(header, _EVERYWHERE):
                for operand in (*conditions(header), *values(header)):
                    yield from self._unset(operand, frozenset(), frozenset())
        maybe, surely = self._set_before()
        for here, step in enumerate(self.flow.steps, 1):
            if here in self.flow.reached:
                for operand in operands(step):
                    yield from self._unset(operand, maybe[here], surely[here])

    def _set_before(self) -> tuple[list[AbstractSet[str]], list[AbstractSet[str]]]:
        """Return what some way, and what every way, to each step has set."""
        everything = frozenset(self.bindings)
        steps: list[Step | None] = [None, *self.flow.steps]
        maybe: list[AbstractSet[str]] = [frozenset() for _ in steps]
        surely: list[AbstractSet[str]] = [everything for _ in steps]
        surely[0] = frozenset()
        waiting = list(range(len(steps)))[::-1]
        while waiting:
            here = waiting.pop()
            made = _bound(steps[here])
            for target, branch in self.flow.ways[here]:
                learnt = surely[here] | made | _learnt(steps[here], branch)
                new = maybe[target] | maybe[here] | made, surely[target] & learnt
                if new != (maybe[target], surely[target]):
                    maybe[target], surely[target] = new
                    waiting.append(target)
        return maybe, surely

    def _unset(
        self,
        operand: nodes.Operand,
        maybe: AbstractSet[str],
        surely: AbstractSet[str],
    ) -> Iterator[Diagnostic]:
        match operand:
            case nodes.Test(nodes.Name(root), operator) if operator in _PRESENCE and root in maybe:
                return
            case nodes.Binary("??", nodes.Name(root), right) if root in maybe:
                yield from self._unset(right, maybe, surely)
                return
            case nodes.AllOf(conditions):
                for condition in conditions:
                    yield from self._unset(condition, maybe, surely)
                    surely = surely | frozenset(_found_set(condition))
                return
            case nodes.Name(root) if root in self.bindings and root not in surely:
                yield from self._report(operand, is_never=root not in maybe)
        for part in parts_of(operand):
            yield from self._unset(part, maybe, surely)

    def _report(self, name: nodes.Name, *, is_never: bool) -> Iterator[Diagnostic]:
        notes = (note(self.source, self.bindings[name.root].span, "it is set here"),)
        if is_never:
            message = f"{name.root!r} {_NEVER}"
            yield report(self.source, "FLOW-E206", name.span, message, notes=notes)
        elif name.root not in self.reported:
            self.reported.add(name.root)
            message = (
                f"not every way that leads here sets {name.root!r}; "
                f"ask first: {name.root}.status is set"
            )
            yield report(self.source, "FLOW-W409", name.span, message, notes=notes)


def _bound(step: Step | None) -> frozenset[str]:
    match step:
        case nodes.Webhook(binding=binding) if binding:
            return frozenset({binding.value})
    return frozenset()


def _learnt(step: Step | None, branch: str | None) -> frozenset[str]:
    """Return the names that must have a value on one of the ways out of a condition."""
    match step, branch:
        case nodes.Branch(condition), "yes":
            return frozenset(_found_set(condition))
        case nodes.Branch(condition), "no":
            return frozenset(_found_set(nodes.Not(condition)))
    return frozenset()


def _found_set(condition: nodes.Condition) -> Iterator[str]:
    """Yield the names that have a value where the condition holds."""
    match condition:
        case nodes.AllOf(parts):
            for part in parts:
                yield from _found_set(part)
        case nodes.Not(nodes.AnyOf(parts)):
            for part in parts:
                yield from _found_set(nodes.Not(part))
        case nodes.Not(nodes.Not(part)):
            yield from _found_set(part)
        case nodes.Not(nodes.Test(subject, "notExists" | "isEmpty")):
            yield from (name.root for name in names_in([subject]))
        case nodes.Test(_, "notExists" | "isEmpty"):
            return
        case nodes.Test() | nodes.Bare():
            yield from (name.root for name in names_in([condition]))
