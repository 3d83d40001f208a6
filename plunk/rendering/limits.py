"""What one rendering may cost; a template that costs more is filled in plainly instead."""

from __future__ import annotations

import time
from collections.abc import Collection
from io import StringIO

from liquid.exceptions import ResourceLimitError

MAX_SOURCE = 2_000_000
MAX_EXPRESSION = 10_000
MAX_DELIMITERS = 20_000
MAX_OUTPUT = 10_000_000
MAX_LOCALS = 10_000_000
MAX_STRING = 1_000_000
MAX_ITEMS = 100_000
MAX_LOOPS = 100_000
MAX_NUMBER = 10**300
MAX_SECONDS = 1.0

_TICKS_PER_LOOK = 64


class TooExpensive(ResourceLimitError):
    """The template needs more loops, text, memory or time than it gets."""

    def __init__(self, what: str) -> None:
        super().__init__(f"the template needs too much {what}", token=None)


class Budget:
    """Counts down what one rendering has left, and raises TooExpensive when it is spent.

    Its time begins with the first look at the clock, which small templates never take: asking for
    the time of a thread costs more than filling them in.
    """

    def __init__(self) -> None:
        self._characters = MAX_OUTPUT
        self._loops = MAX_LOOPS
        self._ticks = 0
        self._deadline: float | None = None

    def write(self, characters: int) -> None:
        """Pay for output, captured text included."""
        self._characters -= characters
        if self._characters < 0:
            raise TooExpensive("output")
        self.tick()

    def loop(self) -> None:
        """Pay for one turn of a loop; turns of all loops add up."""
        self._loops -= 1
        if self._loops < 0:
            raise TooExpensive("looping")
        self.tick()

    def tick(self) -> None:
        """Look at the clock now and then; for steps that are cheap one by one."""
        self._ticks += 1
        if self._ticks % _TICKS_PER_LOOK == 0:
            self.check_time()

    def check_time(self) -> None:
        """Look at the clock."""
        now = time.thread_time()  # a busy machine must not change what a mail says
        if self._deadline is None:
            self._deadline = now + MAX_SECONDS
        elif now > self._deadline:
            raise TooExpensive("time")


class Buffer(StringIO):
    """Output that is paid for as it is written."""

    def __init__(self, budget: Budget) -> None:
        super().__init__(newline="")
        self._budget = budget

    def write(self, text: str, /) -> int:
        """Write, or raise TooExpensive."""
        self._budget.write(len(text))
        return super().write(text)


def check_size(value: object) -> int:
    """Return a value's weight, all it contains included; refuse one that is too heavy."""
    items, characters, waiting = 0, 0, [value]
    while waiting:
        inside, length = _open(waiting.pop())
        items += 1 + len(inside)
        characters += length
        if items > MAX_ITEMS:
            raise TooExpensive("memory for one array")
        if characters > MAX_STRING:
            raise TooExpensive("text in one value")
        waiting.extend(inside)
    return items + characters


def _open(value: object) -> tuple[Collection[object], int]:
    """Return what a value contains, and its own length as text."""
    match value:
        case str():
            return (), len(value)
        case list() | tuple():
            return value, 0
        case dict():
            return value.values(), 0
        case range() if value.stop - value.start > MAX_ITEMS:  # len() of a huge range overflows
            raise TooExpensive("memory for one array")
        case int() if not -MAX_NUMBER < value < MAX_NUMBER:
            raise TooExpensive("memory for one number")
    return (), 0
