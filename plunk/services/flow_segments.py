"""The segments of a `.flow` bundle: judged, put in order, created or brought up to date."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from plunk.conditions import segments as rules
from plunk.errors import InvalidCondition
from plunk.ids import NO_ID
from plunk.models import Segment
from plunk.services import flow_reading, segments
from plunk.services.flow_columns import tree_column
from plunk.services.flow_references import Json, Kind, references, renamed
from plunk.services.json_values import same
from plunk.services.segments import SegmentChange, SegmentDraft

MAX_DESCRIPTION = 500


def find(
    session: Session, project_id: str, ids: Collection[str], *, editing: bool = False
) -> dict[str, Segment]:
    """Return these segments by id, held until the transaction ends.

    Who is about to edit them keeps others from doing so meanwhile.
    """
    found = session.scalars(
        select(Segment)
        .where(Segment.project_id == project_id, Segment.id.in_(ids))
        .order_by(Segment.id)
        .with_for_update(read=not editing, key_share=True)
    )
    return {segment.id: segment for segment in found}


def faults(declared: Json) -> Iterator[str]:
    """Say why a declared segment cannot be stored."""
    if len(declared["description"] or "") > MAX_DESCRIPTION:
        yield f"the description is longer than {MAX_DESCRIPTION} characters"
    if declared["condition"] is not None:
        try:
            rules.read(tree_column(renamed(declared, some_id)["condition"]))
        except InvalidCondition as error:
            yield error.message


def in_order(declared: Sequence[Json]) -> list[int]:
    """Return the places of all segments, each behind those that its condition asks about.

    Those that go round in a circle come last; storing them will fail.
    """
    places = {segment["name"]: at for at, segment in enumerate(declared)}
    order: dict[int, None] = {}

    def visit(at: int, above: frozenset[int]) -> None:
        for _, reference in references(declared[at]):
            other = places.get(reference.get("name", ""))
            if other is not None and other not in above and other not in order:
                visit(other, above | {other})
        order[at] = None

    for at in range(len(declared)):
        if at not in order:
            visit(at, frozenset({at}))
    return list(order)


def store(
    session: Session, project_id: str, declared: Json, stored: Segment | None, *, now: datetime
) -> tuple[Segment, str]:
    """Create the segment or bring it up to date; say which, or that it was `unchanged`.

    Everything in it is by id. InvalidCondition when its condition cannot be asked.
    """
    tree = tree_column(declared["condition"])
    if stored is None:
        draft = SegmentDraft(
            name=declared["name"],
            description=declared["description"],
            type=declared["type"],
            condition=tree,
            track_membership=declared["trackMembership"],
        )
        return segments.create(session, project_id, draft, now=now), "created"
    differing = differences(stored, declared)
    if not differing:
        return stored, "unchanged"
    values: Mapping[str, Any] = {
        "description": declared["description"],
        "condition": tree,
        "track_membership": declared["trackMembership"],
    }
    names = {"trackMembership": "track_membership"}
    wanted = SegmentChange(
        **{names.get(name, name): values[names.get(name, name)] for name in differing}
    )
    return segments.change(session, project_id, stored.id, wanted, now=now), "changed"


def differences(stored: Segment, declared: Json) -> list[str]:
    """Return which members of a stored segment are not as they are declared."""
    is_so = flow_reading.segment_of(stored)
    return [name for name in is_so if not same(is_so[name], declared[name])]


def some_id(_kind: Kind, reference: Json) -> Json:
    """Return a reference that can be read, whatever it will be once the names are known."""
    return reference if "id" in reference else {"id": NO_ID}
