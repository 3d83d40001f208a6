"""`plunk demo`: the main job in front of one's eyes, with real processes and real SMTP."""

from __future__ import annotations

import json
import secrets
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import click

from plunk import migrating
from plunk.cli.database import reachable
from plunk.cli.flows import changes, read_folder
from plunk.cli.hook_receiver import HookReceiver
from plunk.cli.local import example, leave_on_sigterm, start_server, wait_until_up
from plunk.cli.ports import free_port
from plunk.cli.processes import Processes, environment
from plunk.cli.projects import create_in
from plunk.cli.smtp_sink import Received, SmtpSink
from plunk.cli.timeline import Json, Timeline, has_ended
from plunk.cli.waiting import wait_for
from plunk.client import Client
from plunk.config import read_settings
from plunk.errors import PlunkError
from plunk.services.projects import NewProject

CRM = "https://crm.example.com"  # what the example calls; the demo puts its own receiver there
EVENT, EMAIL = "signed_up", "grace@example.com"
DATA = {"firstName": "Grace", "plan": "pro"}
SUBJECTS = ("Welcome, Grace!", "Three things a pro does first")
RUN_SECONDS = 20.0
SHOWN_HEADERS = ("From", "To", "Subject", "Message-ID")


class DemoFailed(PlunkError):
    """The demonstration did not show what it promises."""


@dataclass(frozen=True, slots=True)
class Stage:
    """What the demonstration plays on."""

    client: Client
    processes: Processes
    sink: SmtpSink
    hooks: HookReceiver


def run(database_url: str | None) -> int:
    """Show it; return 0, or raise with the reason."""
    leave_on_sigterm()
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="plunk-demo-") as name:
        folder = Path(name)
        env = _environment(folder, database_url)
        with SmtpSink() as sink, HookReceiver() as hooks, Processes(folder) as processes:
            env["MAIL_URL"] = sink.url
            project = _prepare(env)
            start_server(processes, env)
            with Client(env["API_URL"], project.secret) as client:
                wait_until_up(processes, client)
                _say("web", f"{env['API_URL']}, and a worker: two processes")
                _play(Stage(client, processes, sink, hooks))
    click.echo(f"\nThat was all of it, in {time.monotonic() - began:.1f} s.")
    return 0


def _environment(folder: Path, database_url: str | None) -> dict[str, str]:
    """Return the settings of a production in miniature."""
    port = str(free_port())
    return environment(
        DATABASE_URL=database_url or f"sqlite:///{folder}/demo.db",
        HOST="127.0.0.1",
        PORT=port,
        API_URL=f"http://127.0.0.1:{port}",
        DASHBOARD_URL=f"http://127.0.0.1:{port}",
        SECRET_KEY=secrets.token_hex(32),
        INSTANCE_PATH=str(folder),
        POLL_SECONDS="0.1",
        WEB_CONCURRENCY="1",
        RATELIMIT_ENABLED="0",
        WEBHOOK_ALLOW_PRIVATE="1",
    )


def _prepare(env: dict[str, str]) -> NewProject:
    """Migrate the database and create a project in it."""
    settings = read_settings(env)
    with reachable(settings) as engine:
        kind = engine.dialect.name
    migrating.upgrade(settings.database_url)
    _say("database", f"{kind}, migrated")
    project = create_in(settings, "Demo")
    _say("project", f"{project.name}, keys {project.public[:9]}… and {project.secret[:9]}…")
    _say("mail sink", settings.mail_url)
    return project


def _play(stage: Stage) -> None:
    answer = stage.client.deploy(_bundle(stage.hooks))
    for line in changes(answer):
        _say("deploy", line)
    click.echo(f"\nPOST /v1/track {json.dumps({'event': EVENT, 'email': EMAIL, 'data': DATA})}")
    tracked = stage.client.track(EVENT, EMAIL, data=DATA)
    click.echo(f"200 contact {tracked.contact}\n\nThe run, step by step (UTC):")
    (workflow,) = answer["workflows"]
    _show_run(stage, workflow["id"])
    _show_hooks(stage.hooks)
    _show_messages(_messages(stage))


def _bundle(hooks: HookReceiver) -> dict[str, str]:
    """Return the example, with its web hooks sent to our receiver."""
    files = read_folder(example("welcome"))
    return {path: text.replace(CRM, hooks.url) for path, text in files.items()}


def _show_run(stage: Stage, workflow: str) -> None:
    """Print what happens to the run while it happens; DemoFailed unless it ends well."""
    timeline = Timeline()

    def follow() -> Json | None:
        stage.processes.require_alive()
        runs = stage.client.page_executions(workflow)["executions"]
        if not runs:
            return None
        run = stage.client.get_execution(workflow, runs[0]["id"])
        for line in timeline.news(run):
            click.echo(f"  {line}")
        return run if has_ended(run) else None

    run = wait_for(follow, "The end of the run", seconds=RUN_SECONDS)
    click.echo(f"  The run is {run['status']}: {run['exitReason']}.")
    if run["status"] != "COMPLETED":
        raise DemoFailed(f"The run ended as {run['status']}: {run['exitReason']}.")


def _show_hooks(receiver: HookReceiver) -> None:
    click.echo("\nThe web hook, as the receiver got it:")
    for hook in receiver.hooks:
        click.echo(f"  {hook.method} {hook.path} {json.dumps(hook.body)}")


def _messages(stage: Stage) -> list[Received]:
    """Return the messages once all have arrived; DemoFailed when they are not those we expect."""

    def arrived() -> list[Received] | None:
        stage.processes.require_alive()
        received = stage.sink.received
        return received if len(received) >= len(SUBJECTS) else None

    received = wait_for(arrived, "The arrival of the mail", seconds=RUN_SECONDS)
    subjects = sorted(str(item.message["Subject"]) for item in received)
    if subjects != sorted(SUBJECTS):
        raise DemoFailed(f"Other messages than expected arrived: {subjects}.")
    return received


def _show_messages(received: Sequence[Received]) -> None:
    click.echo("\nThe mail, as the SMTP server got it:")
    for item in received:
        click.echo("  " + "─" * 60)
        for name in SHOWN_HEADERS:
            click.echo(f"  {name}: {item.message[name]}")
        click.echo("")
        for line in item.text.splitlines():
            click.echo(f"  {line}".rstrip())


def _say(what: str, text: str) -> None:
    click.echo(f"{click.style(f'{what:<10}', bold=True)} {text}")
