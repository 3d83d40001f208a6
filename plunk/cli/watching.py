"""Noticing that files have changed, by looking at them now and then."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

Stamps = dict[Path, int]


class Watch:
    """Remembers how a set of files stood when they were last looked at."""

    def __init__(self, find: Callable[[], list[Path]]) -> None:
        self._find = find
        self._seen = self._look()

    def has_changed(self) -> bool:
        """Tell whether a file was added, changed or removed since the last time."""
        seen = self._look()
        changed = seen != self._seen
        self._seen = seen
        return changed

    def _look(self) -> Stamps:
        return {path: stamp for path in self._find() if (stamp := _stamp(path)) is not None}


def files_in(*folders: Path, suffix: str = "") -> Callable[[], list[Path]]:
    """Return a search for the files in these folders, hidden ones and compiled ones left out."""

    def find() -> list[Path]:
        return [
            path
            for folder in folders
            for path in folder.rglob(f"*{suffix}")
            if path.is_file() and not any(part.startswith((".", "__py")) for part in path.parts)
        ]

    return find


def _stamp(path: Path) -> int | None:
    """Return when a file was last written, None when it has just gone."""
    try:
        return path.stat().st_mtime_ns
    except OSError:
        return None
