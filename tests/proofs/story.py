"""The web's side of a story: what customers do, and what they were told became of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
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
from plunk.services import batches, cancelling, contacts, deploying, segment_members, tracking
from plunk.services.contacts import ContactChange
from plunk.services.deploying import Bundle
from plunk.services.executions import RunPath
from plunk.services.segment_members import MembersDraft
from plunk.services.tracking import Tracked, TrackRequest
from tests.proofs.ground import Ground
from tests.proofs.outside import Outside
from tests.proofs.stage import Crash, Stage
from tests.proofs.watching import Watcher
from tests.proofs.wire import Wire
from tests.proofs.workers import Worker

PEOPLE = ("ada@example.org", "bob@example.org")
EVENTS = ("go", "again", "paid", "enough", "poison")
LENGTHS = (timedelta(seconds=5), timedelta(minutes=2), timedelta(minutes=15), timedelta(hours=1))
OVERLONG = "x" * 400 + "@example.org"
MOST_TOLD = 200
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
    number: int = 0  # of the latest event with data

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
        requests = [self._something(PEOPLE)]
        if self.stage.chance(0.3):  # a batch, most of it of the same person
            whom = [requests[0].email] if self.stage.chance(0.8) else PEOPLE
            requests.append(self._something(whom))

        def deed(session: Session) -> None:
            now, project_id = self.stage.clock.now(), self.ground.project_id
            for one in requests:
                self._welcome(one.email, wanted=one.subscribed)
            if len(requests) == 1:
                done = [tracking.track(session, project_id, requests[0], trusted=True, now=now)]
            else:
                done = batches.track_all(session, project_id, requests, trusted=True, now=now)
            self._wire.on_commit = lambda: self._tracked(requests, done)

        self._ask(f"track {requests}"[:MOST_TOLD], deed)

    def sleep(self) -> None:
        """Time passes, whatever the workers are in the middle of."""
        (length,) = self.stage.random.choices(LENGTHS, (4, 3, 2, 2))
        self.stage.sleep(length)
        self.told.append(f"sleep {length}")

    def subscribe(self) -> None:
        """Somebody unsubscribes, or subscribes again, and may tell something with it."""
        email, wanted = self.stage.random.choice(PEOPLE), self.stage.chance(0.4)
        news = self._news() if self.stage.chance(0.5) else {}

        def deed(session: Session) -> None:
            find = select(Contact.id).where(Contact.email == email)
            contact_id = session.scalar(find) or ""
            now = self.stage.clock.now()
            change = ContactChange(subscribed=wanted, data=news)
            self._welcome(email, wanted=wanted)
            contacts.change(session, self.ground.project_id, contact_id, change, now=now)
            self._wire.on_commit = lambda: self._edited(email, news, wanted=wanted)

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

    def _news(self) -> dict[str, object]:
        """Return data under a key of its own and one that all share."""
        self.number += 1
        news: dict[str, object] = {"latest": self.number, f"number{self.number}": self.number}
        if self.stage.chance(0.3):
            news["isVip"] = self.stage.chance(0.6)
        return news

    def _something(self, people: Sequence[str]) -> TrackRequest:
        """Return an event of one of them; most carry data."""
        random = self.stage.random
        (name,) = random.choices(EVENTS, (4, 6, 10, 1, 1))
        data: dict[str, object] = {}
        if self.stage.chance(0.7):
            data = self._news()
        if name == "poison":
            data["sender"] = OVERLONG
        (subscribed,) = random.choices((None, True, False), (18, 1, 1))
        return TrackRequest(name, random.choice(people), subscribed, data or None)

    def _tracked(self, requests: list[TrackRequest], done: list[Tracked]) -> None:
        for request in requests:
            self._chosen(request.email, wanted=request.subscribed)
        self.watcher.tracked(list(zip(requests, done, strict=True)))

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

    def _welcome(self, email: str, *, wanted: bool | None) -> None:
        if wanted:  # from the moment of asking, mail is welcome
            self.outside.left_at.pop(email, None)

    def _edited(self, email: str, news: dict[str, object], *, wanted: bool) -> None:
        self.watcher.merged[email].update(news)
        self._chosen(email, wanted=wanted)

    def _chosen(self, email: str, *, wanted: bool | None) -> None:
        if wanted is not None:
            self.watcher.choices[email] = wanted
        if wanted is False:
            self.outside.left_at[email] = self.stage.tick
        elif wanted:
            self.outside.left_at.pop(email, None)
