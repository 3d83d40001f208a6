"""Conditions inside workflows as they come in: texts become trees, and names become ids.

Whatever they ask about must be of the same project; a stranger's id is as unknown as any other.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from plunk.conditions.operators.workflow import OPERATORS
from plunk.conditions.tree import from_json
from plunk.errors import BadRequest, InvalidCondition, SegmentNotFound
from plunk.ids import NO_ID, parse_id
from plunk.models import Segment, Template
from plunk.services import condition_names

Json = dict[str, Any]
TREES = ("condition", "where")
ASKING = {"CONDITION", "WAIT_FOR_EVENT"}
TABLES: Mapping[str, type[Segment | Template]] = {"segment": Segment, "template": Template}


def settle_config(session: Session, project_id: str, type_: str, config: Mapping[str, Any]) -> Json:
    """Return a step's configuration as it is stored; BadRequest for what its project has not."""
    if type_ == "SEGMENT":
        _refuse_segment(session, project_id, config.get("segmentId"))
    if type_ not in ASKING:
        return dict(config)
    try:
        settled = settle(session, project_id, config)
    except InvalidCondition as error:
        raise BadRequest(f"config: {error.message}") from error
    if type_ == "CONDITION" and isinstance(config.get("condition"), str):
        settled.setdefault("mode", "expression")
    return settled


def settle_triggers(
    session: Session, project_id: str, config: Mapping[str, Any] | None
) -> Json | None:
    """Return a workflow's trigger configuration as it is stored."""
    if config is None:
        return None
    items = config.get("triggers")
    if not isinstance(items, list):
        return dict(config)
    return {**config, "triggers": settle_all(session, project_id, items)}


def settle_all(session: Session, project_id: str, items: Sequence[Any]) -> list[Any]:
    """Return triggers, stops or goals as they are stored."""
    return [
        settle(session, project_id, item) if isinstance(item, Mapping) else item for item in items
    ]


def settle(session: Session, project_id: str, raw: Mapping[str, Any]) -> Json:
    """Return an object whose conditions are trees by id; InvalidCondition says what is wrong."""
    trees = {
        key: condition_names.tree(session, project_id, raw[key], place="workflow")
        for key in TREES
        if isinstance(raw.get(key), str | dict)
    }
    for tree in trees.values():
        from_json(tree, OPERATORS)
    settled = {**raw, **trees}
    _refuse_strangers(session, project_id, settled)
    return settled


def _refuse_strangers(session: Session, project_id: str, settled: Json) -> None:
    wanted: dict[str, set[str]] = {kind: set() for kind in TABLES}
    for kind, reference in condition_names.references(settled):
        wanted[kind].add(reference.get("id", ""))
    for name, ids in wanted.items():
        known = _known(session, project_id, TABLES[name], ids) if ids else set()
        for one in sorted(ids):
            if parse_id(one) not in known:
                raise InvalidCondition(f"the project has no {name} {one!r}")


def _known(
    session: Session, project_id: str, table: type[Segment | Template], ids: set[str]
) -> set[str | None]:
    parsed = sorted({parse_id(one) or NO_ID for one in ids})
    return set(
        session.scalars(
            select(table.id)
            .where(table.project_id == project_id, table.id.in_(parsed))
            .order_by(table.id)
            .with_for_update(read=True, key_share=True)
        )
    )


def _refuse_segment(session: Session, project_id: str, segment_id: object) -> None:
    """Raise SegmentNotFound, or BadRequest for a segment that nobody can be put into."""
    if not isinstance(segment_id, str):
        return  # half-finished; the engine says what is missing
    type_ = session.scalar(
        select(Segment.type)
        .where(Segment.project_id == project_id, Segment.id == (parse_id(segment_id) or NO_ID))
        .with_for_update(read=True, key_share=True)
    )
    if type_ is None:
        raise SegmentNotFound(segment_id)
    if type_ != "STATIC":
        raise BadRequest("config.segmentId must name a STATIC segment; this one has a condition.")
