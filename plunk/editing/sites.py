"""Where the things of a bundle are named: declared, referred to, labelled."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, fields, is_dataclass
from typing import Any, Literal, TypeAlias

import dsl
from dsl import nodes
from dsl.spans import Span

Kind: TypeAlias = Literal["workflow", "template", "segment", "event", "label"]


@dataclass(frozen=True, slots=True)
class Site:
    """One name in one place; labels belong to the workflow `scope`."""

    kind: Kind
    name: str
    file: str
    span: Span
    is_definition: bool = False
    scope: str = ""

    def is_same_thing(self, other: Site) -> bool:
        """Tell whether both places name the same thing."""
        mine = self.kind, self.name, self.scope
        return mine == (other.kind, other.name, other.scope)


def sites_of(bundle: dsl.Bundle) -> list[Site]:
    """Return every named place of a bundle, in reading order."""
    return [site for file in bundle.files for site in _in_file(file)]


def site_at(sites: Iterable[Site], file: str, offset: int) -> Site | None:
    """Return the named place at an offset of a file."""
    for site in sites:
        if site.file == file and site.span.start <= offset <= site.span.end:
            return site
    return None


def _in_file(file: dsl.Parsed) -> Iterator[Site]:
    for declaration in file.file.declarations:
        yield from _Finder(file.source.path, _scope(declaration)).walk(declaration)


def _scope(declaration: nodes.Declaration) -> str:
    """Return the workflow whose labels a declaration speaks of."""
    match declaration:
        case nodes.Workflow(name):
            return name.value
        case nodes.TestBlock(items=items):
            tested = (item for item in items if isinstance(item, nodes.UnderTest))
            return next((item.workflow.value for item in tested), "")
    return ""


class _Finder:
    """Goes through one declaration."""

    def __init__(self, file: str, scope: str) -> None:
        self.file = file
        self.scope = scope

    def walk(self, node: Any) -> Iterator[Site]:  # noqa: ANN401 - any part of the tree
        """Yield the named places in a part of the tree."""
        yield from self._own(node)
        if isinstance(node, tuple):
            for part in node:
                yield from self.walk(part)
        elif is_dataclass(node) and not isinstance(node, Span | type):
            for part in fields(node):
                yield from self.walk(getattr(node, part.name))

    def _own(self, node: Any) -> Iterator[Site]:  # noqa: ANN401 - any part of the tree
        yield from self._declared(node)
        yield from self._referred(node)
        yield from self._labelled(node)

    def _declared(self, node: Any) -> Iterator[Site]:  # noqa: ANN401 - as above
        match node:
            case nodes.Workflow(name):
                yield self._site("workflow", name, is_definition=True)
            case nodes.Template(name):
                yield self._site("template", name, is_definition=True)
            case nodes.Segment(name):
                yield self._site("segment", name, is_definition=True)

    def _referred(self, node: Any) -> Iterator[Site]:  # noqa: ANN401 - as above; a table
        match node:
            case nodes.SendEmail(reference) | nodes.Mailed(_, reference) if reference:
                yield from self._reference("template", reference)
            case nodes.Member(_, reference) | nodes.ChangeMembership(_, reference):
                yield from self._reference("segment", reference)
            case nodes.OnSegment(reference) | nodes.OnSchedule(segment=reference):
                yield from self._reference("segment", reference)
            case nodes.UnderTest(name):
                yield self._site("workflow", name)
            case nodes.ExpectEmail(name) | nodes.ExpectNoEmail(name) if name:
                yield self._site("template", name)
            case nodes.OnEvent(name) | nodes.WaitForEvent(name) | nodes.EventHappens(name):
                yield self._site("event", name)
            case nodes.Triggered(name) | nodes.Counted(name) | nodes.ExpectEvent(name):
                yield self._site("event", name)
            case nodes.Track(name):
                yield self._site("event", name, is_definition=True)

    def _labelled(self, node: Any) -> Iterator[Site]:  # noqa: ANN401 - as above
        match node:
            case nodes.Prefix(label=str(label), span=span):
                end = span.start + len("@") + len(label)
                place = Span(span.start, end)
                yield Site("label", label, self.file, place, is_definition=True, scope=self.scope)
            case nodes.Goto(label) | nodes.ExpectWaiting(label) | nodes.MockRandom(label) if label:
                yield self._site("label", label)
            case nodes.Edge(source, target):
                yield self._site("label", source)
                yield self._site("label", target)

    def _reference(self, kind: Kind, reference: nodes.Reference) -> Iterator[Site]:
        if not reference.is_id:
            yield Site(kind, reference.value, self.file, reference.span)

    def _site(self, kind: Kind, name: nodes.Text, *, is_definition: bool = False) -> Site:
        scope = self.scope if kind == "label" else ""
        return Site(kind, name.value, self.file, name.span, is_definition, scope)
