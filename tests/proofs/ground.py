"""The ground of a story: a migrated database with the cast deployed, the same before every seed."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import bindparam, delete, exists, insert, or_, select

from plunk.db import READ_ONLY, Base, open_engine, transaction
from plunk.models import Email, Execution, Segment, WebhookCall, Workflow
from plunk.security import Seal
from plunk.services import deploying, projects
from plunk.services.deploying import Bundle
from tests.proofs import cast
from tests.proofs.wire import Wire

START = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
FOREVER = datetime(9999, 1, 1, tzinfo=UTC)
NAMES = ("web", "first", "second")
HEALER = "healer"
QUEUES = {
    "runs": (Execution.due_at,),
    "mail": (Email.next_attempt_at, Email.lease_until),
    "calls": (WebhookCall.next_attempt_at, WebhookCall.lease_until),
}
DUE = select(
    *(
        or_(*(exists().where(column <= bindparam("until")) for column in columns)).label(name)
        for name, columns in QUEUES.items()
    )
)


class Ground:
    """Wires for a web server, two workers and a healer, and an observer of what is committed."""

    def __init__(self, url: str) -> None:
        self.wires = {name: Wire(name, url) for name in NAMES}
        self.wires[HEALER] = Wire(HEALER, url, is_patient=True)
        self.observer = open_engine(url, execution_options={READ_ONLY: True})
        self.is_postgres = self.observer.dialect.name == "postgresql"
        self.seal = Seal("a secret for tests only")
        self.edited = cast.read(cast.SECOND)
        self._kept: list[tuple[Any, list[dict[str, Any]]]] = []
        self.reset()
        with transaction(self.wires["web"].sessions) as session:
            made = projects.create(session, "Acme", seal=self.seal, now=START)
            self.project_id = made.id
            written = cast.read(cast.FIRST)
            deploying.deploy(session, self.project_id, written, Bundle({}), now=START)
            named = session.execute(select(Workflow.name, Workflow.id))
            self.workflows = {row.name: row.id for row in named}
            self.segment_id = session.scalars(select(Segment.id)).one()
        self._kept = self._rows()

    def reset(self) -> None:
        """Make everything as it was before the first story."""
        for wire in self.wires.values():
            wire.stage = None
        clear = [str(delete(table)) for table in reversed(Base.metadata.sorted_tables)]
        with self.wires["web"].engine.begin() as connection:
            if self.is_postgres:  # the server may still be ending what a crash cut off
                connection.exec_driver_sql("SET LOCAL lock_timeout = '30s'")
            for statement in [";".join(clear)] if self.is_postgres else clear:
                connection.exec_driver_sql(statement)
            for table, rows in self._kept:
                connection.execute(insert(table), rows)

    def due(self, until: datetime = FOREVER) -> list[str]:
        """Return the queues in which something is due up to a time."""
        with self.observer.connect() as connection:
            found = connection.execute(DUE, {"until": until}).mappings().one()
        return [name for name, is_due in found.items() if is_due]

    def close(self) -> None:
        """Let go of all connections."""
        for wire in self.wires.values():
            wire.cut()
        self.observer.dispose()

    def _rows(self) -> list[tuple[Any, list[dict[str, Any]]]]:
        with self.observer.connect() as connection:
            read = [
                (table, [dict(row) for row in connection.execute(select(table)).mappings()])
                for table in Base.metadata.sorted_tables
            ]
        return [(table, rows) for table, rows in read if rows]
