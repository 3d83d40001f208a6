"""Telling what a batch came to: ids for the log, figures for the meter, after it was committed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

import structlog

from plunk.delivery.outcomes import Accepted, Outcome
from plunk.engine.core.run import Run
from plunk.metrics import Meter

if TYPE_CHECKING:
    from plunk.engine.shell.calls import Call, Result
    from plunk.engine.shell.claim import Claimed
    from plunk.engine.shell.letters import Letter

log = structlog.get_logger()
OUTCOMES = {"Accepted": "sent", "NoneType": "postponed"}
ANSWERED_WELL = range(200, 300)


def advanced(
    meter: Meter, claimed: Sequence[Claimed], moved: Iterable[tuple[Run, Run]], *, now: datetime
) -> None:
    """Tell how late these runs were, and which of them ended."""
    dues = [item.due_at for item in claimed if item.due_at is not None]
    meter.late("runs", [due for due in dues if due <= now], now=now)
    over = [after for _, after in moved if after.is_over]
    meter.ended(Counter(run.status for run in over))
    for run in over:
        if run.status == "FAILED":
            log.info("run.failed", run_id=run.id, workflow_id=run.workflow_id, step_id=run.step_id)


def handed(
    meter: Meter, results: Sequence[tuple[Letter, Outcome | None]], *, now: datetime
) -> None:
    """Tell how long these messages had waited for their first attempt, and what came of it."""
    tried = (letter for letter, outcome in results if outcome is not None)
    fresh = [letter.created_at for letter in tried if letter.attempts == 1]
    meter.late("emails", fresh, now=now)
    meter.handed(Counter(_word(outcome) for _, outcome in results))
    for letter, outcome in results:
        if not isinstance(outcome, Accepted):
            said = _word(outcome)
            log.info("email.not_sent", email_id=letter.id, outcome=said, attempt=letter.attempts)


def called(meter: Meter, ended: Sequence[tuple[Call, Result]], *, now: datetime) -> None:
    """Tell how long these calls had waited for their first attempt, and what came of it."""
    meter.late("hooks", [call.created_at for call, _ in ended if call.attempts == 1], now=now)
    meter.called(Counter(_answered(result) for _, result in ended))
    for call, result in ended:
        if _answered(result) != "ok":
            log.info(
                "webhook.failed",
                call_id=call.id,
                run_id=call.execution_id,
                attempt=call.attempts,
                answered=result.answer and result.answer.status,
            )


def _word(outcome: Outcome | None) -> str:
    name = type(outcome).__name__
    return OUTCOMES.get(name, name.lower())


def _answered(result: Result) -> str:
    if result.answer is None:
        return "unanswered"
    return "ok" if result.answer.status in ANSWERED_WELL else "refused"
