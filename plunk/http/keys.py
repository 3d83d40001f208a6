"""API keys that this process has just seen, so that not every request has to ask for its own."""

from __future__ import annotations

import time

from sqlalchemy.orm import Session

from plunk.db import begin_reading
from plunk.security import key_hash
from plunk.services import projects
from plunk.services.projects import KeyOwner

MOST_KEYS = 10_000


class KeyCache:
    """Whose key is whose, for a moment: a key that was withdrawn works so much longer."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._known: dict[str, tuple[float, KeyOwner]] = {}

    def owner(self, session: Session, key: str) -> KeyOwner | None:
        """Return the project that has the key, or None; no transaction is open afterwards."""
        now, digest = time.monotonic(), key_hash(key)
        until, owner = self._known.get(digest, (0.0, None))
        if owner is not None and now < until:
            return owner
        begin_reading(session)
        owner = projects.find_by_key(session, key)
        session.rollback()
        if owner is not None and self._seconds:
            if len(self._known) >= MOST_KEYS:
                self._known.clear()
            self._known[digest] = (now + self._seconds, owner)
        return owner
