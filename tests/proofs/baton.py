"""One baton for several threads: whoever holds it runs, and a seed says who is next.

Threads give it away between two statements, so a seed decides every interleaving. Who meets a lock
gives it away, too, and tries again when it comes back.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from random import Random

PATIENCE = 12  # fruitless tries in a row, by anybody: then it is a deadlock


class Baton:
    """Passed from thread to thread; `eagerness` is how often somebody pauses of their own will."""

    def __init__(self, random: Random, eagerness: float) -> None:
        self._random = random
        self._eagerness = eagerness
        self._turns: dict[str, threading.Semaphore] = {}
        self._over = threading.Event()
        self._errors: list[BaseException] = []
        self._holder = ""
        self._fruitless = 0

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
            self._switch(sorted(self._turns))

    def rest(self) -> None:
        """Let anybody go on, after a piece of work."""
        self._switch(sorted(self._turns))

    def wait(self) -> bool:
        """Let somebody else go on, because of a lock; False when everybody waits for everybody."""
        self._fruitless += 1
        others = sorted(self._turns.keys() - {self._holder})
        if self._fruitless > PATIENCE or not others:
            self._fruitless = 0
            return False
        self._switch(others)
        return True

    def moved(self) -> None:
        """Note that somebody got on."""
        self._fruitless = 0

    def _run(self, name: str, part: Callable[[], None]) -> None:
        self._turns[name].acquire()
        try:
            part()
        except BaseException as error:  # noqa: BLE001 - raised again by `play`
            self._errors.append(error)
        del self._turns[name]
        if self._turns:
            self._hand_on(sorted(self._turns))
        else:
            self._holder = ""
            self._over.set()

    def _switch(self, whom: list[str]) -> None:
        me = self._holder
        mine = self._turns[me]
        self._hand_on(whom)
        mine.acquire()

    def _hand_on(self, whom: list[str]) -> None:
        self._holder = self._random.choice(whom)
        self._turns[self._holder].release()
