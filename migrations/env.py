"""Alembic's entry: migrate the database of DATABASE_URL, or the connection handed in."""

from __future__ import annotations

from alembic import context
from sqlalchemy import Connection

import plunk.models  # noqa: F401 - fills Base.metadata
from plunk.config import read_settings
from plunk.db import Base, UtcDateTime
from plunk.migrating import is_made, migration_engine


def plain_type(kind: str, item: object, _context: object) -> str | bool:
    """Write our own column type as the standard one: old migrations need no code of ours."""
    return (
        "sa.DateTime(timezone=True)" if kind == "type" and isinstance(item, UtcDateTime) else False
    )


def run(connection: Connection) -> None:
    """Run the migrations in one transaction."""
    context.configure(
        connection=connection,
        target_metadata=Base.metadata,
        render_as_batch=True,
        render_item=plain_type,
        include_object=lambda item, *_: is_made(connection, item),
    )
    with context.begin_transaction():
        context.run_migrations()


def main() -> None:
    """Use the given connection, or open one."""
    connection = context.config.attributes.get("connection")
    if connection is not None:
        run(connection)
        return
    with migration_engine(read_settings().database_url).connect() as own:
        run(own)
        own.commit()


main()
