"""A hand in the database that no constraint holds back."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from sqlalchemy import CheckConstraint, Connection, Update
from sqlalchemy.schema import AddConstraint, DropConstraint

from plunk.db import Base, table_of
from plunk.models import Email, Execution, WebhookCall
from tests.conftest import Backend

IGNORE = "PRAGMA ignore_check_constraints = {}"
CHECKED = [
    constraint
    for table in (Execution, Email, WebhookCall)
    for constraint in table_of(table).constraints
    if isinstance(constraint, CheckConstraint)
    and str(constraint.name).endswith(("parked_has_wake", "waiting_has_deadline"))
]


@pytest.fixture
def hurt(empty: Backend) -> Iterator[Callable[[Update], None]]:
    """Return a function that changes rows without any check of them."""
    is_sqlite = empty.engine.dialect.name == "sqlite"

    def change(statement: Update) -> None:
        with empty.engine.connect() as connection:
            if is_sqlite:
                connection.connection.driver_connection.execute(IGNORE.format("ON"))
            connection.execute(statement)
            connection.commit()
            if is_sqlite:
                connection.connection.driver_connection.execute(IGNORE.format("OFF"))

    if not is_sqlite:
        with empty.engine.begin() as connection:
            for constraint in CHECKED:
                connection.execute(DropConstraint(constraint))
    yield change
    if not is_sqlite:
        with empty.engine.begin() as connection:
            clear(connection)
            for constraint in CHECKED:
                connection.execute(AddConstraint(constraint))


def clear(connection: Connection) -> None:
    for table in reversed(Base.metadata.sorted_tables):
        connection.execute(table.delete())
