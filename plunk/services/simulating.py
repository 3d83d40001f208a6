"""What texts, or a project's own workflows, would do to one contact: played, never stored."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from plunk.clock import patience
from plunk.conditions.instants import instant
from plunk.errors import FieldProblem, Invalid
from plunk.services import flow_bundle, workflow_text
from plunk.services.workflow_text import Json, Written
from plunk.simulation.catalogue import catalogue_of
from plunk.simulation.story import Plot, tell
from plunk.simulation.world import Limits

MOST, MAX_CHARACTERS, MAX_SECONDS = 20_000, 5_000_000, 3.0
PROJECT = "project's own"


@dataclass(frozen=True, slots=True)
class Scenario:
    """What happens to whom; without files the project's own workflows take part."""

    contact: Mapping[str, Any]
    files: Mapping[str, str] = field(default_factory=dict)
    event: str | None = None
    workflow: str | None = None
    data: Mapping[str, Any] | None = None
    at: str | None = None
    days: float = 30


def cast(session: Session, project_id: str, files: Mapping[str, str]) -> Mapping[str, str]:
    """Return all files of the play: with templates and segments that only the project has."""
    if not files:
        return flow_bundle.pull(session, project_id).files
    found = flow_bundle.beside(session, project_id, workflow_text.undeclared(files))
    return {**{f"{PROJECT}/{path}": text for path, text in found.items()}, **files}


def play(written: Written, scenario: Scenario, *, now: datetime) -> Json:
    """Return the story of one contact, and doubts about the texts; BadRequest says what is odd."""
    plot = Plot(
        at=now.replace(microsecond=0) if scenario.at is None else _instant(scenario.at),
        event=scenario.event,
        contact=scenario.contact,
        data=scenario.data,
        days=scenario.days,
        workflow=scenario.workflow,
    )
    limits = Limits(MOST, MOST, MAX_CHARACTERS, patience(MAX_SECONDS))
    story = tell(catalogue_of(written.bundle), plot, limits)
    return {**story.to_json(), "diagnostics": _doubts(written.warnings)}


def _instant(text: str) -> datetime:
    at = instant(text)
    if at is None:
        message = "Expected an ISO 8601 time such as 2026-03-02T12:00:00Z"
        raise Invalid([FieldProblem("at", message, "invalid_string")])
    return at


def _doubts(warnings: Sequence[Json]) -> list[Json]:
    return [one for one in warnings if not str(one["file"]).startswith(f"{PROJECT}/")]
