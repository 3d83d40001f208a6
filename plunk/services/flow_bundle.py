"""A project's workflows, templates and segments as files; deploying them changes nothing."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from functools import partial
from itertools import chain, count
from pathlib import PurePath
from typing import Literal, TypeAlias, TypeVar

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from plunk.errors import Conflict, WorkflowNotFound
from plunk.ids import NO_ID, parse_id
from plunk.models import Segment, Template, Workflow
from plunk.services import (
    flow_checking,
    flow_names,
    flow_reading,
    flow_templates,
    flow_texts,
    revisions,
    workflow_text,
)
from plunk.services.flow_graphs import FlowGraph, Json
from plunk.services.flow_names import Catalog
from plunk.services.flow_references import Kind, references, renamed
from plunk.services.workflow_graph import DIALECT, draw_all

Thing = Literal["workflow", "template", "segment"]
Files: TypeAlias = dict[str, str]
Row: TypeAlias = Workflow | Template | Segment
AnyRow = TypeVar("AnyRow", Workflow, Template, Segment)
MAX_SLUG = 60
SUFFIX = ".flow"
PORTS = {f"{kind}{number}" for kind in ("com", "lpt") for number in range(10)}
RESERVED = {"con", "prn", "aux", "nul", *PORTS}  # no names of files on Windows


@dataclass(frozen=True, slots=True)
class LeftOut:
    """Something of the project that no file can hold, and why."""

    kind: Thing
    id: str
    name: str
    reason: str


@dataclass(slots=True)
class Pulled:
    """Texts by path, and what is not among them."""

    files: Files = field(default_factory=dict)
    left_out: list[LeftOut] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Found:
    """Something to write; `write` takes the path of its .flow file, or raises Conflict."""

    kind: Thing
    row: Row
    write: Callable[[str], Files]

    def left_out(self, reason: str) -> LeftOut:
        """Say why it is not there."""
        return LeftOut(self.kind, self.row.id, self.row.name, reason)


def pull(session: Session, project_id: str, wanted: Collection[str] | None = None) -> Pulled:
    """Return the project as files, or some workflows, by id, with all that they refer to.

    Things that share their name with others of their kind are left out: a file could not say
    which one it means. Others refer to them by id, so they are not missed.
    """
    workflows = session.scalars(
        _every(project_id, Workflow).where(Workflow.dialect == DIALECT)
    ).all()
    templates = session.scalars(_every(project_id, Template)).all()
    segments = session.scalars(_every(project_id, Segment)).all()
    known = flow_names.catalog(session, project_id)
    shared = {**_shared_names(known), "workflow": _shared(workflows)}
    chosen = workflows if wanted is None else _chosen(workflows, wanted)
    graphs = {one.workflow.id: flow_reading.graph_of(one) for one in draw_all(session, chosen)}
    if wanted is not None:
        asked = (found for graph in graphs.values() for found in references(graph.to_json()))
        kept = _referred(asked, segments)
        templates = [one for one in templates if ("template", one.id) in kept]
        segments = [one for one in segments if ("segment", one.id) in kept]
    writing = _Writing(known, graphs, revisions.current_sources(session, chosen))
    return _written(
        [
            *(_Found("segment", one, partial(writing.segment, one)) for one in segments),
            *(_Found("template", one, partial(writing.template, one)) for one in templates),
            *(_Found("workflow", one, partial(writing.workflow, one)) for one in chosen),
        ],
        shared,
    )


def beside(session: Session, project_id: str, wanted: Iterable[tuple[Kind, Json]]) -> Files:
    """Return files for the templates and segments referred to, as far as the project has them."""
    known = flow_names.catalog(session, project_id)
    segments = session.scalars(_every(project_id, Segment)).all()
    kept = _referred(((kind, known.to_id(kind, one)) for kind, one in wanted), segments)
    ids = {parse_id(one) or NO_ID for kind, one in kept if kind == "template"}
    templates = session.scalars(_every(project_id, Template).where(Template.id.in_(ids))).all()
    writing = _Writing(known, {}, {})
    found = [
        *(
            _Found("segment", one, partial(writing.segment, one))
            for one in segments
            if ("segment", one.id) in kept
        ),
        *(_Found("template", one, partial(writing.template, one)) for one in templates),
    ]
    return _written(found, _shared_names(known)).files


def _every(project_id: str, table: type[AnyRow]) -> Select[AnyRow]:
    return select(table).where(table.project_id == project_id).order_by(table.name, table.id)


def _shared_names(known: Catalog) -> dict[Thing, AbstractSet[str]]:
    """Return the names that several templates or segments have."""
    return {
        "template": known.templates.known.ambiguous,
        "segment": known.segments.known.ambiguous,
    }


def _shared(rows: Iterable[Row]) -> AbstractSet[str]:
    return {name for name, times in Counter(one.name for one in rows).items() if times > 1}


def _chosen(workflows: Iterable[Workflow], wanted: Collection[str]) -> list[Workflow]:
    ids = {parse_id(one) for one in wanted}
    found = [one for one in workflows if one.id in ids]
    for one in wanted:
        if parse_id(one) not in {workflow.id for workflow in found}:
            raise WorkflowNotFound(one)
    return found


def _referred(
    wanted: Iterable[tuple[Kind, Json]], segments: Iterable[Segment]
) -> set[tuple[Kind, str]]:
    """Return what is referred to by id, and the segments that these segments ask about."""
    asked = {one.id: references(flow_reading.segment_of(one)) for one in segments}
    queue = list(wanted)
    kept: set[tuple[Kind, str]] = set()
    for kind, reference in queue:  # it grows while it is being read
        found = (kind, str(reference.get("id")))
        if found not in kept:
            kept.add(found)
            queue += asked.get(found[1], []) if kind == "segment" else []
    return kept


@dataclass(frozen=True, slots=True)
class _Writing:
    """How each kind of thing is written, given the names of the project."""

    known: Catalog
    graphs: Mapping[str, FlowGraph]
    sources: Mapping[str, str]

    def segment(self, segment: Segment, path: str) -> Files:
        declared = renamed(flow_reading.segment_of(segment), self.known.to_name)
        return {path: workflow_text.segment_text(declared)}

    def template(self, template: Template, path: str) -> Files:
        body = f"{path.removesuffix(SUFFIX)}.html"
        text = workflow_text.template_text(flow_templates.declared(template), PurePath(body).name)
        return {path: text, body: template.body}

    def workflow(self, workflow: Workflow, path: str) -> Files:
        graph, source = self.graphs[workflow.id], self.sources.get(workflow.id)
        if source is not None and flow_texts.says(source, graph, self.known):
            return {path: workflow_text.own_text(source)}
        return {path: flow_texts.in_words(graph, self.known)}


def _written(found: Iterable[_Found], shared: Mapping[Thing, AbstractSet[str]]) -> Pulled:
    """Write all that can be written, and deployed as it is written."""
    pulled, owners, paths = Pulled(), {}, _paths()
    for one in found:
        if one.row.name in shared[one.kind]:
            reason = f"another {one.kind} has the same name"
            pulled.left_out.append(one.left_out(reason))
            continue
        path = paths(one.kind, one.row.name)
        try:
            pulled.files |= one.write(path)
        except Conflict as error:
            pulled.left_out.append(one.left_out(error.message))
        owners[path] = one
    while mistakes := flow_checking.mistakes(pulled.files):  # some are only seen without others
        for path, mistake in mistakes.items():
            pulled.left_out.append(owners[path].left_out(mistake))
            for name in owners[path].write(path):
                del pulled.files[name]
    return pulled


def _paths() -> Callable[[Thing, str], str]:
    """Return a function that gives everything a file of its own, named after it."""
    taken: set[str] = set()

    def path(kind: Thing, name: str) -> str:
        plain = _slug(name) or kind
        numbered = (f"{plain}-{number}" for number in count(2))
        for slug in chain([plain], numbered):
            found = f"{kind}s/{slug}{SUFFIX}"
            if found not in taken:
                taken.add(found)
                return found
        raise AssertionError(name)

    return path


def _slug(name: str) -> str:
    """Return a name as one of a file, on every system: small letters, digits, hyphens."""
    ascii_name = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    slug = re.sub(r"[^a-z0-9]+", "-", ascii_name.lower())[:MAX_SLUG].strip("-")
    return f"{slug}-file" if slug in RESERVED else slug
