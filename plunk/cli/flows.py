""".flow files: checking them here, deploying them to a server."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import click

import dsl
from plunk.client import ApiError, Client
from plunk.errors import BadRequest, Misconfigured
from plunk.services import flow_checking

Files = Mapping[str, str]
DEFAULT_URL = "http://127.0.0.1:8000"


def check(paths: Sequence[Path], *, online: bool = False, as_json: bool) -> int:
    """Print every mistake in these files; return 1 when there is an error.

    `online` asks the server in the environment, which knows what the project holds.
    """
    root, files = _read(paths)
    if not any(path.endswith(".flow") for path in files):
        raise BadRequest(f"There is no .flow file in {', '.join(str(path) for path in paths)}.")
    judged = _judged_online(files) if online else judged_here(files)
    found = [_placed(item, root) for item in judged]
    if as_json:
        click.echo(json.dumps({"diagnostics": [item.to_json() for item in found]}, indent=2))
    else:
        show(found, {_place(path, root): _shown(content) for path, content in files.items()})
        click.echo(summary(found, files))
        click.echo(more_about(found), nl=False)
    return int(any(item.is_error for item in found))


def read_files(paths: Sequence[Path]) -> Files:
    """Return the bundle in these files and folders; BadRequest when no .flow file is there."""
    _, files = _read(paths)
    if not any(path.endswith(".flow") for path in files):
        raise BadRequest(f"There is no .flow file in {', '.join(str(path) for path in paths)}.")
    return {path: _shown(content) for path, content in files.items()}


def find_files(paths: Sequence[Path]) -> dict[Path, bytes]:
    """Return the .flow files in these files and folders; BadRequest when there is none."""
    found = dsl.load_paths([path.absolute() for path in paths])
    flows = {Path(path): found[path] for path in found if path.endswith(".flow")}
    if not flows:
        raise BadRequest(f"There is no .flow file in {', '.join(str(path) for path in paths)}.")
    return flows


def seen_from_here(path: str, paths: Sequence[Path]) -> str:
    """Return where a file of the bundle in these paths is, as seen from the current folder."""
    return _place(path, _root(paths))


def show_all(found: Iterable[dsl.Diagnostic], files: Files) -> None:
    """Print mistakes and how many there are, on standard error."""
    listed = list(found)
    show(listed, files)
    click.echo(summary(listed, files), err=True)


def deploy_files(
    client: Client, files: Files, *, in_flight: str | None = None, plan_digest: str | None = None
) -> int:
    """Deploy these files; print what changed, or every mistake, and return 1 for the latter."""

    def ask() -> dict[str, Any]:
        return client.deploy(files, in_flight=in_flight, plan_digest=plan_digest)

    answer = agreed(files, "Nothing was deployed", ask)
    if answer is None:
        return 1
    for line in changes(answer):
        click.echo(line)
    if in_flight in ("pin", "drain") and not any_changed(answer):
        click.echo(idle(in_flight))
    return 0


def any_changed(answer: Mapping[str, Any]) -> bool:
    """Tell whether a deployment changes a workflow that was there before."""
    return any(item["status"] == "changed" for item in answer["workflows"])


def idle(in_flight: str) -> str:
    """Return the line that says that a policy for runs under way concerned nobody."""
    return f"No workflow changes: {in_flight} does nothing here."


def agreed(files: Files, refusal: str, ask: Callable[[], dict[str, Any]]) -> dict[str, Any] | None:
    """Return what a server answers about these files; print the mistakes in them otherwise."""
    found = judged_here(files)
    if any(item.is_error for item in found):
        show(found, files)
        click.echo(f"{refusal}: {summary(found, files)}", err=True)
        return None
    try:
        return ask()
    except ApiError as error:
        refused = (error.details or {}).get("diagnostics")
        if not isinstance(refused, list):
            raise
        show([dsl.Diagnostic.from_json(item) for item in refused], files)
        click.echo(f"{refusal}: {error.message}", err=True)
        return None


def open_client() -> Client:
    """Return a client of the server and project that the environment names."""
    key = os.environ.get("PLUNK_API_KEY", "")
    if not key:
        raise Misconfigured("PLUNK_API_KEY is not set; it is the project's secret key, sk_….")
    if not (key.isascii() and key.isprintable()):
        raise Misconfigured("PLUNK_API_KEY has characters that no key has.")
    return Client(server_url(), key)


def server_url() -> str:
    """Return the address of the server that the environment names."""
    url = os.environ.get("PLUNK_API_URL") or DEFAULT_URL
    if not url.startswith(("http://", "https://")):
        raise Misconfigured(f"PLUNK_API_URL must start with http:// or https://, not {url!r}.")
    if not _has_host(url):
        raise Misconfigured(
            f"PLUNK_API_URL is no address of a server such as {DEFAULT_URL}: {url!r}."
        )
    return url.rstrip("/")


def _has_host(url: str) -> bool:
    """Tell whether an address names a host, and no port that cannot be."""
    try:
        parts = urlsplit(url)
        return bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False


def read_folder(folder: Path) -> dict[str, str]:
    """Return the bundle in a folder as texts; BadRequest when there is none or it is not text."""
    files = dsl.load_folder(folder)
    if not files:
        raise BadRequest(f"There is no .flow file in {folder}.")
    return _texts(files)


def show(found: Iterable[dsl.Diagnostic], files: Files) -> None:
    """Print diagnostics with the place they are about."""
    for item in found:
        click.echo(dsl.render(item, files.get(item.file, "")))


def summary(found: Sequence[dsl.Diagnostic], files: Mapping[str, object]) -> str:
    """Return one line: how many files, mistakes and doubts."""
    errors = sum(item.is_error for item in found)
    flows = sum(path.endswith(".flow") for path in files)
    counts = [(flows, "file"), (errors, "error"), (len(found) - errors, "warning")]
    return ", ".join(f"{count} {noun}{'' if count == 1 else 's'}" for count, noun in counts) + "."


def more_about(found: Sequence[dsl.Diagnostic]) -> str:
    """Return one line about where the first error is explained; nothing without errors."""
    first = next((item.code for item in found if item.is_error), None)
    return f"plunk explain {first} says more.\n" if first else ""


def judged_here(files: Mapping[str, str | bytes]) -> list[dsl.Diagnostic]:
    """Return all that can be found without a server."""
    return [dsl.Diagnostic.from_json(one) for one in flow_checking.check(files)]


def _judged_online(files: Mapping[str, bytes]) -> list[dsl.Diagnostic]:
    """Return what the server finds; mistakes that can be seen from here need none."""
    here = judged_here(files)
    if any(item.is_error for item in here):
        return here
    with open_client() as client:
        return [dsl.Diagnostic.from_json(item) for item in client.check(_texts(files))]


def _texts(files: Mapping[str, bytes]) -> dict[str, str]:
    """Return the files as texts; BadRequest when one is none."""
    try:
        return {path: content.decode() for path, content in files.items()}
    except UnicodeDecodeError as error:
        broken = next(path for path, content in files.items() if content == error.object)
        raise BadRequest(f"{broken} is not UTF-8 text.") from error


def _read(paths: Sequence[Path]) -> tuple[Path, dict[str, bytes]]:
    """Return the folder that all of these paths are in, and their files relative to it."""
    root = _root(paths)
    files = dsl.load_paths([path.absolute() for path in paths])
    return root, {Path(path).relative_to(root).as_posix(): files[path] for path in files}


def _root(paths: Sequence[Path]) -> Path:
    given = [path.absolute() for path in paths]
    return Path(os.path.commonpath([one if one.is_dir() else one.parent for one in given]))


def _placed(item: dsl.Diagnostic, root: Path) -> dsl.Diagnostic:
    """Return a diagnostic whose files are named as seen from here."""
    notes = tuple(replace(note, file=_place(note.file, root)) for note in item.notes)
    return replace(item, file=_place(item.file, root), notes=notes)


def _place(path: str, root: Path) -> str:
    place = root / path
    return str(place.relative_to(Path.cwd()) if place.is_relative_to(Path.cwd()) else place)


def _shown(content: bytes) -> str:
    return content.decode("utf-8", "replace")


def changes(answer: Mapping[str, Any]) -> list[str]:
    """Return a line for each thing that a deployment created, changed or left alone."""
    return [
        f"{kind[:-1]} {item['name']}: {item['status']}"
        for kind in ("templates", "segments", "workflows")
        for item in answer[kind]
    ]
