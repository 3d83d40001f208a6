"""The database: the declarative base, portable column types, engines and transactions.

SQLite runs in WAL mode. A transaction there takes the write lock when it begins, because a read
that turns into a write fails at once in WAL, whatever the busy time-out; only transactions opened
by `begin_reading` start without it.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import orjson
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import (
    JSON,
    Connection,
    DateTime,
    Dialect,
    Engine,
    MetaData,
    String,
    Table,
    TypeDecorator,
    Uuid,
    create_engine,
    event,
    func,
    select,
    text,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.engine import make_url
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.orm import DeclarativeBase, Session, sessionmaker
from sqlalchemy.pool import ConnectionPoolEntry

from plunk.clock import SystemClock
from plunk.conditions.sql.functions import FUNCTIONS

NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}
SQLITE_BUSY_SECONDS = 30
ONLY_JSON = orjson.OPT_PASSTHROUGH_DATETIME | orjson.OPT_PASSTHROUGH_DATACLASS
READ_ONLY = "plunk_read_only"
# A host that is cut off must neither wait for hours nor hold locks for hours. Its own side gives up
# after half a minute without an answer; the server ends what it left open after a minute.
POSTGRES_PATIENCE = {
    "connect_timeout": "10",
    "tcp_user_timeout": "30000",
    "keepalives_idle": "15",
    "keepalives_interval": "5",
    "keepalives_count": "3",
}
IDLE_IN_TRANSACTION = "60s"
# Nobody waits longer than this for an answer over HTTP; the thread is needed by others.
HTTP_PATIENCE = {"statement_timeout": "15s", "lock_timeout": "5s"}
# PostgreSQL: connection, "read only" (a server that was not promoted yet), rollback, resources
# (a full disk), lock not available, statement cancelled, shutdown, system.
PASSING_STATES = ("08", "25006", "40", "53", "55P03", "57014", "57P0", "58")
PASSING_CODES = frozenset(
    {
        sqlite3.SQLITE_BUSY,
        sqlite3.SQLITE_LOCKED,
        sqlite3.SQLITE_NOMEM,
        sqlite3.SQLITE_READONLY,
        sqlite3.SQLITE_IOERR,
        sqlite3.SQLITE_FULL,
        sqlite3.SQLITE_CANTOPEN,
        sqlite3.SQLITE_PROTOCOL,
    }
)
PRIMARY = 0xFF  # the part of SQLite's extended codes that says what kind it is
COSTLY_STATES = ("53200", "57014")  # out of memory, cancelled
LOCK_STATE = "55P03"
ROLLED_BACK_STATES = ("40P01", "40001")  # deadlock, serialization failure


class UtcDateTime(TypeDecorator[datetime]):
    """An aware UTC instant; SQLite, which knows no zones, stores it without one (I12)."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Return the instant as the driver stores it."""
        if value is None or dialect.name != "sqlite":
            return value
        return value.astimezone(UTC).replace(tzinfo=None)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Return the stored instant as aware UTC."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if dialect.name == "sqlite" else value.astimezone(UTC)


Id = Uuid(as_uuid=False).with_variant(String(36), "sqlite")
Json = JSON(none_as_null=True).with_variant(JSONB(none_as_null=True), "postgresql")


class Base(DeclarativeBase):
    """The base of every table."""

    metadata = MetaData(naming_convention=NAMING)
    type_annotation_map = {datetime: UtcDateTime}  # noqa: RUF012 - SQLAlchemy reads it as a class attribute


# Answers are shaped after the commit, from rows as they were then; nothing is read again.
db = SQLAlchemy(metadata=Base.metadata, session_options={"expire_on_commit": False})


def engine_options(url: str) -> dict[str, Any]:
    """Return the options every engine on this URL is made with."""
    # Errors are logged: what somebody sent must not be in them.
    common: dict[str, Any] = {"json_serializer": dump_json, "hide_parameters": True}
    if url.startswith("sqlite"):
        common["connect_args"] = {"timeout": SQLITE_BUSY_SECONDS}
    elif url.startswith("postgresql"):
        own = make_url(url).query  # what the operator wrote into the URL counts
        common["connect_args"] = {
            name: value for name, value in POSTGRES_PATIENCE.items() if name not in own
        }
    return common


def dump_json(value: object) -> str:
    """Return the compact JSON text that JSON columns store; NaN and infinities become null."""
    try:
        return orjson.dumps(value, option=ONLY_JSON).decode()
    except TypeError:  # integers of more than 64 bits, which expressions may have computed
        return json.dumps(value, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def open_engine(url: str, **options: Any) -> Engine:  # noqa: ANN401 - SQLAlchemy's own keywords
    """Return an engine outside Flask, for the worker, the command line and migrations."""
    return create_engine(url, **{**engine_options(url), **options})


def answer_soon(engine: Engine) -> None:
    """Let statements on this engine end after some seconds: a request gets an answer, a 503.

    What the operator wrote into the URL's `options` counts.
    """
    if engine.dialect.name != "postgresql" or "options" in engine.url.query:
        return

    def prepare(connection: DBAPIConnection, _record: ConnectionPoolEntry) -> None:
        cursor = connection.cursor()
        for name, limit in HTTP_PATIENCE.items():
            cursor.execute(f"SET {name} = '{limit}'")
        cursor.close()
        connection.commit()

    event.listen(engine, "connect", prepare)


def take_time(session: Session) -> None:
    """Let this transaction's statements last: what they do grows with what somebody has stored."""
    if is_postgres(session):
        session.execute(text("SET LOCAL statement_timeout = 0"))


def session_factory(engine: Engine) -> sessionmaker[Session]:
    """Return a maker of sessions for code that runs outside a request."""
    return sessionmaker(engine, expire_on_commit=False)


@contextmanager
def transaction(sessions: sessionmaker[Session]) -> Iterator[Session]:
    """Open one session and one transaction; commit at the end, roll back on any exception."""
    with sessions() as session, session.begin():
        yield session


def table_of(model: type[Base]) -> Table:
    """Return the table behind a model, for statements on many rows at once."""
    table = model.__table__
    if not isinstance(table, Table):  # only a mapped join or subquery would be something else
        raise TypeError(model)
    return table


def begin_reading(session: Session) -> None:
    """Start this session's transaction without SQLite's write lock; it must not write."""
    session.connection(execution_options={READ_ONLY: True})


def is_postgres(session: Session) -> bool:
    """Tell whether the session talks to PostgreSQL."""
    return session.get_bind().dialect.name == "postgresql"


def insert_ignoring(
    session: Session, table: type[Base], unique: Sequence[str]
) -> sqlite.Insert | postgresql.Insert:
    """Return an INSERT that skips rows whose unique columns are already taken."""
    if is_postgres(session):
        return postgresql.insert(table).on_conflict_do_nothing(index_elements=unique)
    return sqlite.insert(table).on_conflict_do_nothing(index_elements=unique)


def is_passing(error: Exception) -> bool:
    """Tell whether an error will go away by itself: a lock, a deadlock, a restart, a full disk.

    Others (a statement that is too large, a value that does not fit) would come back for ever.
    """
    if isinstance(error, PoolTimeout):
        return True
    if not isinstance(error, DBAPIError):
        return False
    if error.connection_invalidated:
        return True  # whatever the driver calls it: of a transaction left open, an internal error
    if isinstance(error.orig, sqlite3.OperationalError):
        code = getattr(error.orig, "sqlite_errorcode", sqlite3.SQLITE_BUSY)
        return code & PRIMARY in PASSING_CODES
    if (state := _state(error)) is not None:
        return state.startswith(PASSING_STATES)
    return isinstance(error, OperationalError)  # no answer at all


def is_costly(error: Exception) -> bool:
    """Tell whether a statement took too long or too much memory: it passes, if others do less."""
    return _state(error) in COSTLY_STATES


def is_undone(error: Exception) -> bool:
    """Tell whether the same may work at once: the connection was dead before, or it was a deadlock.

    Not for errors of a commit, which may have been done.
    """
    was_dead = isinstance(error, DBAPIError) and error.connection_invalidated
    return was_dead or _state(error) in ROLLED_BACK_STATES


def is_locked(error: Exception) -> bool:
    """Tell whether somebody else held a row for longer than we wait, on PostgreSQL."""
    return _state(error) == LOCK_STATE


def _state(error: Exception) -> str | None:
    """Return the five characters by which PostgreSQL names an error."""
    state: str | None = getattr(getattr(error, "orig", None), "sqlstate", None)
    return state


class InDoubt(Exception):
    """A commit failed, for the `cause`: nobody knows whether it was done."""

    def __init__(self, cause: Exception) -> None:
        super().__init__(str(cause))
        self.cause = cause


def commit(session: Session) -> None:
    """Commit; raise InDoubt when that fails."""
    try:
        session.commit()
    except Exception as error:
        raise InDoubt(error) from error


def database_now(engine: Engine) -> datetime:
    """Return the database's own time, which all processes around it share."""
    if engine.dialect.name == "sqlite":
        return SystemClock().now()  # embedded: the database's time is this machine's
    try:
        return _postgres_now(engine)
    except DBAPIError as error:
        if not error.connection_invalidated:
            raise
        return _postgres_now(engine)  # the pool has forgotten its dead connections by now


def _postgres_now(engine: Engine) -> datetime:
    with engine.connect() as connection:
        now: datetime = connection.scalars(select(func.clock_timestamp(type_=UtcDateTime))).one()
        return now


@event.listens_for(Engine, "connect")
def _prepare_sqlite(connection: DBAPIConnection, _record: ConnectionPoolEntry) -> None:
    if type(connection).__module__.partition(".")[0] != "sqlite3":
        return
    connection.isolation_level = None  # we begin transactions ourselves
    cursor = connection.cursor()
    cursor.execute(f"PRAGMA busy_timeout = {SQLITE_BUSY_SECONDS * 1000}")
    cursor.execute("PRAGMA journal_mode = WAL")
    # FULL: a commit that was answered survives a power failure (I1); NORMAL may lose the last ones
    cursor.execute("PRAGMA synchronous = FULL")
    cursor.execute("PRAGMA foreign_keys = ON")
    cursor.close()
    for name, (arguments, function) in FUNCTIONS.items():
        connection.create_function(name, arguments, function, deterministic=True)


@event.listens_for(Engine, "connect")
def _prepare_postgres(connection: DBAPIConnection, _record: ConnectionPoolEntry) -> None:
    """Read ids as the texts they are here, and leave no transaction open for ever.

    Making UUID objects of ids and undoing them takes its time.
    """
    if type(connection).__module__.partition(".")[0] != "psycopg":
        return
    adapters = connection.adapters
    as_text = adapters.get_loader(adapters.types["text"].oid, 0)
    adapters.register_loader("uuid", as_text)
    cursor = connection.cursor()
    cursor.execute(f"SET idle_in_transaction_session_timeout = '{IDLE_IN_TRANSACTION}'")
    cursor.close()
    connection.commit()


@event.listens_for(Engine, "begin")
def _begin_sqlite(connection: Connection) -> None:
    if connection.dialect.name != "sqlite":
        return
    mode = "DEFERRED" if connection.get_execution_options().get(READ_ONLY) else "IMMEDIATE"
    connection.exec_driver_sql(f"BEGIN {mode}")
