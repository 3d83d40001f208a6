"""Pictures of the workflows in .flow files, and the server that editors ask about them."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

import click

import dsl
from plunk import pictures
from plunk.cli.flows import read_files, show_all
from plunk.errors import BadRequest, Misconfigured


def graph(paths: Sequence[Path], *, form: str, name: str | None) -> int:
    """Print the picture of each workflow in these files, or of the one with this name."""
    files = read_files(paths)
    bundle = dsl.read_bundle(files)
    found = [item for item in dsl.check(bundle) if item.is_error]
    if found:
        show_all(found, files)
        return 1
    wanted = [one for one in _workflows(bundle) if name in {None, one["name"]}]
    if not wanted:
        raise BadRequest(f"There is no workflow {name!r}." if name else "There is no workflow.")
    click.echo(pictures.draw(wanted, form), nl=False)
    return 0


def serve_editors() -> int:
    """Serve one editor until it says goodbye."""
    try:
        server = import_module("plunk.editing.server")
    except ImportError as error:
        message = "plunk lsp needs one more package: pip install 'plunk-py[lsp]'."
        raise Misconfigured(message) from error
    server.create_server().start_io()
    return 0


def _workflows(bundle: dsl.Bundle) -> list[dict[str, Any]]:
    return [dict(one.to_json()) for one in dsl.compile(bundle).workflows]
