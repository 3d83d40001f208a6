"""`plunk doctor`: what is misconfigured, stuck or broken, and what to do about it."""

from __future__ import annotations

import json
import socket
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Literal
from urllib.parse import urlsplit

import click
from sqlalchemy import Engine

from plunk import migrating
from plunk.cli.database import reachable
from plunk.cli.projects import require_secret
from plunk.client import LOOPBACK, Client
from plunk.clock import Clock, SyncedClock, SystemClock
from plunk.config import Settings, mask_url, read_settings
from plunk.db import begin_reading, database_now, session_factory
from plunk.delivery.provider import open_provider
from plunk.errors import Misconfigured
from plunk.services import backlog, sweeping
from plunk.services.backlog import Queue
from plunk.services.sweeping import Mended, Violation

CONNECT_SECONDS = 5.0
PATIENCE = timedelta(seconds=60)  # what is due for longer has no worker that comes to it
SMTP_PORTS = {"smtp": 587, "smtps": 465}
COLOURS = {"ok": "green", "note": "yellow", "mended": "cyan", "wrong": "red"}
SHOWN_IDS = 5


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at; only `wrong` makes the doctor fail.

    Of broken rows it names the kind, the rule, and their ids.
    """

    state: Literal["ok", "note", "mended", "wrong"]
    text: str
    check: str | None = None
    invariant: str | None = None
    ids: tuple[str, ...] = ()
    is_truncated: bool = False


def run(*, fix: bool = False, as_json: bool = False) -> int:
    """Print settings and findings, and mend broken rows with `fix`; 1 when something is wrong."""
    try:
        settings = read_settings()
    except Misconfigured as error:
        shown, findings = {}, iter([Finding("wrong", error.message)])
    else:
        shown, findings = settings.masked(), examine(settings, fix=fix)
    wrong = _print_json(shown, findings) if as_json else _print(shown, findings)
    return int(wrong > 0)


def _print(settings: Mapping[str, str], findings: Iterator[Finding]) -> int:
    click.echo("Settings")
    for name, value in settings.items():
        click.echo(f"  {name:<24} {value}")
    click.echo("\nFindings")
    wrong = sum(finding.state == "wrong" for finding in _shown(findings))
    click.echo(f"\n{wrong} thing(s) to mend." if wrong else "\nNothing is wrong.")
    return wrong


def _print_json(settings: Mapping[str, str], findings: Iterator[Finding]) -> int:
    found = list(findings)
    wrong = sum(finding.state == "wrong" for finding in found)
    told = {
        "settings": settings,
        "findings": [_finding_json(finding) for finding in found],
        "wrong": wrong,
    }
    click.echo(json.dumps(told, ensure_ascii=False, indent=2))
    return wrong


def _finding_json(finding: Finding) -> dict[str, Any]:
    plain = {"state": finding.state, "text": finding.text}
    if finding.check is None:
        return plain
    return {
        **plain,
        "check": finding.check,
        "invariant": finding.invariant,
        "count": len(finding.ids),
        "truncated": finding.is_truncated,
        "ids": finding.ids,
    }


def examine(settings: Settings, *, fix: bool = False) -> Iterator[Finding]:
    """Yield what is found, the most basic things first; with `fix`, what was mended, too."""
    yield _tried(lambda: require_secret(settings), "SECRET_KEY is set.")
    yield from _examine_mail(settings)
    yield from _examine_links(settings)
    try:
        with reachable(settings) as engine:
            yield Finding("ok", f"The database answers ({engine.dialect.name}).")
            yield from _examine_database(engine, fix=fix)
    except Misconfigured as error:
        yield Finding("wrong", error.message)


def _shown(findings: Iterator[Finding]) -> Iterator[Finding]:
    for finding in findings:
        click.echo(f"  {click.style(f'{finding.state:<6}', COLOURS[finding.state])} {finding.text}")
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
    shown = mask_url(settings.api_url)
    if local and settings.environment == "production":
        text = "Links in mails lead to this machine; set API_URL to the public address."
        yield Finding("note", f"API_URL is {shown}: {text}")
    with Client(settings.api_url, "", timeout_seconds=CONNECT_SECONDS) as client:
        if client.is_up():
            yield Finding("ok", f"The API answers at {shown}.")
        else:
            yield Finding("note", f"Nothing answers at API_URL {shown}: `plunk serve`.")


def _examine_database(engine: Engine, *, fix: bool) -> Iterator[Finding]:
    if migrating.is_behind(engine):
        yield Finding("wrong", "The database lacks this version's tables: run `plunk migrate`.")
        return
    yield Finding("ok", "The database has the newest tables.")
    clock = SyncedClock(lambda: database_now(engine))
    with session_factory(engine)() as session:
        begin_reading(session)
        queues = backlog.measure(session, now=clock.now())
    yield from map(_judge, queues)
    yield from _sweep(engine, clock, fix=fix)


def _sweep(engine: Engine, clock: Clock, *, fix: bool) -> Iterator[Finding]:
    """Yield the rows that break the engine's promises, after what could be mended."""
    sessions = session_factory(engine)
    found = sweeping.sweep(sessions, clock)
    if found and fix:
        yield from map(_mended, sweeping.mend(sessions, found, clock))
        found = sweeping.sweep(sessions, clock)
    yield from (_violated(one, fix=fix) for one in found)
    if not found:
        yield Finding("ok", "No row breaks the engine's promises (I9, I10).")


def _mended(one: Mended) -> Finding:
    check = one.check
    text = f"{check.name} {one.id}: {check.remedy}"
    return Finding("mended", text, check.name, check.invariant, (one.id,))


def _violated(one: Violation, *, fix: bool) -> Finding:
    check, ids = one.check, tuple(one.ids)
    count = f"{'more than ' if one.is_truncated else ''}{len(ids):,}"
    shown = ", ".join(ids[:SHOWN_IDS]) + (", …" if len(ids) > SHOWN_IDS else "")
    advice = f"Left as they are ({check.remedy})." if fix else f"--fix: {check.remedy}."
    text = f"{check.name} ({check.invariant}): {count} {check.about}: {shown}. {advice}"
    return Finding("wrong", text, check.name, check.invariant, ids, one.is_truncated)


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
