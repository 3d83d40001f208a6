"""One baton for several threads: whoever holds it runs, and a seed says who is next.

Threads give it away between two statements, so a seed decides every interleaving. Who meets a lock
gives it away, too, and tries again when somebody has got on. When nobody can, it is a deadlock.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from random import Random

PATIENCE = 40  # tries when everybody waits: a server may still be ending what was cut off
NAP_SECONDS = 0.03


class Baton:
    """Passed from thread to thread; `eagerness` is how often somebody pauses of their own will.

    `deadlocks` are what all the threads waited with when none of them could get on.
    """

    def __init__(self, random: Random, eagerness: float) -> None:
        self._random = random
        self._eagerness = eagerness
        self._turns: dict[str, threading.Semaphore] = {}
        self._over = threading.Event()
        self._errors: list[BaseException] = []
        self._holder = ""
        self._stopped: dict[str, int] = {}
        self._stuck: dict[str, str] = {}
        self._naps = 0
        self.deadlocks: list[dict[str, str]] = []

    def play(self, parts: Mapping[str, Callable[[], None]]) -> None:
        """Run all parts to their ends, one at a time; raise what one of them raised."""
        self._turns = {name: threading.Semaphore(0) for name in parts}
        threads = [
            threading.Thread(target=self._run, args=(name, part), name=name, daemon=True)
            for name, part in parts.items()
        ]
        for thread in threads:
            thread.start()
        self._hand_on(sorted(parts))
        self._over.wait()
        for thread in threads:
            thread.join()
        if self._errors:
            raise self._errors[0]

    def is_mine(self) -> bool:
        """Tell whether this thread holds the baton; nobody does before and after the play."""
        return threading.current_thread().name == self._holder

    def pause(self) -> None:
        """Let somebody else go on, now and then."""
        if self._random.random() < self._eagerness:
            self.rest()

    def rest(self) -> None:
        """Let anybody go on, after a piece of work."""
        self.moved()
        self._switch(sorted(self._turns))

    def stop(self, turns: int) -> None:
        """Let others go on for so many turns, as long as they can."""
        self.moved()
        self._stopped[self._holder] = turns
        self._switch(sorted(self._turns))

    def wait(self, what: str) -> bool:
        """Let somebody else go on, because of a lock; False when everybody waits for everybody."""
        self._stuck[self._holder] = what
        free = self._turns.keys() - self._stuck.keys()
        if not free:
            if self._naps == PATIENCE:
                self.deadlocks.append(dict(self._stuck))
                self.moved()
                return False
            self._naps += 1
            time.sleep(NAP_SECONDS)
        self._switch(sorted(free or self._turns))
        return True

    def moved(self) -> None:
        """Note that somebody got on: whoever waits may try again."""
        self._stuck.clear()
        self._naps = 0

    def _run(self, name: str, part: Callable[[], None]) -> None:
        self._turns[name].acquire()
        try:
            part()
        except BaseException as error:  # noqa: BLE001 - raised again by `play`
            self._errors.append(error)
        self.moved()
        del self._turns[name]
        if self._turns:
            self._hand_on(sorted(self._turns))
        else:
            self._holder = ""
            self._over.set()

    def _switch(self, whom: list[str]) -> None:
        mine = self._turns[self._holder]
        self._hand_on(whom)
        mine.acquire()

    def _hand_on(self, whom: list[str]) -> None:
        self._holder = self._random.choice(
            [one for one in whom if one not in self._stopped] or whom
        )
        left = {name: turns - 1 for name, turns in self._stopped.items() if turns > 1}
        self._stopped = {name: turns for name, turns in left.items() if name != self._holder}
        self._turns[self._holder].release()
