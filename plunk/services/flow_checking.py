"""Checking a bundle: what the language finds, and what could not be stored anywhere."""

from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Set as AbstractSet

from plunk.services import flow_faults, workflow_text
from plunk.services.workflow_text import Json


def check(
    files: Mapping[str, str | bytes],
    templates: AbstractSet[str] | None = None,
    segments: AbstractSet[str] | None = None,
) -> list[Json]:
    """Return everything that is wrong or doubtful; names are those of the project, if known."""
    bundle, found = workflow_text.judge(files, templates, segments)
    if not workflow_text.is_valid(found):
        return found
    found += flow_faults.own(workflow_text.compiled(bundle, found))
    return sorted(found, key=_place)


def mistakes(files: Mapping[str, str]) -> dict[str, str]:
    """Return, by file, the first error that keeps it from being deployed."""
    found: dict[str, str] = {}
    for one in check(files):
        if one["severity"] == "error":
            found.setdefault(one["file"], one["message"])
    return found


def _place(one: Json) -> tuple[str, int, int]:
    start = one["range"]["start"]
    return one["file"], start["line"], start["column"]
