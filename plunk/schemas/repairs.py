"""Repairs of runs, coming in and going out."""

from __future__ import annotations

from typing import Any, ClassVar

from marshmallow import Schema, post_load

from plunk.schemas.fields import Choice, Flag, IdText, Input, ListOf, Sub, Text, Whole
from plunk.services.repair_choice import MOST, REPAIRABLE
from plunk.services.repairing import Choice as Runs
from plunk.services.repairing import Order

MAX_REASON, MAX_NAME = 500, 200
OUTCOMES = ("EVENT", "TIMEOUT")
REASON = {"description": "Why; it stands in the execution's history."}
BY = {"description": "Who; it stands there, too."}


class RetryIn(Input):
    """Why a failed step is to be tried again."""

    action: ClassVar[Any] = "retry"
    reason = Text(low=1, high=MAX_REASON, required=True, metadata=REASON)
    by = Text(high=MAX_NAME, allow_none=True, metadata=BY)

    @post_load
    def make(self, values: dict[str, Any], **_: object) -> Order:
        """Return the order."""
        return Order(self.action, **values)


class SkipIn(RetryIn):
    """Why a wait is to be over, and which way it leads on: as if it had ended so."""

    action: ClassVar[Any] = "skip"
    outcome = Choice(*OUTCOMES)


class MoveIn(RetryIn):
    """Why the run is to go on with another step, and with which."""

    action: ClassVar[Any] = "move"
    stepId = IdText(attribute="to_step_id", required=True)


class RepairManyIn(Input):
    """Which runs, and what to do to them; `toStepId` is for `move`, `outcome` for `skip`.

    Without `status`, `retry` is for FAILED and `skip` for WAITING runs.
    """

    action = Choice("retry", "skip", "move", required=True)
    reason = Text(low=1, high=MAX_REASON, required=True, metadata=REASON)
    by = Text(high=MAX_NAME, allow_none=True, metadata=BY)
    outcome = Choice(*OUTCOMES)
    toStepId = IdText(attribute="to_step_id")
    status = Choice(*REPAIRABLE)
    stepId = IdText(attribute="step_id", metadata={"description": "Only those that stand there."})
    limit = Whole(low=1, high=MOST)
    cursor = Text(high=MAX_NAME)
    dryRun = Flag(attribute="dry_run")

    @post_load
    def make(self, values: dict[str, Any], **_: object) -> Runs:
        """Return the choice with its order."""
        names = ("action", "reason", "by", "outcome", "to_step_id")
        order = Order(**{name: values.pop(name) for name in names if name in values})
        return Runs(order, **values)


class RefusalOut(Schema):
    """A run that could not be repaired, and why."""

    executionId = IdText(attribute="execution_id")
    message = Text()


class RepairedOut(Schema):
    """What came of one batch; send `cursor` for the next one until it is null."""

    matched = Whole()
    repaired = Whole()
    ended = Whole(
        metadata={"description": "So many of them ended: an event stopped them, or was their goal."}
    )
    refused = ListOf(Sub(RefusalOut))
    cursor = Text(allow_none=True)
