"""`plunk pull`: a project's workflows, templates and segments as files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import click

import dsl
from plunk.cli.flows import open_client
from plunk.cli.formatting import replace_file
from plunk.client import Client
from plunk.errors import BadRequest
from plunk.ids import parse_id

SHOWN = 5


def pull(folder: Path, names: Sequence[str], *, overwrite: bool) -> int:
    """Write the project's bundle, or these workflows of it, into a folder; all of it or nothing.

    BadRequest when that would lose files that say something else, unless `overwrite` is given, or
    when other files in the folder declare the same things.
    """
    with open_client() as client:
        answer = client.pull([workflow_id(client, name) for name in names] or None)
    files: dict[str, bytes] = {path: text.encode() for path, text in answer["files"].items()}
    _refuse_elsewhere(folder, files)
    changed = [path for path, content in files.items() if _differs(folder / path, content)]
    lost = [path for path in changed if (folder / path).exists()]
    if lost and not overwrite:
        raise BadRequest(
            f"{_listed(lost)} in {folder} would be lost; commit or move them, then --overwrite."
        )
    _refuse_detours(folder, files)
    for path in changed:
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        replace_file(folder / path, files[path])
        click.echo(path)
    for one in answer["leftOut"]:
        click.echo(
            f"left out: {one['kind']} {one['name']} ({one['id']}): {one['reason']}", err=True
        )
    count = "1 file" if len(changed) == 1 else f"{len(changed)} files"
    click.echo(f"{count} written, {len(files) - len(changed)} unchanged.", err=True)
    return 0


def workflow_id(client: Client, name: str) -> str:
    """Return the id of the workflow with this name, or the id itself."""
    found = client.find_workflow(name)
    if found is None and parse_id(name) is None:
        raise BadRequest(f"The project has no workflow {name!r}.")
    return name if found is None else str(found["id"])


def _refuse_elsewhere(folder: Path, files: Mapping[str, bytes]) -> None:
    """Raise BadRequest when other files declare what is about to be written."""
    present = dsl.load_folder(folder) if folder.is_dir() else {}
    others = {path: content for path, content in present.items() if path not in files}
    here = _declared(dsl.read_bundle(files))
    clashing = {
        path: thing for thing, path in _declared(dsl.read_bundle(others)).items() if thing in here
    }
    if clashing:
        path, (kind, name) = next(iter(clashing.items()))
        raise BadRequest(
            f"{folder / path} declares {kind} {name!r} as well; remove it, or pull --into another"
            " folder."
        )


def _declared(bundle: dsl.Bundle) -> dict[tuple[str, str], str]:
    """Return the files in which things are declared, by kind and name."""
    found = [
        *(("workflow", one.name.value, file) for file, one in bundle.workflows()),
        *(("template", one.name.value, file) for file, one in bundle.templates()),
        *(("segment", one.name.value, file) for file, one in bundle.segments()),
    ]
    return {(kind, name): file.source.path for kind, name, file in found}


def _differs(path: Path, content: bytes) -> bool:
    return not path.is_file() or path.read_bytes() != content


def _refuse_detours(folder: Path, files: Mapping[str, bytes]) -> None:
    """Raise BadRequest when a path leads out of the folder, by itself or by a link."""
    for path in files:
        if not (folder / path).resolve().is_relative_to(folder.resolve()):
            raise BadRequest(f"{path} would be written outside of {folder}; nothing was.")


def _listed(paths: Sequence[str]) -> str:
    more = len(paths) - SHOWN
    return ", ".join(paths[:SHOWN]) + (f" and {more} more" if more > 0 else "")
