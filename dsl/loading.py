"""The only place that reads the disk: .flow files and the files they refer to."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from dsl.bundle import file_references, is_flow, resolve
from dsl.parser import parse

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator


def load_paths(paths: Iterable[Path]) -> dict[str, bytes]:
    """Return the .flow files among the paths and in folders, and the files their templates name.

    Keys are paths as they were given, with slashes.
    """
    found: dict[str, bytes] = {}
    for path in paths:
        if path.is_dir():
            inside = load_folder(path)
            found |= {(path / name).as_posix(): content for name, content in inside.items()}
        else:
            found |= _with_references(path.parent, path.name, path.parent)
    return found


def load_folder(folder: Path) -> dict[str, bytes]:
    """All .flow files of a folder, recursively, and the files they name, relative to it."""
    found: dict[str, bytes] = {}
    for path in _flow_files(folder):
        found |= _with_references(folder, path.relative_to(folder).as_posix(), Path())
    return found


def _flow_files(folder: Path) -> Iterator[Path]:
    """Yield the .flow files, hidden folders left out."""
    for path in sorted(folder.rglob("*.flow")):
        if path.is_file() and not any(p.startswith(".") for p in path.relative_to(folder).parts):
            yield path


def _with_references(root: Path, name: str, prefix: Path) -> dict[str, bytes]:
    """One .flow file and the files it refers to, none of them outside the root."""
    text = (root / name).read_bytes()
    found = {(prefix / name).as_posix(): text}
    for reference in file_references(parse(text, name).file):
        target = resolve(name, str(reference.value))
        if target and not is_flow(target) and _is_inside(root, root / target):
            found[(prefix / target).as_posix()] = (root / target).read_bytes()
    return found


def _is_inside(root: Path, path: Path) -> bool:
    """Whether a file really lies in the root, symbolic links followed."""
    return path.is_file() and path.resolve().is_relative_to(root.resolve())
