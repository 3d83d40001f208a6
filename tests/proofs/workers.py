"""A simulated worker: the product's own loops on a wire that may be cut, restarted when it dies."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Executor, Future
from typing import Any

from plunk.engine.shell.batch import Engine, advance_due
from plunk.engine.shell.hooks import Caller, call_due
from plunk.engine.shell.mail import Mailer, deliver_due
from plunk.engine.shell.revising import Reviser, revise_due
from tests.proofs.outside import LEASE, Outside, PostOffice, Receiver
from tests.proofs.stage import Crash, Stage
from tests.proofs.watching import Watcher
from tests.proofs.wire import Wire

URL = "https://acme.test"
ENDLESS = 40
IDLE = 0.15  # so often a turn is at something that may not be due


class AtOnce(Executor):
    """Runs what it is given in the caller's own thread, so that a seed decides the order."""

    def submit(self, work: Callable[..., Any], /, *args: Any, **named: Any) -> Future[Any]:
        """Return the finished future; a crash goes through."""
        future: Future[Any] = Future()
        future.set_result(work(*args, **named))
        return future


class Worker:
    """One worker process: restarted with nothing but the database whenever it dies."""

    def __init__(self, wire: Wire, stage: Stage, outside: Outside, watcher: Watcher) -> None:
        self.wire, self.stage, self.outside = wire, stage, outside
        self.watcher, self.ground = watcher, watcher.ground
        self.jobs = {"runs": self.advance, "mail": self.deliver, "calls": self.call}
        self.errors: list[Exception] = []
        wire.stage = stage
        wire.on_commit = self._committed
        self.is_mailing = False
        self._start()

    def _start(self) -> None:
        sessions, clock, draw = self.wire.sessions, self.stage.clock, self.stage.random.random
        size = self.stage.random.choice([1, 2, 100])
        post, receiver = PostOffice(self.wire, self.outside), Receiver(self.wire, self.outside)
        self.engine = Engine(sessions, clock, URL, batch_size=size)
        self.mailer = Mailer(sessions, clock, post, URL, draw, chunk=size + 1, lease=LEASE)
        self.caller = Caller(
            sessions,
            clock,
            receiver,
            AtOnce(),
            AtOnce(),
            draw,
            self.ground.seal,
            chunk=size + 1,
            lease=LEASE,
        )
        self.reviser = Reviser()

    def work(self, turns: int) -> None:
        """Take so many turns at what is due, now and then at what is not."""
        for _ in range(turns):
            due = self._due()
            if self.stage.chance(IDLE):
                self._do(self.stage.random.choice([*self.jobs.values(), *[self.revise] * 3]))
            elif due:
                self._do(self.jobs[self.stage.random.choice(due)])
            self.stage.baton.rest()

    def settle(self) -> None:
        """Do everything that is due; what never ends is left to be found."""
        self._do(self.revise)
        for _ in range(ENDLESS):
            if not (due := self._due()):
                return
            for name in due:
                self._do(self.jobs[name])

    def _due(self) -> list[str]:
        return self.ground.due(until=self.stage.clock.now())

    def _do(self, job: Callable[[], object]) -> None:
        """Do one job; one that fails is done again at its next turn, as in the worker's loop."""
        try:
            job()
        except Crash:
            self._die()
        except Exception as error:  # noqa: BLE001 - the loop must outlive whatever happens in it
            self.errors.append(error)

    def advance(self) -> int:
        """Advance due runs."""
        return advance_due(self.engine)

    def deliver(self) -> int:
        """Deliver due mail."""
        self.is_mailing = True
        try:
            return deliver_due(self.mailer)
        finally:
            self.is_mailing = False

    def _committed(self) -> None:
        if self.is_mailing and self.outside.unsettled[self.wire.name]:
            self.watcher.mailed()
        self.outside.recorded(self.wire.name)

    def call(self) -> int:
        """Make due calls."""
        return call_due(self.caller)

    def revise(self) -> int:
        """Bring runs over to the newest revision."""
        return revise_due(self.engine, self.reviser)

    def _die(self) -> None:
        self.outside.lost(self.wire.name)
        self.wire.cut()
        self._start()
