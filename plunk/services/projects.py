"""Projects: creating them and finding them by their keys."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Column, Select, bindparam, select
from sqlalchemy.orm import Session

from plunk.db import table_of
from plunk.errors import BadRequest
from plunk.ids import new_key
from plunk.models import Project
from plunk.security import Seal, key_hash

MAX_NAME = 100


@dataclass(frozen=True, slots=True)
class NewProject:
    """A project that was just created, with its keys in the clear for this one time."""

    id: str
    name: str
    public: str
    secret: str


@dataclass(frozen=True, slots=True)
class KeyOwner:
    """The project a key belongs to; `key_kind` is `public` or `secret`."""

    id: str
    name: str
    disabled: bool
    key_kind: str


def create(session: Session, name: str, *, seal: Seal, now: datetime) -> NewProject:
    """Create a project with a fresh pair of keys; BadRequest for an empty or overlong name."""
    title = name.strip()
    if not 1 <= len(title) <= MAX_NAME or not title.isprintable():
        raise BadRequest(f"A project's name has 1 to {MAX_NAME} printable characters.")
    public, secret = new_key("pk"), new_key("sk")
    project = Project(
        name=title,
        public_hash=key_hash(public),
        secret_hash=key_hash(secret),
        public_sealed=seal.close(public),
        secret_sealed=seal.close(secret),
        created_at=now,
        updated_at=now,
    )
    session.add(project)
    session.flush()
    return NewProject(project.id, title, public, secret)


def find_by_name(session: Session, name: str, *, seal: Seal) -> NewProject | None:
    """Return the oldest project of this name with its keys in the clear, or None."""
    found = session.scalars(
        select(Project).where(Project.name == name).order_by(Project.created_at, Project.id)
    ).first()
    if found is None:
        return None
    public, secret = seal.open(found.public_sealed), seal.open(found.secret_sealed)
    return NewProject(found.id, found.name, public, secret)


def find_by_key(session: Session, key: str) -> KeyOwner | None:
    """Return the project that has this key, or None."""
    kind = "public" if key.startswith("pk_") else "secret"
    row = session.connection().execute(FIND[kind], {"digest": key_hash(key)}).one_or_none()
    if row is None:
        return None
    return KeyOwner(row.id, row.name, disabled=row.disabled, key_kind=kind)


def _finding(column: Column[Any]) -> Select[str, str, bool]:
    table = table_of(Project)
    return select(table.c.id, table.c.name, table.c.disabled).where(column == bindparam("digest"))


# Built once: every request runs one of them.
FIND = {
    "public": _finding(table_of(Project).c.public_hash),
    "secret": _finding(table_of(Project).c.secret_hash),
}
