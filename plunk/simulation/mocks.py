"""Answers from outside that somebody has laid down: of web hooks, and of chance."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from plunk.engine.core.branching import DEFAULT
from plunk.engine.core.graph import Graph
from plunk.engine.core.steps import Split
from plunk.errors import BadRequest

LOWEST, HIGHEST = 100, 599
KEYS = ("status", "body", "error")


@dataclass(frozen=True, slots=True)
class Answer:
    """How a web hook answers: with a status and a body, or not at all, with an error."""

    status: int | None = 200
    body: object = field(default_factory=dict)
    error: str | None = None
    is_mocked: bool = True


UNMOCKED = Answer(is_mocked=False)


@dataclass(frozen=True, slots=True)
class Chance:
    """Which way splits take; without a label, all that have such a way."""

    branch: str | None
    label: str | None = None


@dataclass(slots=True)
class Mocks:
    """What was laid down so far; later ones count for more."""

    answers: list[tuple[str, Answer]] = field(default_factory=list)
    chances: list[Chance] = field(default_factory=list)

    def answer(self, url: str) -> Answer:
        """Return how an address answers; one that nobody laid down answers 200 {}."""
        fitting = (answer for pattern, answer in reversed(self.answers) if fits(pattern, url))
        return next(fitting, UNMOCKED)

    def choices(self, graph: Graph) -> dict[str, str]:
        """Return the ways that splits of a graph have to take, by the step's label or id."""
        found: dict[str, str] = {}
        for chance in self.chances:
            for step in graph.steps.values():
                key = step.label or step.id
                if not isinstance(step.action, Split) or chance.label not in {None, key}:
                    continue
                branch = branch_of(step.action, chance.branch)
                if branch is not None:
                    found[key] = branch
        return found


def branch_of(split: Split, wanted: str | None) -> str | None:
    """Return the way that a split has under a name; None when it has none such."""
    if wanted is None:
        return DEFAULT
    for share in split.shares:
        if wanted in {share.id, share.name}:
            return share.id
    return None


def fits(pattern: str, url: str) -> bool:
    """Tell whether an address fits a pattern, in which every * stands for anything."""
    first, *others = pattern.split("*")
    if not others:
        return url == pattern
    *middle, last = others
    at = len(first)
    if not url.startswith(first):
        return False
    for part in middle:
        found = url.find(part, at)
        if found < 0:
            return False
        at = found + len(part)
    return len(url) - len(last) >= at and url.endswith(last)


def answer_of(raw: Mapping[str, Any]) -> Answer:
    """Read {status, body} or {error}; BadRequest when it is neither."""
    unknown = sorted(raw.keys() - set(KEYS))
    if unknown:
        raise BadRequest(f"an answer has {', '.join(KEYS)}, not {unknown[0]!r}")
    if "error" in raw:
        if not isinstance(raw["error"], str) or len(raw) > 1:
            raise BadRequest("error must be a text, without status and body")
        return Answer(None, None, raw["error"])
    status = raw.get("status", 200)
    if isinstance(status, bool) or not isinstance(status, int) or not LOWEST <= status <= HIGHEST:
        raise BadRequest(f"status must be a number from {LOWEST} to {HIGHEST}")
    return Answer(status, _parsed(raw.get("body", {})))


def _parsed(body: object) -> object:
    """Return what a run gets to see: a text that holds JSON is read, as in the product."""
    if not isinstance(body, str) or not body.startswith(("{", "[")):
        return body
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return body
