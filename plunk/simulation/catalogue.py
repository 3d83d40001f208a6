"""A bundle ready to run: everything by name, the names standing where the core wants ids."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import dsl
from dsl.nodes import Workflow
from plunk.conditions import segments as rules
from plunk.conditions.history import asked
from plunk.conditions.nodes import Condition
from plunk.engine.core import facts
from plunk.engine.core.graph import Graph
from plunk.simulation.starts import Occasion, Start, occasions_of, starts_of

Json = dict[str, Any]
STATIC = "STATIC"


@dataclass(frozen=True, slots=True)
class Letterhead(facts.Template):
    """A template as messages are made from it."""

    subject: str
    body: str
    sender: str
    sender_name: str | None = None
    reply_to: str | None = None


@dataclass(frozen=True, slots=True)
class SegmentRule:
    """Who belongs to a segment: whom steps put there, or whom the condition says."""

    name: str
    type: str
    condition: Condition | None = None
    is_tracked: bool = False

    @property
    def is_listed(self) -> bool:
        """Whether its members are noted down, rather than found each time."""
        return self.type == STATIC or self.is_tracked


@dataclass(frozen=True, eq=False)
class Flow:
    """One workflow: its graph, what starts it, and where its steps stand in the text."""

    place: int
    graph: Graph
    enabled: bool
    allow_reentry: bool
    reentry_seconds: int | None
    starts: tuple[Start, ...]
    occasions: tuple[Occasion, ...]
    file: str
    lines: Mapping[str, int]

    @property
    def name(self) -> str:
        """The name of the workflow."""
        return self.graph.name


@dataclass(frozen=True, slots=True)
class Catalogue:
    """All that a bundle declares; what it only refers to has a stand-in."""

    flows: Mapping[str, Flow]
    templates: Mapping[str, Letterhead]
    segments: Mapping[str, SegmentRule]
    missing: tuple[str, ...]
    asks_history: bool


def catalogue_of(bundle: dsl.Bundle, ids: Mapping[str, str] | None = None) -> Catalogue:
    """Compile a bundle without errors; `ids` are those of workflows that have one already."""
    compiled = dsl.compile(bundle)
    declared = list(bundle.workflows())
    flows = [
        _flow(place, _by_id(graph.to_json()), file, found, (ids or {}).get(graph.name))
        for place, (graph, (file, found)) in enumerate(
            zip(compiled.workflows, declared, strict=True)
        )
    ]
    templates = {one.name: _letterhead(one) for one in compiled.templates}
    segments = {one.name: _segment(one) for one in compiled.segments}
    used = {name for flow in flows for name in flow.graph.template_ids} - templates.keys()
    named = {name for flow in flows for name in _segments_of(flow)} - segments.keys()
    return Catalogue(
        flows={flow.name: flow for flow in flows},
        templates=templates | {name: _stand_in(name) for name in sorted(used)},
        segments=segments | {name: SegmentRule(name, STATIC) for name in sorted(named)},
        missing=(
            *(f"template {name!r}" for name in sorted(used)),
            *(f"segment {name!r}" for name in sorted(named)),
        ),
        asks_history=any(flow.graph.questions for flow in flows),
    )


def _flow(place: int, raw: Json, file: dsl.Parsed, found: Workflow, id_: str | None) -> Flow:
    again = raw["reentry"]
    return Flow(
        place=place,
        graph=Graph.from_json(_snapshot(raw, id_ or raw["name"])),
        enabled=raw["enabled"],
        allow_reentry=again != "never",
        reentry_seconds=max(1, round(again["after"])) if isinstance(again, dict) else None,
        starts=starts_of(raw["triggers"]),
        occasions=occasions_of(raw["triggers"], (raw["timezone"] or {}).get("default")),
        file=file.source.path,
        lines={key: at.start.line for key, at in dsl.step_places(file, found).items()},
    )


def _snapshot(raw: Json, workflow_id: str) -> Json:
    return {
        "workflowId": workflow_id,
        "revision": 1,
        "name": raw["name"],
        "steps": [_step(step) for step in raw["steps"]],
        "transitions": [
            {
                "id": str(number),
                "fromStepId": edge["from"],
                "toStepId": edge["to"],
                "condition": edge["condition"],
                "priority": edge["priority"],
                "waitOutcome": edge["waitOutcome"],
            }
            for number, edge in enumerate(raw["transitions"])
        ],
        "headers": {name: raw[name] for name in ("stops", "goals", "timezone", "quietHours")},
    }


def _step(step: Json) -> Json:
    config = dict(step["config"])
    for kind in ("template", "segment"):
        match config.get(kind):
            case {"name": str(named)} | {"id": str(named)}:
                del config[kind]
                config[f"{kind}Id"] = named
    return {
        "id": step["key"],
        "type": step["type"],
        "name": step["name"],
        "label": step["label"],
        "config": config,
        "templateId": config.get("templateId"),
    }


def by_id(raw: Any) -> Any:  # noqa: ANN401 - JSON
    """Return a JSON value whose conditions name things as if their names were ids."""
    match raw:
        case {"$segment": {"name": str(name)}}:
            return f"segment.{name}"
        case {"operator": str(), "template": {"name": str(name)}}:
            others = {key: by_id(item) for key, item in raw.items()}
            return {**others, "template": {"id": name}}
        case dict():
            return {key: by_id(item) for key, item in raw.items()}
        case list():
            return [by_id(item) for item in raw]
    return raw


def _by_id(raw: Any) -> Json:  # noqa: ANN401 - JSON
    made: Json = by_id(raw)
    return made


def _letterhead(one: dsl.TemplateText) -> Letterhead:
    return Letterhead(
        one.name, one.type, one.subject, one.body, one.sender, one.sender_name, one.reply_to
    )


def _stand_in(name: str) -> Letterhead:
    """Return what stands for a template of the project that is not in the bundle."""
    return Letterhead(name, "MARKETING", name, "", "")


def _segment(one: dsl.SegmentText) -> SegmentRule:
    condition = None if one.condition is None else rules.read(by_id(one.condition))
    return SegmentRule(one.name, one.type, condition, one.track_membership)


def _segments_of(flow: Flow) -> Iterator[str]:
    """Yield the segments that a workflow speaks of."""
    yield from flow.graph.segment_ids
    yield from (one.segment for one in flow.occasions if one.segment is not None)
    yield from (one.segment for one in flow.starts if one.segment is not None)
    questions = set(flow.graph.questions)
    for start in flow.starts:
        questions |= asked(start.where) if start.where else set()
    yield from (one.segment_id for one in questions if hasattr(one, "segment_id"))
