"""Identifiers and keys.

Ids are UUID version 7 (RFC 9562 §5.7): 48 bits of milliseconds, 12 bits of their fraction (§6.2,
method 3), then random bits, so that new rows land at the end of every index. Within a process
each id sorts behind the one made before it. API keys are 32 random bytes behind a readable prefix.
"""

from __future__ import annotations

import os
import re
import secrets
import time
import uuid
from datetime import datetime
from threading import Lock

NANOSECONDS = 1_000_000  # in a millisecond
FRACTIONS = 1 << 12  # of a millisecond
RANDOM_BITS, VARIANT = (1 << 62) - 1, 0b10 << 62  # of the lower half
NO_ID = "00000000-0000-0000-0000-000000000000"  # RFC 9562 §5.9; no row has it


class _Moments:
    """The time in fractions of a millisecond, never the same twice and never backwards."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._last = 0

    def next(self) -> int:
        """Return a number greater than every one before."""
        moment = time.time_ns() * FRACTIONS // NANOSECONDS
        with self._lock:
            self._last = max(moment, self._last + 1)
            return self._last


_moments = _Moments()


def new_id() -> str:
    """Return a new time-ordered UUID in its 36-character form."""
    moment = f"{_moments.next():015x}"  # twelve digits of milliseconds, three of their fraction
    chance = int.from_bytes(os.urandom(8)) & RANDOM_BITS | VARIANT
    random = f"{chance:016x}"
    return f"{moment[:8]}-{moment[8:12]}-7{moment[12:]}-{random[:4]}-{random[4:]}"


def first_id(at: datetime) -> str:
    """Return the id that sorts before all that are made from this instant on."""
    return str(uuid.UUID(int=(int(at.timestamp() * 1_000) << 80) | 0x7 << 76 | 0x2 << 62))


def parse_id(text: str) -> str | None:
    """Return the canonical form of a UUID, or None when the text is not one."""
    try:
        value = uuid.UUID(text)
    except ValueError:
        return None
    return str(value) if len(text) == len(str(value)) else None


def slug(name: str) -> str:
    """Return the name as part of an event's name: ASCII words with hyphens, others vanish."""
    plain = re.sub(r"[^a-z0-9_\s-]", "", name.lower().strip())
    return re.sub(r"-+", "-", re.sub(r"\s+", "-", plain)).strip("-")


def new_key(prefix: str) -> str:
    """Return a fresh API key such as `sk_<64 hex digits>`."""
    return f"{prefix}_{secrets.token_hex(32)}"
