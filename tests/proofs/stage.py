"""The stage of one story: seed, clock, baton, and the moments at which a process may die."""

from __future__ import annotations

from datetime import datetime, timedelta
from random import Random

from plunk.clock import ManualClock
from tests.proofs.baton import Baton

# How likely a process dies at the moment that a story is fond of, by how often it comes there.
RISKS = {
    "before a statement": 0.03,
    "before a commit": 0.1,
    "after a commit": 0.1,
    "before the provider": 0.4,
    "after the provider": 0.4,
    "before the call": 0.4,
    "after the call": 0.4,
}
ELSEWHERE = 0.004
COMMIT = timedelta(milliseconds=1)


class Crash(BaseException):
    """Stands for kill -9: nothing in the product catches it."""


class Stage:
    """What all parts of a story share. Everything random comes from its one seed.

    `tick` counts commits: it orders what happened in the database.
    """

    def __init__(self, seed: int, start: datetime) -> None:
        self.seed = seed
        self.random = Random(seed)  # noqa: S311 - a seed that can be repeated is the point
        self.clock = ManualClock(start)
        self.baton = Baton(self.random, self.random.choice([0.02, 0.1, 0.3]))
        self.crashes: list[str] = []
        self.tick = 0
        self._crashes_left = self.random.randint(0, 4)
        self._favourite = self.random.choice(list(RISKS))

    def moment(self, who: str, where: str) -> None:
        """Come to a place where a process may die, or somebody else may go on."""
        if not self.baton.is_mine():
            return
        if self._crashes_left and self.random.random() < self._risk(where):
            self._crashes_left -= 1
            self.crashes.append(f"{who} {where}")
            raise Crash
        self.baton.pause()

    def _risk(self, where: str) -> float:
        return RISKS[where] if where == self._favourite else ELSEWHERE

    def committed(self) -> None:
        """Note a commit; it takes time, or else much would be due at once, in any order."""
        self.tick += 1
        self.clock.advance(COMMIT)

    def chance(self, share: float) -> bool:
        """Draw lots."""
        return self.random.random() < share
