"""The stage of one story: seed, clock, baton, and the moments at which processes die or stop."""

from __future__ import annotations

from collections.abc import Callable
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
STOPS = {moment: min(3 * risk, 0.6) for moment, risk in RISKS.items()}
ELSEWHERE = 0.004
COMMIT = timedelta(milliseconds=1)
STOPPED = timedelta(minutes=2)


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
        self.baton = Baton(self.random, self.random.choice([0.05, 0.2, 0.5]))
        self.on_sleep: Callable[[], None] = lambda: None
        self.troubles: list[str] = []  # who died or stopped, and where
        self.tick = 0
        self._crashes_left = self.random.randint(0, 4)
        self._stops_left = self.random.randint(0, 6)
        self._crashes_at = self.random.choice(list(RISKS))
        (self._stops_at,) = self.random.choices(list(RISKS), (2, 2, 1, 2, 2, 3, 3))

    def moment(self, who: str, where: str) -> None:
        """Come to a place where a process may die or stop, or somebody else may go on."""
        if not self.baton.is_mine():
            return
        if self._crashes_left and self.chance(
            RISKS[where] if where == self._crashes_at else ELSEWHERE
        ):
            self._crashes_left -= 1
            self.troubles.append(f"{who} dies {where}")
            raise Crash
        if self._stops_left and self.chance(STOPS[where] if where == self._stops_at else ELSEWHERE):
            self._stops_left -= 1
            self._stop(f"{who} stops {where}")
        self.baton.pause()

    def sleep(self, length: timedelta) -> None:
        """Let time pass."""
        self.clock.advance(length)
        self.on_sleep()

    def _stop(self, told: str) -> None:
        """Let a process stand still for a while; it may be a long while."""
        turns, is_long = self.random.randint(5, 40), self.chance(0.5)
        self.troubles.append(f"{told} for {turns} turns{' and minutes' if is_long else ''}")
        if is_long:
            self.sleep(STOPPED)
        self.baton.stop(turns)

    def committed(self) -> None:
        """Note a commit; it takes time, or else much would be due at once, in any order."""
        self.tick += 1
        self.clock.advance(COMMIT)

    def chance(self, share: float) -> bool:
        """Draw lots."""
        return self.random.random() < share
