"""Names and functions in values and conditions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from dsl import nodes
from dsl.diagnostics import Diagnostic, fix, report
from dsl.spans import Span
from dsl.suggestions import advice, is_slip, nearest
from dsl.values import is_word
from dsl.vocabulary import HISTORY, KEYWORDS
from dsl.walking import conditions, every_item, every_operand, parts_of, values

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from collections.abc import Set as AbstractSet

    from dsl.spans import Source

ROOTS = frozenset({"contact", "event", "run", "now", "data"})
PROPERTIES = {
    "contact": ("id", "email", "subscribed", "createdAt", "updatedAt", "data"),
    "run": ("id", "startedAt", "context"),
    "now": (),
}
RESERVED = KEYWORDS | ROOTS | HISTORY
# Function → fewest and most arguments.
FUNCTIONS = {
    "lower": (1, 1),
    "upper": (1, 1),
    "trim": (1, 1),
    "round": (1, 2),
    "length": (1, 1),
    "now": (0, 0),
    "date": (1, 1),
    "render": (1, 1),
    "secret": (1, 1),
}


_LENGTH, _TRIM, _JOIN = "write length(…)", "write trim(…)", "join texts with +"
_DEFAULT = 'write ?? with what stands in: contact.data.plan ?? "none"'
# What functions of other languages are called or written like here.
_ELSEWHERE = {
    **dict.fromkeys(("len", "size", "count"), _LENGTH),
    "strip": _TRIM,
    **dict.fromkeys(("concat", "join", "append"), _JOIN),
    **dict.fromkeys(("coalesce", "ifnull", "default", "nvl"), _DEFAULT),
    **dict.fromkeys(("uppercase", "toupper", "touppercase", "ucase"), "write upper(…)"),
    **dict.fromkeys(("lowercase", "tolower", "tolowercase", "lcase"), "write lower(…)"),
    **dict.fromkeys(("today", "currentdate", "timestamp"), "write now()"),
    **dict.fromkeys(("parsedate", "todate", "datetime"), "write date(…)"),
    **dict.fromkeys(("env", "getenv", "config"), 'keep it as a secret: secret("NAME")'),
    **dict.fromkeys(("format", "template", "liquid"), 'write render("Hi {{ firstName }}")'),
}
# Constants of other languages.
_CONSTANTS = {
    **dict.fromkeys(("none", "nil", "undefined", "null"), "null"),
    **dict.fromkeys(("yes", "true"), "true"),
    "false": "false",
}


def check_names(source: Source, workflow: nodes.Workflow) -> Iterator[Diagnostic]:
    """Report names that mean nothing anywhere in a workflow."""
    items = list(every_item(workflow.body.items))
    hooks = [item for item in items if isinstance(item, nodes.Webhook) and item.binding]
    bound = {hook.binding.value for hook in hooks if hook.binding}
    names = Names(source, ROOTS | bound)
    for item in items:
        for operand in (*conditions(item), *values(item)):
            yield from names.inside(operand)


@dataclass(frozen=True, slots=True)
class Names:
    """The names with which a value can begin in one kind of place."""

    source: Source
    roots: AbstractSet[str]
    is_segment: bool = False

    def inside(self, operand: nodes.Operand) -> Iterator[Diagnostic]:
        """Report names and functions that mean nothing."""
        match operand:
            case nodes.Name():
                yield from self._name(operand)
            case nodes.Call(function, arguments):
                yield from self._call(function, len(arguments))
            case nodes.Triggered(_, where) | nodes.Counted(_, where) if where:
                # what is asked for is an event with data of its own
                looking = Names(self.source, self.roots | {"event"}, self.is_segment)
                yield from looking.inside(where)
                if isinstance(operand, nodes.Counted):
                    yield from self.inside(operand.value)
                return
        for part in parts_of(operand):
            yield from self.inside(part)

    def _name(self, name: nodes.Name) -> Iterator[Diagnostic]:
        if name.root in self.roots:
            yield from self._property(name)
        elif self.is_segment and not name.path and name.root in PROPERTIES["contact"]:
            return  # short for contact.…
        elif self.is_segment:
            yield self._unknown_in_segment(name)
        else:
            yield self._unknown(name)

    def _unknown(self, name: nodes.Name) -> Diagnostic:
        message = (
            f"{name.root!r} is not known; values are contact.…, event.…, run.…, now "
            "and names set by as; texts stand in quotes"
        )
        hint, edits = advice(self.source, self._root(name), name.root, self.roots)
        constant = _CONSTANTS.get(name.root.lower())
        if constant and not name.path:
            hint, edits = None, (fix(self.source, name.span, constant),)
        return report(self.source, "FLOW-E205", name.span, message, hint=hint, fixes=edits)

    def _unknown_in_segment(self, name: nodes.Name) -> Diagnostic:
        if name.root in ROOTS:
            message = (
                f"a segment knows nothing of {name.root}, only contact.…, data.… and now; "
                'ask for events with: triggered "…"'
            )
            return report(self.source, "FLOW-E220", name.span, message)
        message = f"{name.root!r} is not known; values here are contact.…, data.… and now"
        hint, edits = advice(self.source, self._root(name), name.root, self.roots)
        return report(self.source, "FLOW-E205", name.span, message, hint=hint, fixes=edits)

    def _root(self, name: nodes.Name) -> Span:
        return Span(name.span.start, name.span.start + len(name.root))

    def _property(self, name: nodes.Name) -> Iterator[Diagnostic]:
        known = PROPERTIES.get(name.root)
        if known is None or not name.path or name.path[0] in known:
            return
        key = name.path[0]
        shown = f"{name.root} has no {key!r}"
        meant = nearest(str(key), known)
        hint = f"did you mean {name.root}.{meant}?" if meant else None
        if name.root == "contact" and is_word(key):
            message = f"{shown}; the data of a contact is contact.data.{key}"
            now, then = "contact", "contact.data"
            if meant and is_slip(str(key).lower(), meant.lower()):
                now, then = f"contact.{key}", f"contact.{meant}"
            elif meant:
                yield report(self.source, "FLOW-E209", name.span, message, hint=hint)
                return
            written = self.source.text[name.span.start : name.span.end]
            edits = (fix(self.source, name.span, written.replace(now, then, 1)),)
            yield report(self.source, "FLOW-E209", name.span, message, fixes=edits)
            return
        message = f"{shown}; known are {', '.join(known)}" if known else f"{shown}; it is a time"
        yield report(self.source, "FLOW-E209", name.span, message, hint=hint)

    def _call(self, function: nodes.Text, count: int) -> Iterator[Diagnostic]:
        name = function.value
        if name not in FUNCTIONS:
            message = f"there is no function {name!r}; known are {', '.join(FUNCTIONS)}"
            hint, edits = advice(self.source, function.span, name, FUNCTIONS)
            if name.lower() in _ELSEWHERE:
                hint, edits = _ELSEWHERE[name.lower()], ()
            yield report(self.source, "FLOW-E208", function.span, message, hint=hint, fixes=edits)
        elif not FUNCTIONS[name][0] <= count <= FUNCTIONS[name][1]:
            fewest, most = FUNCTIONS[name]
            wanted = str(most) if fewest == most else f"{fewest} or {most}"
            arguments = "argument" if wanted == "1" else "arguments"
            message = f"{name}() takes {wanted} {arguments}, not {count}"
            yield report(self.source, "FLOW-E314", function.span, message)


def names_in(operands: Iterable[nodes.Operand]) -> Iterator[nodes.Name]:
    """Yield every name inside some values and conditions."""
    for operand in operands:
        for inner in every_operand(operand):
            if isinstance(inner, nodes.Name):
                yield inner
