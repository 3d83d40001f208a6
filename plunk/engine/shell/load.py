"""Loading: everything a batch of runs may look at, in a constant number of queries."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from threading import Lock
from typing import Any

from sqlalchemy import select, tuple_
from sqlalchemy.orm import Session

from plunk.engine.core import facts
from plunk.engine.core.graph import Graph
from plunk.engine.core.run import Run
from plunk.ids import parse_id
from plunk.models import Project, Revision, Template, Workflow

GraphKey = tuple[str, int]


class GraphCache:
    """Graphs by (workflow, revision); a revision never changes, so what is here stays true."""

    def __init__(self, size: int = 1_000) -> None:
        self._graphs: dict[GraphKey, Graph] = {}
        self._size = size
        self._lock = Lock()

    def get(self, session: Session, keys: Iterable[GraphKey]) -> dict[GraphKey, Graph]:
        """Return the graphs of these revisions, reading those that are not here in one query."""
        wanted = set(keys)
        with self._lock:
            found = {key: self._graphs[key] for key in wanted if key in self._graphs}
        missing = wanted - found.keys()
        if missing:
            read = _read_graphs(session, missing)
            self._keep(read)
            found |= read
        return found

    def _keep(self, read: Mapping[GraphKey, Graph]) -> None:
        with self._lock:
            for key in list(self._graphs)[: max(0, len(self._graphs) + len(read) - self._size)]:
                del self._graphs[key]
            self._graphs |= read


@dataclass(frozen=True, slots=True)
class TemplateText(facts.Template):
    """A template as messages are made from it."""

    id: str
    subject: str
    body: str
    from_address: str
    from_name: str | None
    reply_to: str | None


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What the runs of one batch share."""

    project_disabled: bool
    current: Mapping[str, int]
    graphs: Mapping[GraphKey, Graph]
    templates: Mapping[str, TemplateText]

    def graph(self, run: Run) -> Graph:
        """Return the graph that the run last followed."""
        return self.graphs[run.workflow_id, run.revision]

    def newest(self, run: Run) -> Graph:
        """Return the workflow's graph as it is now."""
        return self.graphs[run.workflow_id, self.current[run.workflow_id]]

    def facts(self, contact: facts.Contact) -> facts.Facts:
        """Return what a run of this contact may know."""
        return facts.Facts(contact, self.templates, self.project_disabled)


def load(session: Session, project_id: str, runs: Iterable[Run], cache: GraphCache) -> Surroundings:
    """Return the surroundings of these runs of one project."""
    batch = list(runs)
    current = _revisions(session, project_id, {run.workflow_id for run in batch})
    keys = {(run.workflow_id, run.revision) for run in batch} | set(current.items())
    graphs = cache.get(session, keys)
    disabled = session.scalars(select(Project.disabled).where(Project.id == project_id)).one()
    return Surroundings(disabled, current, graphs, _templates(session, project_id, graphs))


def _revisions(session: Session, project_id: str, workflows: set[str]) -> dict[str, int]:
    rows = session.execute(
        select(Workflow.id, Workflow.revision).where(
            Workflow.project_id == project_id, Workflow.id.in_(workflows)
        )
    )
    return {row.id: row.revision for row in rows}


def _read_graphs(session: Session, keys: set[GraphKey]) -> dict[GraphKey, Graph]:
    rows = session.execute(
        select(Revision.workflow_id, Revision.number, Revision.graph).where(
            tuple_(Revision.workflow_id, Revision.number).in_(keys)
        )
    )
    return {(row[0], row[1]): Graph.from_json(row[2]) for row in rows}


def _templates(
    session: Session, project_id: str, graphs: Mapping[GraphKey, Graph]
) -> dict[str, TemplateText]:
    used = {name for graph in graphs.values() for name in graph.template_ids if parse_id(name)}
    if not used:
        return {}
    columns = [getattr(Template, item.name) for item in fields(TemplateText)]
    rows: Iterable[Sequence[Any]] = session.execute(
        select(*columns).where(Template.project_id == project_id, Template.id.in_(used))
    )
    return {item.id: item for item in (TemplateText(*row) for row in rows)}
