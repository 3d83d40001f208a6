"""Differences between two graphs of a workflow, in words that people can read.

Everything is by name, and conditions are texts of the language, as far as there are such words.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from plunk.engine.core.relocate import next_surviving
from plunk.services import condition_texts, step_texts, workflow_text
from plunk.services.flow_graphs import FlowGraph, FlowStep, Json, Way
from plunk.services.flow_names import Catalog
from plunk.services.flow_references import renamed
from plunk.services.flow_writing import Rewrite
from plunk.services.json_values import same
from plunk.services.step_texts import StepText

Change = Literal["added", "removed", "changed", "rerouted"]
TREES = ("where", "condition")


@dataclass(frozen=True, slots=True)
class HeaderDifference:
    """Something said about the workflow as a whole."""

    name: str
    old: Any
    new: Any


@dataclass(frozen=True, slots=True)
class HeaderText:
    """What is said about a workflow as a whole, in the language's own lines."""

    removed: Sequence[str] = ()
    added: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class StepDifference:
    """What becomes of one step; `people` stand on it now.

    `old` and `new` hold the members of its configuration that differ, and its name if that does;
    of a rerouted step, where its ways lead. `text` is what it says in the language, where that
    changes; `goes_on` is where people on a removed step go on; None: they complete.
    """

    change: Change
    label: str | None
    name: str
    type: str
    people: int
    old: Json | None = None
    new: Json | None = None
    text: StepText = field(default_factory=StepText)
    goes_on: str | None = None


def headers_of(rewrite: Rewrite, known: Catalog) -> list[HeaderDifference]:
    """Return the headers that change."""
    old, new = _named(rewrite.old, known), _named(rewrite.new, known)
    return [
        HeaderDifference(name, _header(old, name), _header(new, name))
        for name in rewrite.changes.headers
    ]


def header_text(rewrite: Rewrite, known: Catalog) -> HeaderText:
    """Return the lines of the language that go, and those that come."""
    old, new = (
        workflow_text.header_lines(_named(graph, known)) if graph.name else []
        for graph in (rewrite.old, rewrite.new)
    )
    return HeaderText(
        [line for line in old if line not in new], [line for line in new if line not in old]
    )


def steps_of(rewrite: Rewrite, known: Catalog, people: Mapping[str, int]) -> list[StepDifference]:
    """Return the steps that change, in the order of the new graph; removed ones last."""
    told = _Told(rewrite, known, people)
    found = [one for key in rewrite.new.steps for one in told.step(key)]
    removed = set(rewrite.changes.removed)
    return [*found, *(told.removed(key) for key in rewrite.old.reading_order() if key in removed)]


class _Told:
    """Two graphs by name."""

    def __init__(self, rewrite: Rewrite, known: Catalog, people: Mapping[str, int]) -> None:
        self.changes, self.people = rewrite.changes, people
        self.old, self.new = _named(rewrite.old, known), _named(rewrite.new, known)

    def step(self, key: str) -> Iterator[StepDifference]:
        """Yield what becomes of a step of the new graph."""
        step = self.new.steps[key]
        if key in self.changes.added:
            yield _added(step)
        if key not in self.changes.pairs:
            return
        before = self.old.steps[self.changes.pairs[key]]
        count = self.people.get(before.key, 0)
        if key in self.changes.changed:
            yield _changed(before, step, count)
        if key in self.changes.rerouted:
            old, new = _ways(self.old, before.key), _ways(self.new, key)
            if not same(old, new):
                yield _difference("rerouted", step, count, old, new)

    def removed(self, key: str) -> StepDifference:
        """Return the end of a step of the old graph."""
        step = step_texts.concealed(self.old.steps[key])
        told = _difference("removed", step, self.people.get(key, 0), _config(step), None)
        text = StepText(old=workflow_text.step_lines(step))
        return replace(told, text=text, goes_on=self._surviving(key))

    def _surviving(self, key: str) -> str | None:
        """Return where people on a removed step go on, as the engine will let them."""
        kept = {old: new for new, old in self.changes.pairs.items()}
        ways = self.old.ways
        found = next_surviving(key, lambda one: [way.target for way in ways[one]], kept)
        return None if found is None else _target(self.new, kept[found])


def _named(graph: FlowGraph, known: Catalog) -> FlowGraph:
    return FlowGraph.from_json(renamed(graph.to_json(), known.to_name))


def _header(graph: FlowGraph, name: str) -> Any:  # noqa: ANN401 - JSON
    if name == "name":
        return graph.name or None
    return _worded(graph.headers[name])


def _difference(
    change: Change, step: FlowStep, people: int, old: Json | None, new: Json | None
) -> StepDifference:
    return StepDifference(change, step.label, step.name, step.type, people, old, new)


def _added(step: FlowStep) -> StepDifference:
    shown = step_texts.concealed(step)
    told = _difference("added", step, 0, None, _config(shown))
    return replace(told, text=StepText(new=workflow_text.step_lines(shown)))


def _changed(before: FlowStep, after: FlowStep, count: int) -> StepDifference:
    old, new = step_texts.concealed(before), step_texts.concealed(after, before)
    told = _difference("changed", after, count, *_differing(old, new))
    lines = StepText(workflow_text.step_lines(old), workflow_text.step_lines(new))
    return replace(told, text=lines if lines.old and lines.new else StepText())


def _config(step: FlowStep) -> Json:
    worded: Json = _worded(step.config)
    return worded


def _differing(before: FlowStep, after: FlowStep) -> tuple[Json, Json]:
    """Return the members that are not the same; who has none of a name says null."""
    old, new = ({"name": step.name, **_config(step)} for step in (before, after))
    names = [name for name in sorted({**old, **new}) if not same(old.get(name), new.get(name))]
    return {name: old.get(name) for name in names}, {name: new.get(name) for name in names}


def _ways(graph: FlowGraph, key: str) -> Json:
    """Return where the ways out of a step lead, by what they are for."""
    return {_kind(way): _target(graph, way.target) for way in graph.ways[key]}


def _kind(way: Way) -> str:
    if way.outcome is not None:
        return way.outcome.lower()
    return way.branch or ("next" if way.condition is None else str(_worded(way.condition)))


def _target(graph: FlowGraph, key: str) -> str:
    step = graph.steps[key]
    return f"@{step.label} {step.name}" if step.label else step.name


def _worded(value: Any) -> Any:  # noqa: ANN401 - JSON
    """Return JSON with its conditions as texts."""
    match value:
        case dict():
            return {
                name: condition_texts.text_of(one) if name in TREES and one else _worded(one)
                for name, one in value.items()
            }
        case list():
            return [_worded(one) for one in value]
    return value
