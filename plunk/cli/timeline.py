"""A run as people read it: one line for each thing that happens to it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

Json = dict[str, Any]
ENDED = ("COMPLETED", "EXITED", "FAILED", "CANCELLED")
STEP_WIDTH = 36


@dataclass(slots=True)
class Timeline:
    """Remembers what of a run was already told."""

    told: dict[str, str] = field(default_factory=dict)

    def news(self, run: Json) -> Iterator[str]:
        """Yield a line for each visit to a step that is new or has changed since the last call."""
        for visit in run["stepExecutions"]:
            if self.told.get(visit["id"]) != visit["status"]:
                self.told[visit["id"]] = visit["status"]
                yield _line(visit)


def has_ended(run: Json) -> bool:
    """Tell whether nothing more will happen to the run."""
    return run["status"] in ENDED


def _line(visit: Json) -> str:
    step = visit["step"] or {}
    name, at = step.get("name", "a deleted step"), visit["completedAt"] or visit["startedAt"]
    note = visit["error"] or _note(visit["output"] or {})
    return f"{_clock(at)}  {name:<{STEP_WIDTH}} {visit['status'].lower():<9} {note}".rstrip()


def _note(output: Json) -> str:
    """Return what is worth knowing about what a step did."""
    match output:
        case {"repair": str(action), "reason": reason, "by": by}:
            return f"{action} by {by or 'somebody'}: {reason}"
        case {"resumeAt": str(at)}:
            return f"goes on at {_clock(at)}"
        case {"branch": branch}:
            return f"branch {branch}"
        case {"statusCode": status} | {"status": int(status)}:
            return f"answered {status}"
    return ""


def _clock(at: str | None) -> str:
    """Return the time of day out of an ISO instant, with tenths of a second."""
    return (at or "").partition("T")[2][:10]
