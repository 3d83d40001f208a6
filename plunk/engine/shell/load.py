"""Loading: everything a batch of runs may look at, in a constant number of queries."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from threading import Lock
from typing import Any, NamedTuple

from sqlalchemy import select, tuple_
from sqlalchemy.orm import Session

from plunk.conditions.history import asked
from plunk.conditions.nodes import History
from plunk.engine.core import facts
from plunk.engine.core.graph import Graph
from plunk.engine.core.run import AwaitedCondition, AwaitedEvent, Run
from plunk.engine.shell.claim import Claimed
from plunk.ids import parse_id
from plunk.models import Project, Revision, Segment, StepExecution, Template, Workflow
from plunk.rendering import render
from plunk.services.histories import answered
from plunk.services.variables import workflow_variables

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


class Version(NamedTuple):
    """The newest revision of a workflow, and up to which one runs are pinned."""

    newest: int
    pinned: int

    def followed_by(self, run: Run) -> int:
        """Return the revision that a run is to follow."""
        return run.revision if run.revision <= self.pinned else self.newest


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What the runs of one batch share, and what is known about each of their contacts."""

    project_disabled: bool
    versions: Mapping[str, Version]
    graphs: Mapping[GraphKey, Graph]
    templates: Mapping[str, TemplateText]
    world: facts.World
    answers: dict[str, Mapping[History, object]]
    entered: Mapping[str, datetime]

    def graph(self, run: Run) -> Graph:
        """Return the graph that the run last followed."""
        return self.graphs[run.workflow_id, run.revision]

    def followed(self, run: Run) -> Graph:
        """Return the graph that the run is to follow: the newest, or its own when it is pinned."""
        return self.graphs[run.workflow_id, self.versions[run.workflow_id].followed_by(run)]

    def facts(self, contact: facts.Contact) -> facts.Facts:
        """Return what a run of this contact may know."""
        return facts.Facts(
            contact,
            self.templates,
            self.project_disabled,
            answers=self.answers.get(contact.id, {}),
            world=self.world,
        )


def load(
    session: Session,
    project_id: str,
    claimed: Sequence[Claimed],
    cache: GraphCache,
    *,
    dashboard_url: str,
    now: datetime,
) -> Surroundings:
    """Return the surroundings of these runs of one project.

    The queries are as many for one run as for a hundred: four, one for the segments that steps
    change, one when a revision is new to some of the runs, and one for each question that
    conditions ask about the past.
    """
    runs = [item.run for item in claimed]
    versions = _versions(session, project_id, {run.workflow_id for run in runs})
    left_behind = [run for run in runs if versions[run.workflow_id].followed_by(run) > run.revision]
    keys = {(run.workflow_id, run.revision) for run in runs}
    keys |= {(run.workflow_id, versions[run.workflow_id].newest) for run in left_behind}
    graphs = cache.get(session, keys)
    disabled = session.scalars(select(Project.disabled).where(Project.id == project_id)).one()
    contacts = [item.contact for item in claimed]
    questions = _questions(graphs.values(), runs)
    return Surroundings(
        disabled,
        versions,
        graphs,
        _templates(session, project_id, graphs),
        facts.World(_renderer(dashboard_url), segments=_segments(session, project_id, graphs)),
        {**answered(session, project_id, contacts, questions, now=now)} if questions else {},
        _entered(session, left_behind),
    )


def _questions(graphs: Iterable[Graph], runs: Iterable[Run]) -> frozenset[History]:
    """Return what may be asked: by the graphs, and by waits that an older revision began."""
    asking = [graph.questions for graph in graphs]
    for run in runs:
        match run.awaiting:
            case AwaitedCondition(where) | AwaitedEvent(where=where) if where is not None:
                asking.append(asked(where))
    return frozenset().union(*asking)


def _renderer(dashboard_url: str) -> Callable[[str, facts.Facts], str]:
    def filled(source: str, known: facts.Facts) -> str:
        variables = workflow_variables(known.contact, known.event, known.variables, dashboard_url)
        return render(source, variables)

    return filled


def _segments(
    session: Session, project_id: str, graphs: Mapping[GraphKey, Graph]
) -> dict[str, str]:
    """Return the types of the segments that steps put contacts into."""
    used = {name for graph in graphs.values() for name in graph.segment_ids if parse_id(name)}
    if not used:
        return {}
    rows = session.execute(
        select(Segment.id, Segment.type).where(
            Segment.project_id == project_id, Segment.id.in_(used)
        )
    )
    return {row.id: row.type for row in rows}


def _versions(session: Session, project_id: str, workflows: set[str]) -> dict[str, Version]:
    rows = session.execute(
        select(Workflow.id, Workflow.revision, Workflow.pinned_revision).where(
            Workflow.project_id == project_id, Workflow.id.in_(workflows)
        )
    )
    return {row[0]: Version(row[1], row[2]) for row in rows}


def _entered(session: Session, left_behind: Sequence[Run]) -> dict[str, datetime]:
    """Return when runs came where they wait now, of those to which a revision is new."""
    waiting = [(run.id, run.visit) for run in left_behind if run.status == "WAITING"]
    if not waiting:
        return {}
    rows = session.execute(
        select(StepExecution.execution_id, StepExecution.started_at).where(
            tuple_(StepExecution.execution_id, StepExecution.visit).in_(waiting)
        )
    )
    return {row[0]: row[1] for row in rows if row[1] is not None}


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
