"""What entering a step can come to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, TypeAlias

from plunk.engine.core.effects import Effect
from plunk.engine.core.facts import Facts
from plunk.engine.core.run import Awaiting


@dataclass(frozen=True, slots=True)
class Done:
    """The step is over; `branch` names the way out, `facts` replace those known so far.

    `has_arrived`: what a wait waits for is there already, and its way out is taken.
    """

    output: Mapping[str, object]
    branch: str | None = None
    effects: tuple[Effect, ...] = ()
    facts: Facts | None = None
    has_arrived: bool = False


@dataclass(frozen=True, slots=True)
class Held:
    """The run stands before the step until then; the step has not been visited."""

    until: datetime


@dataclass(frozen=True, slots=True)
class Parked:
    """The run stays here for now; a delay's own visit is over at once, its run waits on."""

    status: Literal["COMPLETED", "WAITING", "RUNNING"]
    due_at: datetime | None
    awaiting: Awaiting | None = None
    output: Mapping[str, object] | None = None
    effects: tuple[Effect, ...] = ()


@dataclass(frozen=True, slots=True)
class Ended:
    """The run is over here, by design."""

    output: Mapping[str, object]
    reason: str


@dataclass(frozen=True, slots=True)
class Failed:
    """The step cannot be carried out."""

    error: str


Outcome: TypeAlias = Done | Held | Parked | Ended | Failed
