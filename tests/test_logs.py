"""Logs: one line for each happening, with ids to find it by and nothing that anybody sent."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import psycopg
import pytest
import structlog
from flask import Flask, request
from psycopg.pq import DiagnosticField
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from plunk import logs
from plunk.application import create_app
from plunk.config import read_settings
from plunk.db import db
from plunk.outbound import Answer, OutboundError, OutgoingRequest
from plunk.worker import jobs, schedule
from tests.conftest import SECRET, Api, Backend
from tests.factories import Machine, track, workflow

Lines = list[dict[str, Any]]
NOBODY = "01890000-0000-7000-8000-000000000000"
Told = Callable[[], Lines]


@pytest.fixture
def logging(capsys: pytest.CaptureFixture[str]) -> Iterator[Callable[..., Told]]:
    """Return a function that sets logging up as the environment says, and reads what was logged."""

    def start(**env: str) -> Told:
        capsys.readouterr()
        logs.configure(read_settings(env))
        return lambda: [json.loads(line) for line in capsys.readouterr().err.splitlines()]

    yield start
    structlog.reset_defaults()
    structlog.contextvars.clear_contextvars()


@pytest.fixture
def broken(empty: Backend) -> Iterator[Flask]:
    """Return an application with a route that fails in the middle of a statement."""
    settings = read_settings({"DATABASE_URL": empty.url, "SECRET_KEY": SECRET})
    app = create_app(settings)

    def fail() -> str:
        row = {"id": NOBODY, "it": request.args["it"]}
        db.session.execute(text("INSERT INTO contacts (id, email) VALUES (:id, :it)"), row)
        return "never"

    app.add_url_rule("/broken", view_func=fail)
    yield app
    with app.app_context():
        db.session.remove()
        db.engine.dispose()


def test_a_request_is_one_line_with_its_ids(api: Api, project: Any, logging: Any) -> None:
    told = logging()
    answer = api.get("/contacts/01890000-0000-7000-8000-000000000000", X_Request_ID="mine-1")
    (line,) = told()
    assert answer.status_code == 404
    assert line.pop("timestamp").endswith("Z")
    assert 0 < line.pop("ms") < 60_000
    assert line == {
        "event": "request",
        "level": "info",
        "method": "GET",
        "route": "/contacts/<contact_id>",
        "status": 404,
        "request_id": "mine-1",
        "project_id": project.id,
    }


def test_nothing_that_was_sent_is_logged(api: Api, project: Any, logging: Any) -> None:
    told = logging(LOG_LEVEL="debug")
    workflow(api)
    track(api, email="kim@example.org", data={"password": "hunter2"})
    api.post("/v1/track", {"event": "go", "email": "not an address: lee"})
    api.get("/contacts?search=kim@example.org")
    api.get("/nowhere/kim@example.org")
    logged = json.dumps(told())
    assert logged.count('"request"') == 6
    for word in ("kim@", "hunter2", "lee", project.secret, project.public):
        assert word not in logged


def test_a_line_never_has_the_project_of_the_request_before(api: Api, logging: Any) -> None:
    told = logging()
    api.get("/contacts")
    Api(api.client, "sk_unknown").get("/contacts")
    api.get("/nowhere")
    first, refused, lost = told()
    assert "project_id" in first
    assert "project_id" not in refused
    assert (refused["status"], lost["status"], lost["route"]) == (401, 404, None)
    assert len({line["request_id"] for line in (first, refused, lost)}) == 3


@pytest.mark.parametrize(
    ("level", "routes"),
    [
        ("debug", ["/healthz", "/readyz", "/health", "/contacts"]),
        ("info", ["/contacts"]),
        ("warning", []),
        ("error", []),
    ],
)
def test_the_level_decides_what_is_told(
    api: Api, logging: Any, level: str, routes: list[str]
) -> None:
    told = logging(LOG_LEVEL=level)
    for path in ("/healthz", "/readyz", "/health", "/contacts"):
        api.get(path)
    assert [line["route"] for line in told()] == routes


def test_while_developing_lines_are_for_people(
    api: Api, logging: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    logging(ENVIRONMENT="development")
    api.get("/contacts")
    line = capsys.readouterr().err
    assert "level='info' event='request'" in line
    assert "route='/contacts' status=200" in line


def test_an_error_is_told_without_the_values_in_it(broken: Flask, logging: Any) -> None:
    told = logging()
    answer = broken.test_client().get("/broken?it=hunter2")
    failed, line = told()
    assert (failed["event"], failed["level"]) == ("request.failed", "error")
    assert (line["event"], line["status"]) == ("request", 500)
    assert failed["request_id"] == line["request_id"] == answer.headers["X-Request-ID"]
    assert "INSERT INTO contacts (id, email)" in failed["exception"]
    assert "hunter2" not in json.dumps([failed, line])


KEY = "la valeur d'une clé dupliquée rompt la contrainte unique « uq_contacts_email »"
DETAIL = f"{KEY}\nDÉTAIL : La clé « (email)=(kim@example.org) » existe déjà."
CAST = "syntaxe en entrée invalide pour le type integer : « kim@example.org »"
CONTEXT = f"{CAST}\nCONTEXTE : paramètre de portail $1 = 'kim@example.org'"


def fail(error: Exception, cause: BaseException | None) -> None:
    raise error from cause


def refused(state: str, first: str, text: str) -> IntegrityError:
    """Return an error as it comes from a PostgreSQL that speaks French."""
    said = {DiagnosticField.SQLSTATE: state, DiagnosticField.MESSAGE_PRIMARY: first}
    info = {field: words.encode() for field, words in said.items()}
    return IntegrityError("INSERT INTO contacts", {}, psycopg.Error(text, info=info))


@pytest.mark.parametrize("is_group", [False, True])
@pytest.mark.parametrize(
    ("state", "first", "text", "kept"),
    [("23505", KEY, DETAIL, "uq_contacts_email"), ("22P02", CAST, CONTEXT, "SQLSTATE 22P02")],
)
def test_rows_are_left_out_in_whatever_language_the_database_speaks(
    logging: Any, state: str, first: str, text: str, kept: str, *, is_group: bool
) -> None:
    told = logging()
    error = refused(state, first, text)
    try:
        fail(ExceptionGroup("jobs", [error]) if is_group else error, error.orig)
    except (IntegrityError, ExceptionGroup) as caught:
        structlog.get_logger().exception("job.failed")
        structlog.get_logger().error("request.failed", exc_info=caught)
    structlog.get_logger().warning("postponed", reason=error)
    lines = told()
    assert "kim@" not in json.dumps(lines)
    failed, request, postponed = lines
    for shown in (failed["exception"], request["exception"], postponed["reason"]):
        assert kept in shown
        assert "INSERT INTO contacts" in shown


def test_what_a_job_tells_from_its_threads_names_the_job(
    api: Api, machine: Machine, capsys: pytest.CaptureFixture[str]
) -> None:
    flow = workflow(api, ("WEBHOOK", {"url": "https://hooks.example.com/"}))
    machine.hooks.answer = refuse
    track(api)
    capsys.readouterr()
    logs.configure(read_settings({}), worker="host:1")
    worker = machine.worker
    with structlog.contextvars.bound_contextvars(job="advance"):
        jobs.advance_runs(worker)
    with structlog.contextvars.bound_contextvars(job="hooks"):
        jobs.call_webhooks(worker)
    with structlog.contextvars.bound_contextvars(job="advance"):
        jobs.advance_runs(worker)
    called, failed = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    (run,) = api.get(f"/workflows/{flow['id']}/executions").json["executions"]
    assert (called["event"], called["job"], called["run_id"]) == (
        "webhook.failed",
        "hooks",
        run["id"],
    )
    assert (failed["event"], failed["job"], failed["run_id"]) == (
        "run.failed",
        "advance",
        run["id"],
    )
    assert called["call_id"]


def refuse(_: OutgoingRequest) -> Answer:
    raise OutboundError("nobody there")


def test_a_worker_names_itself_and_its_job(
    api: Api, machine: Machine, capsys: pytest.CaptureFixture[str]
) -> None:
    logs.configure(read_settings({}), worker="host:1")
    worker = replace(machine.worker, engine=None)
    running = schedule.start(worker, poll_seconds=3_600)
    try:
        running.scheduler.get_job("advance").func()  # the worker has no engine: the job fails
    finally:
        running.stop()
        structlog.reset_defaults()
    line = json.loads(capsys.readouterr().err.splitlines()[0])
    assert (line["event"], line["level"]) == ("job.failed", "error")
    assert (line["job"], line["worker"]) == ("advance", "host:1")
    assert "AttributeError" in line["exception"]
