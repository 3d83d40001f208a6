"""The web's side of a story: what customers do, and what they were told became of it."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta

from sqlalchemy import select
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from plunk.db import is_passing, transaction
from plunk.errors import Conflict, ContactNotFound
from plunk.models import Contact, Execution
from plunk.models.execution import ACTIVE_STATUSES
from plunk.services import cancelling, contacts, deploying, segment_members, tracking
from plunk.services.contacts import ContactChange
from plunk.services.deploying import Bundle
from plunk.services.executions import RunPath
from plunk.services.segment_members import MembersDraft
from plunk.services.tracking import TrackRequest
from tests.proofs.ground import Ground
from tests.proofs.outside import Outside
from tests.proofs.stage import Crash, Stage
from tests.proofs.watching import Watcher
from tests.proofs.wire import Wire
from tests.proofs.workers import LEASE, Worker

PEOPLE = ("ada@example.org", "bob@example.org")
EVENTS = ("go", "again", "paid", "poison")
LENGTHS = (timedelta(seconds=5), timedelta(minutes=2), timedelta(minutes=15), timedelta(hours=1))
OVERLONG = "x" * 400 + "@example.org"
Request = Callable[[Session], object]


@dataclass
class Story:
    """One web server with its customers."""

    ground: Ground
    stage: Stage
    outside: Outside
    watcher: Watcher
    workers: list[Worker]
    told: list[str] = field(default_factory=list)

    def tell(self, length: int) -> None:
        """Do so many things."""
        deeds = (self.track, self.sleep, self.subscribe, self.cancel, self.regroup, self.deploy)
        for _ in range(length):
            (deed,) = self.stage.random.choices(deeds, (14, 5, 3, 2, 2, 1))
            deed()
            self.watcher.look()
            self.stage.baton.rest()

    def track(self) -> None:
        """Somebody does something."""
        (name,) = self.stage.random.choices(EVENTS, (4, 4, 8, 1))
        email = self.stage.random.choice(PEOPLE)
        data = {"sender": OVERLONG} if name == "poison" else None
        request = TrackRequest(name, email, data=data)

        def deed(session: Session) -> object:
            now = self.stage.clock.now()
            done = tracking.track(session, self.ground.project_id, request, trusted=True, now=now)
            self._wire.on_commit = lambda: self.watcher.tracked(name, email, done)
            return done

        self._ask(f"track {name} {email}", deed)

    def sleep(self) -> None:
        """Time passes; a worker that is in the middle of its mail sleeps, too."""
        (length,) = self.stage.random.choices(LENGTHS, (4, 3, 2, 2))
        if length > LEASE / 4:
            self.outside.sleeps([one.wire.name for one in self.workers if one.is_mailing])
        self.stage.clock.advance(length)
        self.told.append(f"sleep {length}")

    def subscribe(self) -> None:
        """Somebody unsubscribes, or subscribes again."""
        email, wanted = self.stage.random.choice(PEOPLE), self.stage.chance(0.4)

        def deed(session: Session) -> None:
            find = select(Contact.id).where(Contact.email == email)
            contact_id = session.scalar(find) or ""
            now, change = self.stage.clock.now(), ContactChange(subscribed=wanted)
            if wanted:  # from the moment of asking, mail is welcome
                self.outside.left_at.pop(email, None)
            contacts.change(session, self.ground.project_id, contact_id, change, now=now)
            if not wanted:
                self._wire.on_commit = lambda: self._left(email)

        self._ask(f"subscribe {email} {wanted}", deed)

    def cancel(self) -> None:
        """Somebody cancels a run."""

        def deed(session: Session) -> None:
            active = select(Execution.workflow_id, Execution.id).where(
                Execution.status.in_(ACTIVE_STATUSES)
            )
            found = session.execute(active.order_by(Execution.id)).all()
            if not found:
                return
            workflow_id, run_id = self.stage.random.choice(found)
            self._wire.on_commit = lambda: self.watcher.cancelled(run_id)
            path, now = RunPath(workflow_id, run_id), self.stage.clock.now()
            cancelling.cancel(session, self.ground.project_id, path, now=now)

        self._ask("cancel", deed)

    def regroup(self) -> None:
        """Somebody puts a contact into the segment, or takes it out."""
        email, project_id = self.stage.random.choice(PEOPLE), self.ground.project_id
        is_member, segment_id = self.stage.chance(0.5), self.ground.segment_id

        def deed(session: Session) -> None:
            now = self.stage.clock.now()
            if is_member:
                draft = MembersDraft([email], create_missing=True)
                segment_members.add(session, project_id, segment_id, draft, now=now)
            else:
                segment_members.remove(session, project_id, segment_id, [email], now=now)

        self._ask(f"regroup {email} {is_member}", deed)

    def deploy(self) -> None:
        """Somebody deploys the other version."""
        policy = "pin" if self.stage.chance(0.3) else "follow"

        def deed(session: Session) -> None:
            bundle, now = Bundle({}, in_flight=policy), self.stage.clock.now()
            deploying.deploy(session, self.ground.project_id, self.ground.edited, bundle, now=now)

        self._ask(f"deploy {policy}", deed)

    @property
    def _wire(self) -> Wire:
        return self.ground.wires["web"]

    def _ask(self, what: str, deed: Request) -> None:
        """Make one request; its process may die, and then nobody knows what became of it."""
        self.told.append(what)
        self._wire.on_commit = lambda: None
        try:
            with suppress(Conflict, ContactNotFound), transaction(self._wire.sessions) as session:
                deed(session)
        except Crash:
            self._wire.cut()
        except OperationalError as error:
            if not is_passing(error):
                raise

    def _left(self, email: str) -> None:
        self.outside.left_at[email] = self.stage.tick
