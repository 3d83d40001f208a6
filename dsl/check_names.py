"""Names and functions in values and conditions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dsl import nodes
from dsl.diagnostics import Diagnostic, did_you_mean, fix, note, report
from dsl.values import is_word
from dsl.vocabulary import ACTIVITY, KEYWORDS
from dsl.walking import blocks, conditions, every_item, every_operand, values

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from dsl.spans import Source

ROOTS = frozenset({"contact", "event", "run", "now", "data"})
PROPERTIES = {
    "contact": ("id", "email", "subscribed", "createdAt", "updatedAt", "data"),
    "run": ("id", "startedAt", "context"),
    "now": (),
}
RESERVED = KEYWORDS | ROOTS | ACTIVITY | {"within", "older"}
# Function → fewest and most arguments.
FUNCTIONS = {
    "lower": (1, 1),
    "upper": (1, 1),
    "trim": (1, 1),
    "round": (1, 2),
    "length": (1, 1),
    "now": (0, 0),
}
_LATER = frozenset({"date", "render", "secret"})


def check_names(source: Source, workflow: nodes.Workflow) -> Iterator[Diagnostic]:
    """Report names that mean nothing, or nothing yet."""
    yield from _Names(source, workflow).block(workflow.body.items)


class _Names:
    """The names bound so far, on any way that leads here."""

    def __init__(self, source: Source, workflow: nodes.Workflow) -> None:
        self.source = source
        self.bound: set[str] = set()
        self.bindings = {
            item.binding.value: item.binding
            for item in reversed(list(every_item(workflow.body.items)))
            if isinstance(item, nodes.Webhook) and item.binding
        }

    def block(self, items: Iterable[nodes.Item]) -> Iterator[Diagnostic]:
        """Check statements in order; what they bind is known to those behind them."""
        for item in items:
            for operand in (*conditions(item), *values(item)):
                for inner in every_operand(operand):
                    yield from self._operand(inner)
            for block in blocks(item):
                yield from self.block(block)
            if isinstance(item, nodes.Webhook) and item.binding:
                yield from self._bind(item.binding)

    def _bind(self, binding: nodes.Text) -> Iterator[Diagnostic]:
        if binding.value in RESERVED:
            message = f"{binding.value!r} has a meaning already; choose another name"
            yield report(self.source, "FLOW-E207", binding.span, message)
        self.bound.add(binding.value)

    def _operand(self, operand: nodes.Operand) -> Iterator[Diagnostic]:
        match operand:
            case nodes.Name():
                yield from self._name(operand)
            case nodes.Call(function, arguments):
                yield from self._call(function, len(arguments))

    def _name(self, name: nodes.Name) -> Iterator[Diagnostic]:
        if name.root in ROOTS:
            yield from self._property(name)
        elif name.root in self.bound:
            return
        elif name.root in self.bindings:
            place = self.bindings[name.root]
            notes = (note(self.source, place.span, "it is set here"),)
            message = f"{name.root!r} has no value here yet; use it after it is set"
            yield report(self.source, "FLOW-E206", name.span, message, notes=notes)
        else:
            yield self._unknown(name)

    def _unknown(self, name: nodes.Name) -> Diagnostic:
        message = (
            f"{name.root!r} is not known; values are contact.…, event.…, run.…, now "
            "and names set by as; texts stand in quotes"
        )
        hint = did_you_mean(name.root, ROOTS | self.bound)
        return report(self.source, "FLOW-E205", name.span, message, hint=hint)

    def _property(self, name: nodes.Name) -> Iterator[Diagnostic]:
        known = PROPERTIES.get(name.root)
        if known is None or not name.path or name.path[0] in known:
            return
        key = name.path[0]
        shown = f"{name.root} has no {key!r}"
        hint = did_you_mean(str(key), known)
        if name.root == "contact" and is_word(key):
            written = self.source.text[name.span.start : name.span.end]
            edit = fix(self.source, name.span, written.replace("contact", "contact.data", 1))
            message = f"{shown}; the data of a contact is contact.data.{key}"
            fixes = () if hint else (edit,)
            yield report(self.source, "FLOW-E209", name.span, message, hint=hint, fixes=fixes)
            return
        message = f"{shown}; known are {', '.join(known)}" if known else f"{shown}; it is a time"
        yield report(self.source, "FLOW-E209", name.span, message, hint=hint)

    def _call(self, function: nodes.Text, count: int) -> Iterator[Diagnostic]:
        name = function.value
        if name in _LATER:
            message = f"'{name}()' is not supported yet by this version"
            yield report(self.source, "FLOW-E190", function.span, message)
        elif name not in FUNCTIONS:
            message = f"there is no function {name!r}; known are {', '.join(FUNCTIONS)}"
            hint = did_you_mean(name, FUNCTIONS)
            yield report(self.source, "FLOW-E208", function.span, message, hint=hint)
        elif not FUNCTIONS[name][0] <= count <= FUNCTIONS[name][1]:
            fewest, most = FUNCTIONS[name]
            wanted = str(most) if fewest == most else f"{fewest} or {most}"
            arguments = "argument" if wanted == "1" else "arguments"
            message = f"{name}() takes {wanted} {arguments}, not {count}"
            yield report(self.source, "FLOW-E314", function.span, message)
