"""Rules of declarations."""

from __future__ import annotations

from dsl import nodes
from dsl.building.parts import Parts, span_of
from dsl.spans import Span


def file(parts: Parts) -> nodes.File:
    """All declarations."""
    return nodes.File(tuple(parts), span_of(parts) if parts else Span(0, 0))


def workflow(parts: Parts) -> nodes.Workflow:
    """Build from "workflow" text block."""
    return nodes.Workflow(parts[1], parts[2], span_of(parts))


def template(parts: Parts) -> nodes.Template:
    """Build from "template" text object."""
    return nodes.Template(parts[1], parts[2], span_of(parts))


def segment(parts: Parts) -> nodes.Segment:
    """Build from "segment" text "{" items "}"."""
    return nodes.Segment(parts[1], tuple(parts[3:-1]), span_of(parts))


def segment_where(parts: Parts) -> nodes.SegmentWhere:
    """Build from "where" condition."""
    return nodes.SegmentWhere(parts[1], span_of(parts))


def keep(parts: Parts) -> nodes.Keep:
    """Build from "track" "membership"."""
    return nodes.Keep(span_of(parts))


def static(parts: Parts) -> nodes.Static:
    """Build from "static"."""
    return nodes.Static(span_of(parts))


def test_block(parts: Parts) -> nodes.TestBlock:
    """Build from "test" text "{" items "}"."""
    return nodes.TestBlock(parts[1], tuple(parts[3:-1]), span_of(parts))
