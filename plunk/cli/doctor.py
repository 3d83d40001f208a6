"""`plunk doctor`: what is misconfigured or stuck, and what to do about it."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Literal
from urllib.parse import urlsplit

import click
from sqlalchemy import Engine

from plunk import migrating
from plunk.cli.database import reachable
from plunk.cli.projects import require_secret
from plunk.client import LOOPBACK, Client
from plunk.clock import SystemClock
from plunk.config import Settings, read_settings
from plunk.db import begin_reading, database_now, session_factory
from plunk.delivery.provider import open_provider
from plunk.errors import Misconfigured
from plunk.services import backlog
from plunk.services.backlog import Queue

CONNECT_SECONDS = 5.0
PATIENCE = timedelta(seconds=60)  # what is due for longer has no worker that comes to it
SMTP_PORTS = {"smtp": 587, "smtps": 465}
COLOURS = {"ok": "green", "note": "yellow", "wrong": "red"}


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at; only `wrong` makes the doctor fail."""

    state: Literal["ok", "note", "wrong"]
    text: str


def run() -> int:
    """Print settings and findings; return 1 when something is wrong."""
    settings = read_settings()
    click.echo("Settings")
    for name, value in settings.masked().items():
        click.echo(f"  {name:<24} {value}")
    click.echo("\nFindings")
    findings = list(_shown(examine(settings)))
    wrong = sum(finding.state == "wrong" for finding in findings)
    click.echo(f"\n{wrong} thing(s) to mend." if wrong else "\nNothing is wrong.")
    return int(wrong > 0)


def examine(settings: Settings) -> Iterator[Finding]:
    """Yield what is found, the most basic things first."""
    yield _tried(lambda: require_secret(settings), "SECRET_KEY is set.")
    yield from _examine_mail(settings)
    yield from _examine_links(settings)
    try:
        with reachable(settings) as engine:
            yield Finding("ok", f"The database answers ({engine.dialect.name}).")
            yield from _examine_database(engine)
    except Misconfigured as error:
        yield Finding("wrong", error.message)


def _shown(findings: Iterator[Finding]) -> Iterator[Finding]:
    for finding in findings:
        click.echo(
            f"  {click.style(f'{finding.state:<5}', COLOURS[finding.state])}  {finding.text}"
        )
        yield finding


def _tried(check: Callable[[], None], well: str) -> Finding:
    try:
        check()
    except Misconfigured as error:
        return Finding("wrong", error.message)
    return Finding("ok", well)


def _examine_mail(settings: Settings) -> Iterator[Finding]:
    parts = urlsplit(settings.mail_url)
    yield _tried(lambda: _connect(settings), f"MAIL_URL can be used ({parts.scheme}).")
    if parts.scheme not in SMTP_PORTS and settings.environment == "production":
        yield Finding("note", f"{parts.scheme}:// sends nothing; set MAIL_URL to smtp://… to send.")


def _connect(settings: Settings) -> None:
    """Raise Misconfigured unless MAIL_URL can be read and its server accepts connections."""
    provider = open_provider(
        settings.mail_url, instance_folder=settings.instance_path, clock=SystemClock()
    )
    provider.close()
    parts = urlsplit(settings.mail_url)
    if parts.scheme not in SMTP_PORTS:
        return
    address = (parts.hostname or "", parts.port or SMTP_PORTS[parts.scheme])
    try:
        socket.create_connection(address, CONNECT_SECONDS).close()
    except OSError as error:
        raise Misconfigured(
            f"The mail server {address[0]}:{address[1]} cannot be reached: {error}. Check MAIL_URL."
        ) from error


def _examine_links(settings: Settings) -> Iterator[Finding]:
    local = urlsplit(settings.api_url).hostname in LOOPBACK
    if local and settings.environment == "production":
        text = "Links in mails lead to this machine; set API_URL to the public address."
        yield Finding("note", f"API_URL is {settings.api_url}: {text}")
    with Client(settings.api_url, "", timeout_seconds=CONNECT_SECONDS) as client:
        if client.is_up():
            yield Finding("ok", f"The API answers at {settings.api_url}.")
        else:
            yield Finding("note", f"Nothing answers at API_URL {settings.api_url}: `plunk serve`.")


def _examine_database(engine: Engine) -> Iterator[Finding]:
    if migrating.is_behind(engine):
        yield Finding("wrong", "The database lacks this version's tables: run `plunk migrate`.")
        return
    yield Finding("ok", "The database has the newest tables.")
    now = database_now(engine)
    with session_factory(engine)() as session:
        begin_reading(session)
        found = backlog.measure(session, now=now)
    yield from map(_judge, found.queues)
    if found.stranded_runs:
        text = f"{found.stranded_runs} active run(s) wait for nothing and will never go on"
        yield Finding("wrong", f"{text}; cancel them in the API and report this.")


def _judge(queue: Queue) -> Finding:
    if queue.expired_leases:
        text = f"{queue.expired_leases} {queue.name} were left behind by a worker that died"
        return Finding("wrong", f"{text}; a running `plunk worker` takes them up.")
    if queue.oldest > PATIENCE:
        text = f"{queue.due} {queue.name} are overdue, the oldest by {_age(queue.oldest)}"
        return Finding("wrong", f"{text}; start `plunk worker`, or more of them.")
    return Finding("ok", f"Workers keep up with {queue.name}: {queue.due} due.")


def _age(age: timedelta) -> str:
    return str(timedelta(seconds=round(age.total_seconds())))
