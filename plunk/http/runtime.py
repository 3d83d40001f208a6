"""What a running application holds besides Flask itself."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from flask import current_app
from sqlalchemy import Connection
from sqlalchemy.orm import Session

from plunk.clock import Clock
from plunk.config import Settings
from plunk.http.gathering import Gatherer
from plunk.http.keys import KeyCache
from plunk.http.limits import Limiter
from plunk.security import Seal

KEY = "plunk"


@dataclass(frozen=True, slots=True)
class Runtime:
    """The application's settings and its seams to the outside.

    `is_behind` tells whether the database at a connection lacks tables that this version needs.
    """

    settings: Settings
    clock: Clock
    seal: Seal
    limiter: Limiter | None
    keys: KeyCache
    gatherer: Gatherer
    is_behind: Callable[[Connection], bool]


@dataclass(frozen=True, slots=True)
class Caller:
    """The project behind a request's key, and which of its keys was used."""

    id: str
    name: str
    disabled: bool
    key_kind: str


@dataclass(frozen=True, slots=True)
class Call:
    """One authenticated request: its transaction, its project and its time."""

    session: Session
    project: Caller
    now: datetime
    settings: Settings


def runtime() -> Runtime:
    """Return the running application's own parts."""
    found = current_app.extensions[KEY]
    if not isinstance(found, Runtime):  # create_app puts it there
        raise TypeError(KEY)
    return found
