"""`plunk dev`: everything on this machine, kept running and up to date with the files."""

from __future__ import annotations

import json
import os
import secrets
import time
from dataclasses import dataclass
from pathlib import Path

import click

from plunk import migrating
from plunk.cli import flows
from plunk.cli.database import reachable
from plunk.cli.local import ROOT, leave_on_sigterm, start_server, wait_until_up
from plunk.cli.ports import require_free
from plunk.cli.processes import Processes, environment
from plunk.cli.projects import find_or_create_in
from plunk.cli.watching import Watch, files_in
from plunk.client import Client
from plunk.config import Settings, read_settings
from plunk.errors import PlunkError
from plunk.services.projects import NewProject

PROJECT = "Development"
LOOK_SECONDS = 0.5
TRACK = {"event": "signed_up", "email": "ada@example.com", "data": {"plan": "pro"}}
SEND = {"to": "ada@example.com", "from": "me@example.com", "subject": "Hi", "body": "<p>Hello</p>"}
CODE = files_in(ROOT / "plunk", ROOT / "dsl", suffix=".py")


@dataclass(frozen=True, slots=True)
class Workshop:
    """What is kept running."""

    env: dict[str, str]
    processes: Processes
    client: Client
    folder: Path | None


def run(folder: Path | None) -> int:
    """Run until Ctrl-C; return 0."""
    leave_on_sigterm()
    env = _environment()
    settings = read_settings(env)
    require_free(settings.host, settings.port)
    with reachable(settings):
        migrating.upgrade(settings.database_url)
    project = find_or_create_in(settings, PROJECT)
    url = f"http://127.0.0.1:{settings.port}"
    with Processes() as processes, Client(url, project.secret) as client:
        workshop = Workshop(env, processes, client, folder)
        _start(workshop)
        _deploy(workshop)
        _greet(url, settings, project)
        _follow(workshop)
    return 0


def _environment() -> dict[str, str]:
    """Return the environment, with what development needs where nothing else was asked for."""
    instance = Path(os.environ.get("INSTANCE_PATH") or "instance").resolve()
    instance.mkdir(parents=True, exist_ok=True)
    chosen = {
        "INSTANCE_PATH": str(instance),
        "DATABASE_URL": f"sqlite:///{instance}/dev.db",
        "ENVIRONMENT": "development",
        "HOST": "127.0.0.1",
        "MAIL_URL": "outbox://",
        "POLL_SECONDS": "0.25",
        "RATELIMIT_ENABLED": "0",
        "WEBHOOK_ALLOW_PRIVATE": "1",
        "WEB_CONCURRENCY": "1",
    }
    given = environment()
    secret = given.get("SECRET_KEY") or _secret(instance / "secret_key")
    return {**chosen, **given, "INSTANCE_PATH": str(instance), "SECRET_KEY": secret}


def _secret(path: Path) -> str:
    """Return the SECRET_KEY kept in this file; a new one on the first run, for us only to read."""
    if path.exists():
        return path.read_text().strip()
    secret = secrets.token_hex(32)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(secret + "\n")
    return secret


def _start(workshop: Workshop) -> None:
    start_server(workshop.processes, workshop.env)
    wait_until_up(workshop.processes, workshop.client)


def _deploy(workshop: Workshop) -> None:
    """Deploy the flows; what is wrong with them is printed and can be mended meanwhile."""
    if workshop.folder is None:
        return
    try:
        flows.deploy_files(workshop.client, flows.read_folder(workshop.folder))
    except PlunkError as error:
        click.echo(f"Nothing was deployed: {error.message}", err=True)


def _greet(url: str, settings: Settings, project: NewProject) -> None:
    click.echo(f"""
API         {url}   reference at {url}/docs
Mail        {_mailbox(url, settings)}
Public key  {project.public}
Secret key  {project.secret}

{_curl(url, "/v1/track", project.public, TRACK)}
{_curl(url, "/v1/send", project.secret, SEND)}

Ctrl-C stops everything.""")


def _curl(url: str, path: str, key: str, body: object) -> str:
    """Return a command to paste."""
    headers = f"-H 'Authorization: Bearer {key}' -H 'Content-Type: application/json'"
    return f"curl {url}{path} {headers} -d '{json.dumps(body)}'"


def _mailbox(url: str, settings: Settings) -> str:
    in_browser = settings.mail_url.startswith("outbox:") and settings.environment == "development"
    return f"{url}/outbox" if in_browser else settings.masked()["MAIL_URL"]


def _follow(workshop: Workshop) -> None:
    """Restart when our code changes, deploy when the flows do; ends by Ctrl-C."""
    code = Watch(CODE)
    texts = Watch(files_in(workshop.folder) if workshop.folder else list)
    try:
        while True:
            time.sleep(LOOK_SECONDS)
            if code.has_changed():
                _restart(workshop)
            elif texts.has_changed():
                _deploy(workshop)
            workshop.processes.require_alive()
    except KeyboardInterrupt:
        click.echo("\nStopping.")


def _restart(workshop: Workshop) -> None:
    click.echo("Python files changed: restarting web and worker.")
    workshop.processes.stop()
    try:
        _start(workshop)
    except PlunkError as error:  # a slip while editing: the next change is another chance
        click.echo(error.message, err=True)
        workshop.processes.stop()
