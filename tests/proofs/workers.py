"""A simulated worker: the product's own loops on a wire that may be cut, restarted when it dies."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Executor, Future
from datetime import timedelta
from typing import Any

from plunk.engine.shell.batch import Engine, advance_due
from plunk.engine.shell.hooks import Caller, call_due
from plunk.engine.shell.mail import Mailer, deliver_due
from plunk.engine.shell.revising import Reviser, revise_due
from plunk.security import Seal
from tests.proofs.outside import Outside, PostOffice, Receiver
from tests.proofs.stage import Crash, Stage
from tests.proofs.wire import Wire

URL = "https://acme.test"
LEASE = timedelta(seconds=60)
ENDLESS = 40


class AtOnce(Executor):
    """Runs what it is given in the caller's own thread, so that a seed decides the order."""

    def submit(self, work: Callable[..., Any], /, *args: Any, **named: Any) -> Future[Any]:
        """Return the finished future; a crash goes through."""
        future: Future[Any] = Future()
        future.set_result(work(*args, **named))
        return future


class Worker:
    """One worker process: restarted with nothing but the database whenever it dies."""

    def __init__(self, wire: Wire, stage: Stage, outside: Outside, seal: Seal) -> None:
        self.wire, self.stage, self.outside, self._seal = wire, stage, outside, seal
        self.errors: list[Exception] = []
        self.is_mailing = False
        wire.stage = stage
        wire.on_commit = lambda: outside.recorded(wire.name)
        self._start()

    def _start(self) -> None:
        sessions, clock, draw = self.wire.sessions, self.stage.clock, self.stage.random.random
        size = self.stage.random.choice([1, 2, 100])
        post, receiver = PostOffice(self.wire, self.outside), Receiver(self.wire, self.outside)
        self.engine = Engine(sessions, clock, URL, batch_size=size)
        self.mailer = Mailer(sessions, clock, post, URL, draw, chunk=size + 1, lease=LEASE)
        self.caller = Caller(
            sessions, clock, receiver, AtOnce(), draw, self._seal, chunk=size + 1, lease=LEASE
        )
        self.reviser = Reviser()

    def work(self, turns: int) -> None:
        """Take so many turns at whatever a seed says; a crash costs the turn, never the worker."""
        jobs = (self.advance, self.deliver, self.call, self.revise)
        for _ in range(turns):
            (job,) = self.stage.random.choices(jobs, (6, 4, 3, 1))
            self._do(job)
            self.stage.baton.rest()

    def settle(self, is_due: Callable[[], bool]) -> None:
        """Do everything that is due; what never ends is left to be found."""
        self._do(self.revise)
        for _ in range(ENDLESS):
            if not is_due():
                return
            for job in (self.advance, self.deliver, self.call):
                self._do(job)

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
            self.outside.suspended.discard(self.wire.name)

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
