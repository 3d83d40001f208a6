"""What can be typed after `plunk run`: repair by hand, of one run or of many."""
# ruff: noqa: PLC0415 - a command loads what it needs when it runs

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click

Command = TypeVar("Command", bound=Callable[..., Any])
OPTIONS = (
    click.argument("execution", required=False),
    click.option("--workflow", required=True, help="The workflow's name or id."),
    click.option("--reason", required=True, help="Why; it stands in the run's history."),
    click.option("--by", help="Who; by default the user of this machine."),
    click.option("--all", "many", is_flag=True, help="All runs that are chosen, oldest first."),
    click.option(
        "--status",
        type=click.Choice(["FAILED", "WAITING", "RUNNING"], case_sensitive=False),
        help="With --all: only runs of this status.",
    ),
    click.option("--step", help="With --all: only runs on this step, by its name or id."),
    click.option("--limit", type=click.IntRange(1), help="With --all: at most so many."),
    click.option("--dry-run", is_flag=True, help="With --all: only count them."),
    click.option("--yes", is_flag=True, help="With --all: do not ask."),
)


def _repairing(command: Command) -> Command:
    """Give a command everything that all three have in common."""
    for option in reversed(OPTIONS):
        command = option(command)
    return command


@click.group()
def run() -> None:
    """Lend runs a hand: try a failed step again, skip a wait, move to a step.

    Names one EXECUTION by its id, or many with --all. Who did it and why stands in their history.
    PLUNK_API_URL names the server and PLUNK_API_KEY the project's secret key.
    """


@run.command()
@_repairing
def retry(**words: Any) -> int:  # noqa: ANN401 - the options
    """Try the step again at which a run has failed; with --all, by default FAILED runs."""
    return _run("retry", words)


@run.command()
@_repairing
@click.option(
    "--outcome",
    type=click.Choice(["EVENT", "TIMEOUT"], case_sensitive=False),
    help="Which way the wait leads on: as with its time-out (default), or as with its event.",
)
def skip(**words: Any) -> int:  # noqa: ANN401 - the options
    """Let a run go on from where it waits; with --all, by default WAITING runs."""
    return _run("skip", words)


@run.command()
@_repairing
@click.option("--to", required=True, help="The step to go on with, by its name or id.")
def move(**words: Any) -> int:  # noqa: ANN401 - the options
    """Let a run go on with another step; with --all, --status says which."""
    return _run("move", words)


def _run(action: str, words: dict[str, Any]) -> int:
    from plunk.cli.repairing import Words, repair

    return repair(Words(action=action, **words))
