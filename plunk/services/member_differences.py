"""What would change in a template or segment: its members before and after."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from plunk.models import Segment, Template
from plunk.services import condition_texts, flow_reading, flow_segments, flow_templates
from plunk.services.flow_names import Catalog
from plunk.services.flow_references import Json, renamed


@dataclass(frozen=True, slots=True)
class MemberDifference:
    """One member, before and after."""

    name: str
    old: Any
    new: Any


def of_template(stored: Template, declared: Mapping[str, Any]) -> list[MemberDifference]:
    """Return the members of a stored template that are not as they are declared."""
    names = flow_templates.differences(stored, declared)
    return _between(flow_templates.declared(stored), declared, names)


def of_segment(stored: Segment, declared: Json, known: Catalog) -> list[MemberDifference]:
    """Return the same of a segment declared by id; conditions are told as texts, by name."""
    names = flow_segments.differences(stored, declared)
    old, new = (_told(one, known) for one in (flow_reading.segment_of(stored), declared))
    return _between(old, new, names)


def _told(segment: Json, known: Catalog) -> Json:
    named = renamed(segment, known.to_name)
    condition = named["condition"]
    return {
        **named,
        "condition": condition_texts.text_of(condition, "segment") if condition else None,
    }


def _between(
    old: Mapping[str, Any], new: Mapping[str, Any], names: Iterable[str]
) -> list[MemberDifference]:
    return [MemberDifference(name, old[name], new[name]) for name in names]
