"""`plunk plan`: what deploying a folder would do; saved, it is what `plunk deploy --plan` does."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import click

import dsl
from plunk.cli import plan_text
from plunk.cli.flows import Files, agreed, deploy_files, open_client, read_folder, server_url, show
from plunk.client import LOOPBACK
from plunk.errors import BadRequest

NOTHING, FAILED, CHANGES = 0, 1, 2
VERSION = 1


@dataclass(frozen=True, slots=True)
class Saved:
    """A plan in a file: what it was made from, and the digest that stands for it."""

    digest: str
    in_flight: str
    files: str
    url: str
    version: int = VERSION


def plan(folder: Path, *, in_flight: str | None, out: Path | None, as_json: bool) -> int:
    """Print what deploying the folder would do; return 0 for nothing, 2 for changes."""
    files = read_folder(folder)
    with open_client() as client:
        answer = agreed(files, "Nothing was planned", lambda: client.plan(files, in_flight))
    if answer is None:
        return FAILED
    if out is not None:
        _save(out, answer, files)
    if as_json:
        click.echo(json.dumps(answer, indent=2, ensure_ascii=False))
    else:
        show([dsl.Diagnostic.from_json(one) for one in answer["diagnostics"]], files)
        for line in plan_text.lines(answer):
            click.echo(line)
    return CHANGES if plan_text.changes_something(answer) else NOTHING


def deploy(folder: Path, *, in_flight: str | None, saved: Path | None) -> int:
    """Deploy the folder, just as a saved plan says if there is one; print what changed."""
    files = read_folder(folder)
    digest = None
    if saved is not None:
        read = read_plan(saved, files, in_flight)
        digest, in_flight = read.digest, read.in_flight
    with open_client() as client:
        return deploy_files(client, files, in_flight=in_flight, plan_digest=digest)


def read_plan(path: Path, files: Files, in_flight: str | None) -> Saved:
    """Return a saved plan; BadRequest when it is of other files, of another server, or no plan."""
    saved = _read(path)
    if saved.files != _digest(files):
        raise BadRequest(f"The files have changed since {path} was made; make a new plan.")
    if _server(saved.url) != _server(server_url()):
        raise BadRequest(f"{path} is a plan for {saved.url}, not for {server_url()}.")
    if in_flight not in (None, saved.in_flight):
        raise BadRequest(f"{path} is a plan to {saved.in_flight}, not to {in_flight}.")
    return saved


def _save(path: Path, answer: Mapping[str, Any], files: Files) -> None:
    saved = Saved(answer["digest"], answer["inFlight"], _digest(files), server_url())
    text = json.dumps({**asdict(saved), "plan": answer}, indent=2, ensure_ascii=False)
    try:
        path.write_text(text + "\n", encoding="utf-8")
    except OSError as error:
        raise BadRequest(f"{path} cannot be written: {error.strerror}.") from error


def _read(path: Path) -> Saved:
    try:
        match json.loads(path.read_text(encoding="utf-8")):
            case {
                "digest": str(digest),
                "in_flight": "follow" | "pin" | "drain" as in_flight,
                "files": str(files),
                "url": str(url),
                "version": 1,
            }:
                return Saved(digest, in_flight, files, url)
    except OSError as error:
        raise BadRequest(f"{path} cannot be read as a plan: {error.strerror}.") from error
    except UnicodeDecodeError as error:
        raise BadRequest(f"{path} cannot be read as a plan: it is not UTF-8 text.") from error
    except (ValueError, RecursionError) as error:
        raise BadRequest(f"{path} cannot be read as a plan: it is not JSON of one.") from error
    raise BadRequest(f"{path} is no plan that plunk plan --out has written.")


def _server(url: str) -> str:
    """Return an address in which this machine has one name."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        return url
    if host not in LOOPBACK:
        return url
    place = f"localhost:{port}" if port else "localhost"
    return urlunsplit(parts._replace(netloc=place))


def _digest(files: Files) -> str:
    text = json.dumps(dict(files), sort_keys=True)
    return "sha256:" + hashlib.sha256(text.encode()).hexdigest()
