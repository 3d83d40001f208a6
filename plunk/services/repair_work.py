"""The work of a repair, under its locks: runs judged one by one, all of them stored at once.

Invariants: a run is written only over the version that was read (I4). What it waited for is
closed, and calls that nobody has made are not made (I3). Who did it and why stands in the run's
history, as a visit that was SKIPPED. Who has left or reached its goal while the run had FAILED
is not taken further: the run ends as it would have ended.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple

import structlog
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from plunk.engine.core.graph import Graph
from plunk.engine.core.repair import Order, Standing, target
from plunk.errors import Conflict
from plunk.ids import new_id
from plunk.models import Execution, Revision, StepExecution, WebhookCall, Workflow
from plunk.services import notices, watching
from plunk.services.missed import Failed, missed
from plunk.services.row_sets import insert_rows, update_rows

log = structlog.get_logger()
VERSION = {"id": "run_id", "version": "seen_version"}
A_VISIT = {"execution_id": "execution_id", "visit": "visit"}


class Found(NamedTuple):
    """A run, locked, and where it is to go on; with an `exit_reason` it ends instead."""

    run: Execution
    to_step_id: str | None
    graph: Graph
    exit_reason: str | None = None

    @property
    def is_over(self) -> bool:
        """Whether the run ends by the repair."""
        return self.to_step_id is None or self.exit_reason is not None


class Work:
    """One batch under its locks: judged run by run, stored in a constant number of statements."""

    def __init__(self, session: Session, workflow: Workflow, order: Order, now: datetime) -> None:
        self._session, self._workflow = session, workflow
        self._order, self._now = order, now
        self._graphs: dict[int, Graph] = {}

    def found(self, run: Execution) -> Found:
        """Return where the run is to go on; a PlunkError says why it cannot."""
        graph = self._followed(run)
        standing = Standing(
            run.status, run.current_step_id, _awaits(run), is_called=run.signal is not None
        )
        return Found(run, target(graph, standing, self._order), graph)

    def store(self, judged: Sequence[Found]) -> int:
        """Write runs and histories; return how many ended because of what they had missed.

        Conflict when a run is not as it was read.
        """
        if not judged:
            return 0
        found = self._caught_up(judged)
        ids = [one.run.id for one in found]
        still_open = self._close(found, ids)
        rows = [self._run_row(one, is_noted=one.run.id in still_open) for one in found]
        if update_rows(self._session, Execution, rows, match=VERSION) != len(rows):
            raise Conflict("An execution has gone on meanwhile; try again.")
        notes = [self._note(one) for one in found if one.run.id not in still_open]
        insert_rows(self._session, StepExecution, notes)
        self._session.execute(
            update(WebhookCall)
            .where(WebhookCall.execution_id.in_(ids), WebhookCall.status == "PENDING")
            .values(status="CANCELLED", next_attempt_at=None, updated_at=self._now)
            .execution_options(synchronize_session=False)
        )
        notices.due(self._session, "runs")
        log.info("runs.repaired", action=self._order.action, run_ids=ids)
        return sum(one.exit_reason is not None for one in found)

    def _caught_up(self, found: Sequence[Found]) -> list[Found]:
        """Count the goals that were reached while runs had failed; end those that are to end."""
        project_id = self._workflow.project_id
        failed = [Failed(one.run, one.graph.headers) for one in found if one.run.status == "FAILED"]
        heard = missed(self._session, project_id, failed, now=self._now)
        goals = [
            (self._workflow.id, run_id, goal)
            for run_id, watched in heard.items()
            for goal in watched.reached
        ]
        watching.count(self._session, project_id, goals, now=self._now)
        return [
            one._replace(exit_reason=heard[one.run.id].reason) if one.run.id in heard else one
            for one in found
        ]

    def _followed(self, run: Execution) -> Graph:
        """Return the graph that the run is to follow: the newest, or its own when it is pinned."""
        workflow = self._workflow
        number = run.revision if run.revision <= workflow.pinned_revision else workflow.revision
        if number not in self._graphs:
            stored = self._session.scalars(
                select(Revision.graph).where(
                    Revision.workflow_id == workflow.id, Revision.number == number
                )
            ).one()
            self._graphs[number] = Graph.from_json(stored)
        return self._graphs[number]

    def _close(self, found: Sequence[Found], ids: Sequence[str]) -> set[str]:
        """Close the visits in which runs wait; return the runs whose repair is noted there."""
        waiting = self._session.execute(
            select(StepExecution.execution_id, StepExecution.visit).where(
                StepExecution.execution_id.in_(ids),
                StepExecution.status.in_(("WAITING", "RUNNING")),
            )
        ).all()
        by_run = {one.run.id: one for one in found}
        rows = [
            {
                "execution_id": run_id,
                "visit": visit,
                "status": "SKIPPED",
                "output": self._output(by_run[run_id]),
                "completed_at": self._now,
                "updated_at": self._now,
            }
            for run_id, visit in waiting
        ]
        update_rows(self._session, StepExecution, rows, match=A_VISIT)
        return {run_id for run_id, _ in waiting}

    def _run_row(self, one: Found, *, is_noted: bool) -> dict[str, Any]:
        run, is_over = one.run, one.is_over
        return {
            "run_id": run.id,
            "seen_version": run.version,
            "version": run.version + 1,
            "revision": one.graph.revision,
            "status": "COMPLETED" if is_over else "RUNNING",
            "current_step_id": None if is_over else one.to_step_id,
            "visit": run.visit if is_noted else run.visit + 1,
            "exit_reason": one.exit_reason,
            "due_at": None if is_over else self._now,
            "deadline_at": None,
            "awaited_event": None,
            "awaited_where": None,
            "awaited_call": None,
            "signal": None,
            "completed_at": self._now if is_over else None,
            "updated_at": self._now,
        }

    def _note(self, one: Found) -> dict[str, Any]:
        """Return the visit that tells of the repair, on the step where the run stood."""
        run, now = one.run, self._now
        return {
            "id": new_id(),
            "project_id": run.project_id,
            "execution_id": run.id,
            "step_id": run.current_step_id or one.to_step_id,
            "visit": run.visit + 1,
            "status": "SKIPPED",
            "output": self._output(one),
            "started_at": now,
            "completed_at": now,
            "created_at": now,
            "updated_at": now,
        }

    def _output(self, one: Found) -> dict[str, Any]:
        order = self._order
        return {
            "repair": order.action,
            "reason": order.reason,
            "by": order.by,
            "toStepId": None if one.is_over else one.to_step_id,
        }


def _awaits(run: Execution) -> Any:  # noqa: ANN401 - one of two words, or None
    if run.awaited_call is not None:
        return "call"
    return None if run.awaited_event is None else "event"
