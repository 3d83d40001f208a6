"""The outline of a file: what it declares, and beneath each workflow its labelled steps."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields, is_dataclass
from typing import Any, Literal, TypeAlias

import dsl
from dsl import nodes
from dsl.spans import Span

Kind: TypeAlias = Literal["workflow", "template", "segment", "test", "step"]


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of an outline: the whole of a thing, and the place of its name."""

    kind: Kind
    name: str
    span: Span
    name_span: Span
    steps: tuple[Entry, ...] = ()


def outline(bundle: dsl.Bundle, file: str) -> list[Entry]:
    """Return what a file declares, in reading order."""
    return [
        entry
        for one in bundle.files
        if one.source.path == file
        for declaration in one.file.declarations
        for entry in _declared(declaration)
    ]


def _declared(declaration: nodes.Declaration) -> Iterator[Entry]:
    match declaration:
        case nodes.Workflow(name, span=span):
            yield Entry("workflow", name.value, span, name.span, tuple(_steps(declaration.body)))
        case nodes.Template(name, span=span):
            yield Entry("template", name.value, span, name.span)
        case nodes.Segment(name, span=span):
            yield Entry("segment", name.value, span, name.span)
        case nodes.TestBlock(name, span=span):
            yield Entry("test", name.value, span, name.span)


def _steps(node: Any) -> Iterator[Entry]:  # noqa: ANN401 - any part of the tree
    """Yield the labelled statements in a part of the tree, those inside of others too."""
    prefix = getattr(node, "prefix", None)
    if isinstance(prefix, nodes.Prefix) and prefix.label:
        start = prefix.span.start
        whole = Span(min(start, node.span.start), max(prefix.span.end, node.span.end))
        end = start + len("@") + len(prefix.label)
        yield Entry("step", f"@{prefix.label}", whole, Span(start, end))
    if isinstance(node, tuple):
        for part in node:
            yield from _steps(part)
    elif is_dataclass(node) and not isinstance(node, Span | type):
        for field in fields(node):
            yield from _steps(getattr(node, field.name))
