"""Workflows that start each other."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from dsl import nodes
from dsl.circles import circles
from dsl.diagnostics import Diagnostic, note, report
from dsl.durations import seconds
from dsl.walking import every_item

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dsl.bundle import Bundle
    from dsl.spans import Source, Span

# What happens: an event by its name, somebody coming to or leaving a segment, or being subscribed.
Cause: TypeAlias = "tuple[str, str]"
_SUBSCRIBED, _UNSUBSCRIBED = ("subscribe", ""), ("unsubscribe", "")
_SYSTEM = {"contact.subscribed": _SUBSCRIBED, "contact.unsubscribed": _UNSUBSCRIBED}
_BACK = {
    "entry": "exit",
    "exit": "entry",
    "subscribe": "unsubscribe",
    "unsubscribe": "subscribe",
}


@dataclass(frozen=True, slots=True)
class _Workflow:
    """What starts a workflow, and what it causes, each with its place."""

    source: Source
    starts: dict[Cause, Span]
    causes: dict[Cause, Span]
    every: float  # seconds from one start to the next that lets the same contact in; inf for never
    lasts: float  # seconds that one run may take

    def may_repeat(self, cause: Cause) -> bool:
        """Tell whether it can cause this again and again: who is in stays in, until taken out."""
        kind, name = cause
        return kind not in _BACK or (_BACK[kind], name) in self.causes


def check_chains(bundle: Bundle) -> Iterator[Diagnostic]:
    """Report rings of workflows, each of which tracks what starts the next for the same contact."""
    known = {
        workflow.name.value: _Workflow(
            file.source,
            dict(_starts(workflow)),
            dict(reversed(list(_causes(workflow)))),
            _every(workflow),
            sum(map(_length, every_item(workflow.body.items))),
        )
        for file, workflow in bundle.workflows()
    }
    started: dict[Cause, list[str]] = {}
    for name, workflow in known.items():
        for cause in workflow.starts if workflow.every < math.inf else ():
            started.setdefault(cause, []).append(name)
    onward = {
        name: [
            target
            for cause in workflow.causes
            for target in started.get(cause, ())
            if target != name or workflow.may_repeat(cause)
        ]
        for name, workflow in known.items()
    }
    for ring in circles(onward):
        round_lasts = sum(known[name].lasts for name in ring)
        if all(known[name].every <= round_lasts for name in ring):
            yield _report(known, ring)


def _every(workflow: nodes.Workflow) -> float:
    """Return how long a contact stays out after coming in; for ever where nothing is said."""
    for header in workflow.headers:
        match header:
            case nodes.Reentry("always"):
                return 0
            case nodes.Reentry("after", after) if after:
                return seconds(after)
    return math.inf


def _length(item: nodes.Item) -> float:
    """Return how many seconds a statement may take; no limit where that cannot be told."""
    match item:
        case nodes.Wait(length):
            return seconds(length)
        case nodes.WaitForEvent(limit=limit) if limit:
            return seconds(limit)
        case nodes.WaitForEvent() | nodes.WaitUntil() | nodes.WaitClock() | nodes.Goto():
            return math.inf
    return 0


def _starts(workflow: nodes.Workflow) -> Iterator[tuple[Cause, Span]]:
    for header in workflow.headers:
        match header:
            case nodes.OnEvent(event):
                yield _SYSTEM.get(event.value, ("event", event.value)), event.span
            case nodes.OnSegment(segment, is_entry) if not segment.is_id:
                yield ("entry" if is_entry else "exit", segment.value), segment.span


def _causes(workflow: nodes.Workflow) -> Iterator[tuple[Cause, Span]]:
    for item in every_item(workflow.body.items):
        match item:
            case nodes.Track(event):
                yield ("event", event.value), event.span
            case nodes.Subscribe():
                yield _SUBSCRIBED, item.span
            case nodes.Unsubscribe():
                yield _UNSUBSCRIBED, item.span
            case nodes.ChangeMembership(is_added, segment) if not segment.is_id:
                yield ("entry" if is_added else "exit", segment.value), segment.span


def _listed(names: list[str]) -> str:
    return ", ".join(map(repr, names[:-1])) + f" and {names[-1]!r}"


def _report(known: dict[str, _Workflow], ring: list[str]) -> Diagnostic:
    """Return a diagnostic at what the first workflow of a ring causes."""
    notes = []
    for name, target in zip(ring, [*ring[1:], ring[0]], strict=True):
        cause = next(one for one in known[name].causes if one in known[target].starts)
        if name != ring[0]:
            message = f"this in {name!r} starts {target!r}"
            notes.append(note(known[name].source, known[name].causes[cause], message))
        else:
            first = known[name].causes[cause]
            place = note(known[target].source, known[target].starts[cause], f"it starts {target!r}")
            notes.append(place)
    message = (
        f"workflow {ring[0]!r} starts itself, again and again"
        if len(ring) == 1
        else f"workflows {_listed(ring)} start each other, again and again"
    )
    message += "; end the chain, or make sure with where or reentry that it ends"
    return report(known[ring[0]].source, "FLOW-W412", first, message, notes=tuple(notes))
