"""`plunk simulate`: what a bundle would do to one contact."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import click

import dsl
from plunk.cli.flows import judged_here, read_files, show_all
from plunk.clock import SystemClock
from plunk.conditions.instants import instant
from plunk.simulation.catalogue import catalogue_of
from plunk.simulation.story import Plot, tell


def run(path: Path, options: Mapping[str, Any], *, as_json: bool) -> int:
    """Print the story of one contact; return 1 when the files have mistakes."""
    plot = Plot(
        at=_instant(options["at"]),
        event=options["event"],
        contact=_object("--contact", options["contact"]) or {},
        data=_object("--data", options["data"]),
        days=options["days"],
        workflow=options["workflow"],
    )
    if plot.event is None and plot.workflow is None:
        raise click.UsageError("say which --event happens, or which --workflow is started.")
    files = read_files([path])
    bundle = dsl.read_bundle(files)
    errors = [item for item in judged_here(files) if item.is_error]
    if errors:
        show_all(errors, files)
        return 1
    story = tell(catalogue_of(bundle), plot)
    if as_json:
        click.echo(json.dumps(story.to_json(), indent=2, ensure_ascii=False, default=str))
    else:
        click.echo("\n".join(story.lines()))
    return 0


def _object(name: str, text: str | None) -> dict[str, Any] | None:
    """Return the JSON object in an option; a mistake is one of usage."""
    if text is None:
        return None
    try:
        value = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise click.BadParameter(f"is no JSON: {error}", param_hint=name) from error
    if not isinstance(value, dict):
        raise click.BadParameter("must be a JSON object: {…}", param_hint=name)
    return value


def _instant(text: str | None) -> datetime:
    if text is None:
        return SystemClock().now().replace(microsecond=0)
    at = instant(text)
    if at is None:
        raise click.BadParameter("is no ISO time such as 2026-03-01T09:00Z", param_hint="--at")
    return at
