"""What came of a test."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

from plunk.simulation.people import Walker
from plunk.simulation.timeline import UTC_ZONE, Entry


@dataclass(frozen=True, slots=True)
class Mismatch:
    """An expectation that was not met: what was expected, what there was, where they part."""

    expected: str
    found: str
    difference: str | None = None


@dataclass(frozen=True, slots=True)
class Failure:
    """Where a test failed: the line with its text, and why."""

    line: int
    text: str
    mismatch: Mismatch

    def to_json(self) -> dict[str, Any]:
        """Return the wire form."""
        return {
            "line": self.line,
            "text": self.text,
            "expected": self.mismatch.expected,
            "found": self.mismatch.found,
            "difference": self.mismatch.difference,
        }


@dataclass(frozen=True, slots=True)
class Result:
    """One test that was run; without a failure it has passed."""

    name: str
    file: str
    line: int
    failure: Failure | None
    timeline: Sequence[Entry]
    walkers: Sequence[Walker]
    zone: ZoneInfo = UTC_ZONE

    @property
    def ok(self) -> bool:
        """Whether every expectation was met."""
        return self.failure is None

    def to_json(self) -> dict[str, Any]:
        """Return the wire form."""
        return {
            "name": self.name,
            "file": self.file,
            "line": self.line,
            "ok": self.ok,
            "failure": self.failure.to_json() if self.failure else None,
            "timeline": [entry.to_json() for entry in self.timeline],
        }
