"""Labels, and what refers to them: jumps and edges."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from dsl import nodes
from dsl.check_keys import unknown_keys
from dsl.check_names import ROOTS, Names
from dsl.check_values import check_values, duplicate_keys
from dsl.diagnostics import Diagnostic, note, report
from dsl.graph import TRIGGER
from dsl.naming import LONGEST_NAME
from dsl.suggestions import advice, nearest
from dsl.walking import every_item

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dsl.spans import Source

_LONGEST_LABEL = 64
_OPTIONS = ("branch", "priority", "waitOutcome", "condition")
_OUTCOMES = ("EVENT", "TIMEOUT")
_MOST_PRIORITY = 2**31 - 1
_WRITTEN = re.compile(r"@(\w[\w-]*)")


def check_labels(source: Source, workflow: nodes.Workflow) -> Iterator[Diagnostic]:
    """Report labels that stand twice, and jumps and edges that lead nowhere."""
    first: dict[str, nodes.Prefix] = {}
    for prefix in prefixes(workflow):
        yield from _prefix(source, prefix)
        earlier = first.setdefault(prefix.label or "", prefix)
        if prefix.label and earlier is not prefix:
            notes = (note(source, earlier.span, "first written here"),)
            message = f"the label @{prefix.label} is taken; choose another"
            yield report(source, "FLOW-E203", prefix.span, message, notes=notes)
    known = labels_of(source, workflow) | {TRIGGER: None}
    for item in every_item(workflow.body.items):
        match item:
            case nodes.Goto(label) if label:
                yield from unknown_label(source, label, known)
            case nodes.Edge(start, end):
                yield from unknown_label(source, start, known)
                yield from unknown_label(source, end, known)
                yield from _edge(source, item)


def labels_of(source: Source, workflow: nodes.Workflow) -> dict[str, nodes.Prefix | None]:
    """Return all labels, those in parts that could not be read without their place."""
    known: dict[str, nodes.Prefix | None] = {}
    for item in every_item(workflow.body.items):
        if isinstance(item, nodes.Broken):
            written = source.text[item.span.start : item.span.end]
            known |= dict.fromkeys(_WRITTEN.findall(written))
    return known | {prefix.label: prefix for prefix in prefixes(workflow) if prefix.label}


def prefixes(workflow: nodes.Workflow) -> Iterator[nodes.Prefix]:
    """All written prefixes."""
    for item in every_item(workflow.body.items):
        prefix = getattr(item, "prefix", None)
        if prefix:
            yield prefix
        if isinstance(item, nodes.If):
            yield from (branch.prefix for branch in item.branches if branch.prefix)


def unknown_label(
    source: Source, label: nodes.Text, known: dict[str, nodes.Prefix | None]
) -> Iterator[Diagnostic]:
    """Report a label that stands before no statement."""
    if label.value in known:
        return
    if not label.value:
        message = "write the label behind the sign: @label"
        yield report(source, "FLOW-E214", label.span, message)
        return
    meant = nearest(label.value, known)
    place = known.get(meant or "")
    notes = (note(source, place.span, f"@{meant} stands here"),) if place else ()
    hint, edits = advice(source, label.span, label.value, known, "@{}".format)
    message = f"no statement has the label @{label.value}; write it before the one you mean"
    yield report(source, "FLOW-E214", label.span, message, hint=hint, notes=notes, fixes=edits)


def _prefix(source: Source, prefix: nodes.Prefix) -> Iterator[Diagnostic]:
    if prefix.label == TRIGGER:
        message = f"@{TRIGGER} is the label of the start; choose another"
        yield report(source, "FLOW-E207", prefix.span, message)
    if prefix.label and len(prefix.label) > _LONGEST_LABEL:
        message = f"a label has at most {_LONGEST_LABEL} characters"
        yield report(source, "FLOW-E313", prefix.span, message)
    if prefix.name is not None and not 0 < len(prefix.name) <= LONGEST_NAME:
        message = f"a display name has 1 to {LONGEST_NAME} characters"
        yield report(source, "FLOW-E313", prefix.span, message)


def _edge(source: Source, edge: nodes.Edge) -> Iterator[Diagnostic]:
    pairs = edge.options.pairs if edge.options else ()
    yield from unknown_keys(source, pairs, _OPTIONS, "an edge")
    yield from duplicate_keys(source, pairs)
    for pair in pairs:
        if isinstance(pair.value, nodes.Object):
            yield from check_values(source, [pair.value])
            yield from Names(source, ROOTS).inside(pair.value)
        wanted = _wanted(pair.key.value, pair.value)
        if wanted:
            message = f"{pair.key.value} must be {wanted}"
            yield report(source, "FLOW-E306", pair.value.span, message)


def _wanted(key: str, value: nodes.Operand) -> str | None:
    """Return what the option of an edge should have been; None when it fits."""
    written = value.value if isinstance(value, nodes.Literal) else None
    word = value.root if isinstance(value, nodes.Name) and not value.path else written
    match key:
        case "branch" if not isinstance(word, str):
            return 'the name of a way: "yes"'
        case "priority" if type(written) is not int or abs(written) > _MOST_PRIORITY:
            return "a whole number"
        case "waitOutcome" if word not in _OUTCOMES:
            return " or ".join(_OUTCOMES)
        case "condition" if not isinstance(value, nodes.Object):
            return 'an object: { branch: "yes" }'
    return None
