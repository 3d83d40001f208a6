"""What a project has of all that a `.flow` bundle is about."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from plunk.models import Segment, Workflow
from plunk.services import flow_names, flow_segments, flow_templates
from plunk.services.flow_names import Catalog
from plunk.services.flow_references import Json, Kind, references
from plunk.services.flow_templates import Shelf
from plunk.services.workflow_graph import DIALECT
from plunk.services.workflow_text import Written


@dataclass(frozen=True, slots=True)
class Targets:
    """Stored things that a bundle names; templates and segments stay until we are done."""

    known: Catalog
    shelf: Shelf
    segments: Mapping[str, Segment]
    workflows: Mapping[str, Sequence[str]]

    def segment(self, reference: Json) -> Segment | None:
        """Return the stored segment that a reference leads to, if it is just one."""
        return self.segments.get(self.known.to_id("segment", reference).get("id", ""))


def find(session: Session, project_id: str, written: Written) -> Targets:
    """Return what the declarations of a bundle, and all that they refer to, meet."""
    known = flow_names.catalog(session, project_id)
    names: dict[Kind, set[str]] = {"template": set(), "segment": set()}
    ids: set[str] = set()
    for kind, reference in _references(written):
        names[kind] |= {reference["name"]} if "name" in reference else set()
        ids |= {known.to_id(kind, reference).get("id", "")} - {""}
    names["template"] |= {template["name"] for template in written.templates}
    declared = {
        one for segment in written.segments for one in known.segments.ids.get(segment["name"], ())
    }
    ids |= {one for name in names["segment"] for one in known.segments.ids.get(name, ())}
    ids &= known.segments.by_id.keys()
    return Targets(
        known=known,
        shelf=flow_templates.find(session, project_id, names["template"], editing=True),
        segments={
            **flow_segments.find(session, project_id, ids - declared),
            **flow_segments.find(session, project_id, declared, editing=True),
        },
        workflows=_workflows(session, project_id, written),
    )


def _references(written: Written) -> Iterator[tuple[Kind, Json]]:
    declared: list[Json] = [*written.segments, *written.workflows]
    for one in declared:
        yield from references(one)


def _workflows(session: Session, project_id: str, written: Written) -> dict[str, list[str]]:
    stored = defaultdict(list)
    names = {workflow["name"] for workflow in written.workflows}
    rows = session.execute(
        select(Workflow.name, Workflow.id)
        .where(
            Workflow.project_id == project_id,
            Workflow.name.in_(names),
            Workflow.dialect == DIALECT,
        )
        .order_by(Workflow.id)
    )
    for name, workflow_id in rows:
        stored[name].append(workflow_id)
    return stored
