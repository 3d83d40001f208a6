"""The product as the reference sees it: the same verbs, and the same trace, from the database."""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Engine as DatabaseEngine
from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from plunk.clock import ManualClock
from plunk.db import Base, session_factory, transaction
from plunk.delivery.memory import MemoryProvider
from plunk.engine.shell.batch import Engine, advance_due
from plunk.engine.shell.hooks import Caller, call_due
from plunk.engine.shell.mail import Mailer, deliver_due
from plunk.engine.shell.revising import Reviser, revise_due
from plunk.models import (
    Contact,
    Conversion,
    Email,
    Execution,
    Step,
    StepExecution,
    WebhookCall,
    Workflow,
)
from plunk.models.execution import ACTIVE_STATUSES
from plunk.outbound import Answer, OutgoingRequest
from plunk.outbound.values import NetworkFailed
from plunk.security import Seal
from plunk.services import cancelling, contacts, deploying, projects, tracking, workflow_text
from plunk.services.contacts import ContactChange
from plunk.services.deploying import Bundle
from plunk.services.executions import RunPath
from plunk.services.tracking import TrackRequest
from tests.proofs.model import Trace
from tests.proofs.shapes import TEMPLATES, Flow
from tests.proofs.workers import AtOnce

URL = "https://acme.test"
STATUS = {"ok": 200, "bad": 500}


class Product:
    """One project on one database, with a worker that does everything at once."""

    def __init__(self, database: DatabaseEngine, flows: list[Flow], now: datetime) -> None:
        self.clock = ManualClock(now)
        self.sessions = session_factory(database)
        self.flows = {flow.event: flow for flow in flows}
        self.calls: list[str] = []
        seal = Seal("a secret for tests only")
        with database.begin() as connection:
            for table in reversed(Base.metadata.sorted_tables):
                connection.execute(delete(table))
        with transaction(self.sessions) as session:
            self.project_id = projects.create(session, "Acme", seal=seal, now=now).id
        self.engine = Engine(self.sessions, self.clock, URL)
        self.mailer = Mailer(self.sessions, self.clock, MemoryProvider(), URL, lambda: 0.0)
        at_once = AtOnce()
        self.caller = Caller(
            self.sessions, self.clock, self._answer, at_once, at_once, lambda: 0.0, seal
        )
        self._deploy("follow")

    def track(self, name: str, email: str, n: int) -> None:
        """Track an event."""
        request = TrackRequest(name, email, data={"n": n})
        with transaction(self.sessions) as session:
            now = self.clock.now()
            tracking.track(session, self.project_id, request, trusted=True, now=now)
        self._settle()

    def subscribe(self, email: str, *, wanted: bool) -> None:
        """Change a subscription."""
        self._change(email, ContactChange(subscribed=wanted))

    def favour(self, email: str, *, vip: bool) -> None:
        """Change what conditions look at."""
        self._change(email, ContactChange(data={"vip": vip}))

    def cancel(self, number: int) -> None:
        """Cancel one of the runs that are under way."""
        active = select(Execution.workflow_id, Execution.id).where(
            Execution.status.in_(ACTIVE_STATUSES)
        )
        with transaction(self.sessions) as session:
            path = RunPath(*session.execute(active.order_by(Execution.id)).all()[number])
            cancelling.cancel(session, self.project_id, path, now=self.clock.now())
        self._settle()

    def deploy(self, flow: Flow, *, pin: bool) -> None:
        """Deploy a new version of a workflow."""
        self.flows[flow.event] = flow
        self._deploy("pin" if pin else "follow")

    def sleep(self, length: timedelta) -> None:
        """Let time pass, and do what is due when it is due."""
        until = self.clock.now() + length
        while (due := self._next_due()) is not None and due <= until:
            self.clock.move_to(max(due, self.clock.now()))
            self._settle()
        self.clock.move_to(until)
        self._settle()

    def trace(self) -> Trace:
        """Return what has become of it all."""
        with transaction(self.sessions) as session:
            labels = _visits(session)
            goals = defaultdict(list)
            for goal in session.scalars(select(Conversion)):
                goals[goal.execution_id].append(goal.goal)
            people = {one.id: one for one in session.scalars(select(Contact))}
            rows = session.execute(
                select(Execution, Workflow.name)
                .join(Workflow, Workflow.id == Execution.workflow_id)
                .order_by(Execution.id)
            )
            runs = [
                (
                    name,
                    people[run.contact_id].email,
                    run.status,
                    run.exit_reason,
                    run.completed_at,
                    labels[run.id],
                    goals[run.id],
                )
                for run, name in rows
            ]
            mails = session.execute(select(Email.to_address, Email.subject, Email.status))
            return {
                "runs": runs,
                "mails": sorted(tuple(mail) for mail in mails),
                "calls": sorted(self.calls),
                "people": {
                    one.email: (
                        one.subscribed,
                        {key: (one.data or {})[key] for key in sorted(one.data or {})},
                    )
                    for one in people.values()
                },
            }

    def _change(self, email: str, change: ContactChange) -> None:
        with transaction(self.sessions) as session:
            found = session.scalars(select(Contact.id).where(Contact.email == email)).one()
            contacts.change(session, self.project_id, found, change, now=self.clock.now())
        self._settle()

    def _deploy(self, policy: Any) -> None:
        text = TEMPLATES + "\n".join(flow.text() for flow in self.flows.values())
        written = workflow_text.read({"a.flow": text})
        bundle, now = Bundle({}, in_flight=policy), self.clock.now()
        with transaction(self.sessions) as session:
            deploying.deploy(session, self.project_id, written, bundle, now=now)
        self._settle()

    def _settle(self) -> None:
        while (
            revise_due(self.engine, Reviser())
            + advance_due(self.engine)
            + deliver_due(self.mailer)
            + call_due(self.caller)
        ):
            pass

    def _next_due(self) -> datetime | None:
        columns = (Execution.due_at, Email.next_attempt_at, WebhookCall.next_attempt_at)
        with transaction(self.sessions) as session:
            found = [session.scalar(select(func.min(column))) for column in columns]
        return min((at for at in found if at is not None), default=None)

    def _answer(self, request: OutgoingRequest) -> Answer:
        self.calls.append((request.body or b"").decode().split('"')[3])
        name = request.url.rpartition("/")[2]
        if name not in STATUS:
            raise NetworkFailed("nobody is there")
        return Answer(STATUS[name], "{}", "application/json", request.url)


def _visits(session: Session) -> dict[str, list[tuple[str, str]]]:
    found = defaultdict(list)
    rows = session.execute(
        select(StepExecution.execution_id, StepExecution.status, Step.label)
        .join(Step, Step.id == StepExecution.step_id)
        .order_by(StepExecution.visit)
    )
    for run_id, status, label in rows:
        found[run_id].append((label or "trigger", status))
    return found
