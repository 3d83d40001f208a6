"""What can be typed: the commands with their arguments and help, and nothing behind them.

A command loads what it needs when it runs, so that `plunk --help` answers at once.
"""
# ruff: noqa: PLC0415 - see above

from __future__ import annotations

import signal
import sys
from pathlib import Path
from typing import Any

import click

from plunk.cli.run_commands import run

FOLDER = click.Path(path_type=Path, exists=True, file_okay=False)
PATH = click.Path(path_type=Path, exists=True)
COUNT = click.IntRange(1, 64)
NEW_FILE = click.Path(path_type=Path, dir_okay=False)
as_json = click.option("--json", "as_json", is_flag=True, help="Print JSON.")
in_flight = click.option(
    "--in-flight",
    type=click.Choice(["follow", "pin", "drain"]),
    help="What becomes of runs under way in changed workflows: they follow (default), finish in"
    " their old version (pin), or do so while nobody else enters (drain).",
)


@click.group(
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.version_option(package_name="plunk-py", message="%(package)s %(version)s")
@click.pass_context
def plunk(context: click.Context) -> None:
    """E-mail automation: events come in, workflows run, messages go out."""
    if context.invoked_subcommand is None:
        click.echo(context.get_help())


@plunk.command()
@click.option("--database-url", help="Use this database instead of a fresh SQLite file.")
def demo(database_url: str | None) -> int:
    """Show the whole thing at work, in seconds, on this machine."""
    from plunk.cli.demo import run

    return run(database_url)


@plunk.command()
@click.argument("flows", type=FOLDER, required=False)
def dev(flows: Path | None) -> int:
    """Run everything for development; deploys the FLOWS folder and follows its changes."""
    from plunk.cli.dev import run

    return run(flows)


@plunk.command()
@click.option("--workers", type=COUNT, help="Web processes; else WEB_CONCURRENCY.")
def serve(workers: int | None) -> int:
    """Serve the API on HOST and PORT."""
    _end_quietly()
    from plunk.cli.serving import serve

    return serve(workers)


@plunk.command()
@click.option("--processes", type=COUNT, default=1, show_default=True)
def worker(processes: int) -> int:
    """Advance runs, deliver mail and call web hooks, until SIGTERM."""
    _end_quietly()
    from plunk.cli.working import supervise, work

    return work() if processes == 1 else supervise(processes)


@plunk.command()
def migrate() -> None:
    """Bring the database to the newest tables."""
    from plunk.cli.database import migrate

    migrate()


@plunk.group()
def project() -> None:
    """Projects and their keys."""


@project.command("create")
@click.argument("name")
@as_json
def create_project(name: str, *, as_json: bool) -> None:
    """Create a project and print its keys."""
    from plunk.cli.projects import create

    create(name, as_json=as_json)


@plunk.command()
@click.argument("paths", type=PATH, nargs=-1)
@click.option("--online", is_flag=True, help="Also ask the project for templates and segments.")
@as_json
def check(paths: tuple[Path, ...], *, online: bool, as_json: bool) -> int:
    """Report every mistake in .flow files and folders; by default in this folder.

    With --online, PLUNK_API_URL names the server and PLUNK_API_KEY the project's secret key.
    """
    from plunk.cli.flows import check

    return check(paths or (Path(),), online=online, as_json=as_json)


@plunk.command()
@click.argument("paths", type=PATH, nargs=-1)
@click.option("--check", is_flag=True, help="Change nothing; fail when a file would change.")
def fmt(paths: tuple[Path, ...], *, check: bool) -> int:
    """Bring .flow files into their one layout; by default those of this folder."""
    from plunk.cli.formatting import run

    return run(paths or (Path(),), check=check)


@plunk.command()
@click.argument("code", required=False)
def explain(code: str | None) -> None:
    """Explain a mistake by its CODE, such as FLOW-E204 or just e204; else list all there are."""
    from plunk.cli.explaining import explain, list_codes

    if code is None:
        list_codes()
    else:
        explain(code)


@plunk.command()
@click.argument("paths", type=PATH, nargs=-1)
@click.option("--format", "form", default="mermaid", help="mermaid (default), dot or svg.")
@click.option("--workflow", "name", help="Only the workflow with this name.")
def graph(paths: tuple[Path, ...], form: str, name: str | None) -> int:
    """Draw the workflows of .flow files and folders; by default of this folder."""
    from plunk.cli.graphs import graph

    return graph(paths or (Path(),), form=form, name=name)


@plunk.command()
def lsp() -> int:
    """Serve editors: the language server of .flow files, on standard input and output."""
    from plunk.cli.graphs import serve_editors

    return serve_editors()


@plunk.command()
@click.argument("paths", type=PATH, nargs=-1)
@click.option("--junit", type=click.Path(path_type=Path), help="Also write a JUnit XML file.")
@click.option("--fail-under", type=click.FloatRange(0, 100), help="Fail below this coverage.")
@click.option("--filter", "wanted", help="Only tests with this text in their name.")
@as_json
def test(
    paths: tuple[Path, ...],
    *,
    junit: Path | None,
    fail_under: float | None,
    wanted: str | None,
    as_json: bool,
) -> int:
    """Run the tests in .flow files and folders, by default in this folder, on a virtual clock."""
    from plunk.cli.testing import Options, run

    return run(paths or (Path(),), Options(junit, fail_under, wanted, as_json))


@plunk.command()
@click.argument("path", type=PATH)
@click.option("--event", help="What happens to the contact; else --workflow is started by hand.")
@click.option("--contact", required=True, help="A JSON object: email, data, subscribed.")
@click.option("--data", help="The data of the event, as a JSON object.")
@click.option("--days", type=click.FloatRange(0, 3_660), default=30.0, show_default="30")
@click.option("--workflow", help="Only this workflow takes part.")
@click.option("--at", help="When it begins, such as 2026-03-01T09:00Z; by default now.")
@as_json
def simulate(path: Path, *, as_json: bool, **story: Any) -> int:  # noqa: ANN401 - the options
    """Print what .flow files would do to one contact, without sending or storing anything."""
    from plunk.cli.simulating import run

    return run(path, story, as_json=as_json)


@plunk.command()
@click.argument("folder", type=FOLDER, default=Path())
@in_flight
@click.option("--out", type=NEW_FILE, help="Also save the plan, for deploy --plan.")
@as_json
def plan(folder: Path, *, in_flight: str | None, out: Path | None, as_json: bool) -> int:
    """Print what deploying a folder would change, and how many people stand where.

    Ends with 0 when nothing would change, with 2 when something would, with 1 when it failed.
    PLUNK_API_URL names the server and PLUNK_API_KEY the project's secret key.
    """
    from plunk.cli.planning import plan

    return plan(folder, in_flight=in_flight, out=out, as_json=as_json)


@plunk.command()
@click.argument("folder", type=FOLDER, default=Path())
@in_flight
@click.option("--plan", "saved", type=NEW_FILE, help="Do what this plan says, or nothing.")
def deploy(folder: Path, *, in_flight: str | None, saved: Path | None) -> int:
    """Make a project's workflows, templates and segments what the folder's .flow files say.

    PLUNK_API_URL names the server and PLUNK_API_KEY the project's secret key.
    """
    from plunk.cli.planning import deploy

    return deploy(folder, in_flight=in_flight, saved=saved)


@plunk.command()
@click.argument("workflows", nargs=-1)
@click.option("--into", "folder", type=click.Path(path_type=Path, file_okay=False), default=Path())
@click.option("--overwrite", is_flag=True, help="Replace files that say something else.")
def pull(workflows: tuple[str, ...], folder: Path, *, overwrite: bool) -> int:
    """Write a project's workflows, templates and segments as files, by default into this folder.

    WORKFLOWS are names or ids; without any, all are written. Deploying the files again changes
    nothing. PLUNK_API_URL names the server and PLUNK_API_KEY the project's secret key.
    """
    from plunk.cli.pulling import pull

    return pull(folder, workflows, overwrite=overwrite)


@plunk.group()
def secret() -> None:
    """Values that workflows may use and nobody can read back.

    PLUNK_API_URL names the server and PLUNK_API_KEY the project's secret key.
    """


@secret.command("set")
@click.argument("name")
def set_secret(name: str) -> None:
    """Store a secret; its value comes from standard input, or is asked for."""
    from plunk.cli.secrets import set_secret

    set_secret(name)


@secret.command("list")
def list_secrets() -> None:
    """Print the names of the project's secrets."""
    from plunk.cli.secrets import list_secrets

    list_secrets()


@secret.command("delete")
@click.argument("name")
def delete_secret(name: str) -> None:
    """Delete a secret."""
    from plunk.cli.secrets import delete_secret

    delete_secret(name)


plunk.add_command(run)


@plunk.command()
@click.option("--fix", is_flag=True, help="Mend the rows that break the engine's promises.")
@as_json
def doctor(*, fix: bool, as_json: bool) -> int:
    """Find what is stuck, broken or misconfigured, and say how to mend it.

    Ends with 0 when nothing is wrong, or no longer, and with 1 when something is.
    """
    from plunk.cli.doctor import run

    return run(fix=fix, as_json=as_json)


def _end_quietly() -> None:
    """Let SIGTERM end a process that has not begun its work yet, with status 0."""
    signal.signal(signal.SIGTERM, lambda _number, _frame: sys.exit(0))
