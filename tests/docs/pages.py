"""Pages whose files and commands are carried out as a reader would.

DOCS_UPDATE=1 writes what the commands print into the pages; read the difference before keeping it.
"""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
FENCE = re.compile(r"^(?:<!-- file: (\S+) -->\n)?```(\w+)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
PROMPT = "$ "


@dataclass(frozen=True)
class Told:
    """A command of the page, and what the page says it prints."""

    command: str
    output: str


Piece = tuple[str, str] | Told


def pieces(page: str) -> list[Piece]:
    """Return the files (path and content) and the commands of a page in docs, in their order."""
    found: list[Piece] = []
    for path, kind, content in FENCE.findall((ROOT / "docs" / page).read_text("utf-8")):
        if path:
            found.append((path, content))
        elif kind == "console":
            found += _commands(content)
    return found


def _commands(content: str) -> list[Told]:
    parts = re.split(r"^\$ ", content, flags=re.MULTILINE)[1:]
    return [Told(command, output) for command, _, output in (one.partition("\n") for one in parts)]


def follow(page: str, run: Callable[[list[str]], str]) -> None:
    """Write the files of a page and run its commands, as they come; each prints what it says."""
    for piece in pieces(page):
        if isinstance(piece, Told):
            printed = run(shlex.split(piece.command))
            if os.environ.get("DOCS_UPDATE"):
                _note(page, piece, printed)
                continue
            assert matches(piece.output, printed), f"$ {piece.command}\n{printed}"
        else:
            path = Path(piece[0])
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(piece[1], "utf-8")


def _note(page: str, piece: Told, printed: str) -> None:
    path = ROOT / "docs" / page
    told, shown = (f"$ {piece.command}\n{one}" for one in (piece.output, printed))
    path.write_text(path.read_text("utf-8").replace(told, shown, 1), "utf-8")


def matches(told: str, printed: str) -> bool:
    """Tell whether this was printed; … stands for anything within a line."""
    pattern = "".join(".*" if part == "…" else re.escape(part) for part in re.split("(…)", told))
    return re.fullmatch(pattern, printed) is not None
