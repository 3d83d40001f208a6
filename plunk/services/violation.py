"""One kind of violation, and the rows of one table that break a rule."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, TypeAlias

from sqlalchemy import ColumnElement, and_, select, true, update
from sqlalchemy.orm import Session

from plunk.models import Email, Execution, Segment, StepExecution, WebhookCall

Find: TypeAlias = Callable[[Session, datetime, str | None, int], list[str]]
Mend: TypeAlias = Callable[[Session, Sequence[str], datetime], list[str]]
Outbox: TypeAlias = type[Email] | type[WebhookCall]
Table: TypeAlias = type[Execution] | type[StepExecution] | type[Segment] | Outbox
Values: TypeAlias = Callable[[datetime], dict[str, Any]]
SLACK = timedelta(hours=1)  # a clock that is further ahead than this is none to wait for


@dataclass(frozen=True, slots=True)
class Check:
    """One kind of violation.

    `find` returns at most so many ids in their order, those behind a given one; `mend` returns
    those of the ids that it mended.
    """

    name: str
    invariant: str
    about: str
    remedy: str
    find: Find
    mend: Mend


@dataclass(frozen=True, slots=True)
class Broken:
    """The rows of a table that break a rule, at a time."""

    table: Table
    condition: Callable[[datetime], ColumnElement[bool]]

    def find(self, session: Session, now: datetime, after: str | None, limit: int) -> list[str]:
        """Return the next ids of theirs."""
        behind = true() if after is None else self.table.id > after
        rows = select(self.table.id).where(self.condition(now), behind).order_by(self.table.id)
        return list(session.scalars(rows.limit(limit)))

    def hold(self, session: Session, ids: Sequence[str], now: datetime) -> list[str]:
        """Lock those of these rows that break it still, in the order in which all lock them."""
        wanted = and_(self.table.id.in_(ids), self.condition(now))
        rows = select(self.table.id).where(wanted).order_by(self.table.id)
        return list(session.scalars(rows.with_for_update(key_share=True)))


def by_update(
    name: str, about: str, remedy: str, broken: Broken, values: Values, *, invariant: str = "I9"
) -> Check:
    """Return a check whose rows are mended by one update of their columns."""

    def mend(session: Session, ids: Sequence[str], now: datetime) -> list[str]:
        held = broken.hold(session, ids, now)
        session.execute(
            update(broken.table)
            .where(broken.table.id.in_(held))
            .values(updated_at=now, **values(now))
            .execution_options(synchronize_session=False)
        )
        return held

    return Check(name, invariant, about, remedy, broken.find, mend)
