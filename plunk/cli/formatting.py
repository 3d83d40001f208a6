"""`plunk fmt`: .flow files in their one layout."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Sequence
from pathlib import Path

import click

import dsl
from plunk.cli import flows

FINE, UNDONE = 0, 1


def run(paths: Sequence[Path], *, check: bool) -> int:
    """Write the files anew where their layout is another one; with `check` only name them.

    Files that cannot be read are left as they are, and every mistake is shown. Return 1 when there
    is one, or when `check` names a file.
    """
    files = flows.find_files(paths)
    laid_out, broken = _laid_out(files)
    changed = {path: text for path, text in laid_out.items() if text.encode() != files[path]}
    for path, text in changed.items():
        click.echo(flows.seen_from_here(path.as_posix(), paths))
        if not check:
            replace_file(path, text.encode())
    verb = "would be formatted" if check else "formatted"
    fine = len(laid_out) - len(changed)
    unread = f", {_count(broken)} unreadable" if broken else ""
    click.echo(f"{_count(len(changed))} {verb}, {_count(fine)} unchanged{unread}.", err=True)
    return UNDONE if broken or (check and changed) else FINE


def replace_file(path: Path, content: bytes) -> None:
    """Write a file whole or not at all; what it may do and who may read it stays as it was."""
    target = path.resolve()
    handle, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name[:100]}.")
    draft = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        draft.chmod(target.stat().st_mode if target.exists() else 0o666 & ~_umask())
        draft.replace(target)
    except BaseException:
        draft.unlink(missing_ok=True)
        raise


def _laid_out(files: dict[Path, bytes]) -> tuple[dict[Path, str], int]:
    """Return the files in their layout, and how many cannot be read; show why they cannot."""
    found, broken = {}, 0
    for path, content in files.items():
        place = flows.seen_from_here(path.as_posix(), [Path()])
        try:
            found[path] = dsl.format(content, place)
        except dsl.NotFormattable as error:
            flows.show(error.diagnostics, {place: content.decode("utf-8", "replace")})
            broken += 1
    return found, broken


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def _count(number: int) -> str:
    return f"{number} file" if number == 1 else f"{number} files"
