"""Secrets: stored sealed, put into web hooks at the moment of sending, and never shown again."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Select, delete, func, select
from sqlalchemy.orm import Session

from plunk.db import insert_ignoring
from plunk.errors import BadRequest, FieldProblem, Invalid, NotFound
from plunk.ids import new_id
from plunk.models import Secret
from plunk.security import Seal

NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,99}\Z")
MAX_VALUE = 8_192
MAX_SECRETS = 500


@dataclass(frozen=True, slots=True)
class SecretValue:
    """What to keep under a name."""

    value: str


def save(
    session: Session, project_id: str, name: str, wanted: SecretValue, *, seal: Seal, now: datetime
) -> tuple[Secret, bool]:
    """Store or replace a secret; tell whether it is new. Invalid when the name cannot be one."""
    if not NAME.match(name):
        message = "A name has up to 100 letters, digits and underscores, and no digit in front"
        raise Invalid([FieldProblem("name", message, "invalid_string")])
    sealed = seal.close(wanted.value)
    created = _create(session, project_id, name, sealed, now)
    if created is not None:
        _refuse_too_many(session, project_id)
        return created, True
    secret = session.scalars(_named(project_id, name).with_for_update()).one_or_none()
    if secret is None:
        raise BadRequest("The secret was deleted at the same time; try again.")
    secret.sealed, secret.updated_at = sealed, now
    session.flush()
    return secret, False


def listed(session: Session, project_id: str) -> Sequence[Secret]:
    """Return the project's secrets by name; their values stay sealed."""
    return session.scalars(
        select(Secret).where(Secret.project_id == project_id).order_by(Secret.name)
    ).all()


def remove(session: Session, project_id: str, name: str) -> None:
    """Delete a secret; NotFound when the project has none of this name."""
    named = (Secret.project_id == project_id) & (Secret.name == name)
    if (
        not NAME.match(name)
        or not session.scalars(delete(Secret).where(named).returning(Secret.id)).all()
    ):
        raise NotFound(name, resource="Secret")


def opened(
    session: Session, project_id: str, names: Collection[str], *, seal: Seal
) -> dict[str, str]:
    """Return the values of these secrets; a name the project does not have is left out."""
    if not names:
        return {}
    rows = session.execute(
        select(Secret.name, Secret.sealed).where(
            Secret.project_id == project_id, Secret.name.in_(sorted(names))
        )
    )
    return {row.name: seal.open(row.sealed) for row in rows}


def _create(
    session: Session, project_id: str, name: str, sealed: str, now: datetime
) -> Secret | None:
    row = {
        "id": new_id(),
        "project_id": project_id,
        "name": name,
        "sealed": sealed,
        "created_at": now,
        "updated_at": now,
    }
    statement = insert_ignoring(session, Secret, ["project_id", "name"])
    return session.scalars(statement.returning(Secret), [row]).one_or_none()


def _refuse_too_many(session: Session, project_id: str) -> None:
    count = session.scalar(select(func.count()).where(Secret.project_id == project_id)) or 0
    if count > MAX_SECRETS:
        raise BadRequest(f"A project keeps at most {MAX_SECRETS} secrets.")


def _named(project_id: str, name: str) -> Select[Secret]:
    return select(Secret).where(Secret.project_id == project_id, Secret.name == name)
