"""Waiting for something that another process does."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

from plunk.errors import PlunkError

Found = TypeVar("Found")
LOOK_SECONDS = 0.05


class TookTooLong(PlunkError):
    """Something that had to happen did not happen in time."""


def wait_for(
    find: Callable[[], Found | None], what: str, *, seconds: float, look: float = LOOK_SECONDS
) -> Found:
    """Return what `find` finds as soon as it is true; TookTooLong names what did not come."""
    deadline = time.monotonic() + seconds
    while not (found := find()):
        if time.monotonic() > deadline:
            raise TookTooLong(f"{what} did not happen within {seconds:g} s.")
        time.sleep(look)
    return found
