"""Who is calling: API keys in the Authorization header."""

from __future__ import annotations

from enum import Enum

from flask import request
from sqlalchemy.orm import Session

from plunk.errors import InvalidApiKey, MissingAuth, ProjectDisabled
from plunk.http.runtime import Caller, runtime
from plunk.services import projects

READING = {"GET", "HEAD", "OPTIONS"}


class Access(Enum):
    """Which credential a route asks for."""

    NONE = "none"
    PUBLIC = "public or secret key"
    SECRET = "secret key"  # noqa: S105 - a description, not a password


def authenticate(session: Session, access: Access, *, trusting: bool = False) -> Caller:
    """Return the project whose key came with the request; the key's kind must fit the route.

    Who is `trusting` takes a key that this process has just seen without asking the database.
    """
    key = _bearer_key(request.headers.get("Authorization"))
    keys = runtime().keys
    found = keys.owner(session, key) if trusting else projects.find_by_key(session, key)
    if found is None or (found.key_kind == "public" and access is Access.SECRET):
        raise InvalidApiKey("The API key is unknown or not allowed here.")
    if found.disabled and request.method not in READING:
        raise ProjectDisabled("This project is disabled; it can be read but not changed.")
    return Caller(found.id, found.name, disabled=found.disabled, key_kind=found.key_kind)


def _bearer_key(header: str | None) -> str:
    parts = (header or "").split(" ")
    if len(parts) != 2 or parts[0] != "Bearer" or not parts[1]:  # noqa: PLR2004 - scheme and key
        raise MissingAuth("The Authorization header must read: Bearer <key>.")
    return parts[1]
