"""Which runs of a workflow are to be repaired: chosen by status and step, batch after batch."""

from __future__ import annotations

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import NamedTuple

from sqlalchemy import ColumnElement, and_, or_, select
from sqlalchemy.orm import Session

from plunk.engine.core.repair import Order
from plunk.errors import BadRequest
from plunk.ids import parse_id
from plunk.models import Execution, Workflow

REPAIRABLE = ("FAILED", "WAITING", "RUNNING")
USUAL = {"retry": "FAILED", "skip": "WAITING"}
MOST = 500


@dataclass(frozen=True, slots=True)
class Choice:
    """Which runs of a workflow: by status and the step they stand on, the oldest first.

    `cursor` says where the batch before ended; a dry run counts and changes nothing.
    """

    order: Order
    status: str | None = None
    step_id: str | None = None
    limit: int = 100
    cursor: str | None = None
    dry_run: bool = False


class Place(NamedTuple):
    """Where a run stands in the order in which all of them are repaired."""

    started_at: datetime
    id: str


def wanted(workflow: Workflow, choice: Choice) -> ColumnElement[bool]:
    """Return the condition on the chosen runs; BadRequest when too little was said."""
    status = choice.status or USUAL.get(choice.order.action)
    if status is None:
        raise BadRequest("Say which executions are to be moved: status is missing.")
    if choice.order.action == "move" and choice.order.to_step_id is None:
        raise BadRequest("Say where the executions are to be moved: toStepId is missing.")
    on_step = [] if choice.step_id is None else [Execution.current_step_id == choice.step_id]
    return and_(Execution.workflow_id == workflow.id, Execution.status == status, *on_step)


def batch(session: Session, which: ColumnElement[bool], choice: Choice) -> Sequence[Place]:
    """Return the next runs in the order in which they started, those after the cursor."""
    place = (Execution.started_at, Execution.id)
    ordered = select(*place).where(which).order_by(*place).limit(choice.limit)
    if choice.cursor is not None:
        last = _read(choice.cursor)
        behind = or_(Execution.started_at > last.started_at, Execution.id > last.id)
        ordered = ordered.where(Execution.started_at >= last.started_at, behind)
    return [Place(*row) for row in session.execute(ordered)]


def cursor_to(place: Place) -> str:
    """Return the cursor behind a run, which need not be there any more when it is read."""
    return urlsafe_b64encode(f"{place.started_at.isoformat()} {place.id}".encode()).decode()


def _read(cursor: str) -> Place:
    try:
        started_at, _, run_id = urlsafe_b64decode(cursor).decode().partition(" ")
        at, known = datetime.fromisoformat(started_at).astimezone(UTC), parse_id(run_id)
    except (ValueError, OverflowError):
        known = None
    if known is None:
        raise BadRequest("The cursor is none that a repair has answered with.")
    return Place(at, known)
