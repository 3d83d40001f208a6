"""What the templates and segments of a project are called, and which ids these names stand for."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

from sqlalchemy import select
from sqlalchemy.orm import Session

from plunk.ids import parse_id
from plunk.models import Segment, Template
from plunk.services.flow_references import Json, Kind
from plunk.services.workflow_text import Known


@dataclass(frozen=True)
class Names:
    """The ids of one kind of thing, by name."""

    ids: Mapping[str, list[str]] = field(default_factory=dict)

    @cached_property
    def known(self) -> Known:
        """The names there are."""
        return Known(set(self.ids), {name for name, ids in self.ids.items() if len(ids) > 1})

    @cached_property
    def by_id(self) -> Mapping[str, str | None]:
        """The names by id; None where several things share the name."""
        return {
            id_: name if len(ids) == 1 else None for name, ids in self.ids.items() for id_ in ids
        }

    def including(self, made: Mapping[str, str]) -> Names:
        """Return these and others that were created since, by name."""
        return Names({**self.ids, **{name: [id_] for name, id_ in made.items()}})


@dataclass(frozen=True)
class Catalog:
    """The names of one project."""

    templates: Names = Names()
    segments: Names = Names()

    def of(self, kind: Kind) -> Names:
        """Return the names of one kind."""
        return self.templates if kind == "template" else self.segments

    def to_id(self, kind: Kind, reference: Json) -> Json:
        """Return a reference by id, if its name says which one is meant."""
        if "id" in reference:
            return {"id": parse_id(reference["id"]) or reference["id"]}
        ids = self.of(kind).ids.get(reference["name"], [])
        return {"id": ids[0]} if len(ids) == 1 else reference

    def to_name(self, kind: Kind, reference: Json) -> Json:
        """Return a reference by name, if there is one that nothing else has."""
        name = self.of(kind).by_id.get(reference.get("id", ""))
        return reference if name is None else {"name": name}


def catalog(session: Session, project_id: str) -> Catalog:
    """Return the names of all templates and segments of the project."""
    return Catalog(_listed(session, project_id, Template), _listed(session, project_id, Segment))


def _listed(session: Session, project_id: str, table: type[Template | Segment]) -> Names:
    found: dict[str, list[str]] = defaultdict(list)
    rows = session.execute(
        select(table.name, table.id).where(table.project_id == project_id).order_by(table.id)
    )
    for name, id_ in rows:
        found[name].append(id_)
    return Names(dict(found))
