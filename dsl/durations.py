"""Units of time."""

from __future__ import annotations

from math import isfinite
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dsl.nodes import Duration

# In days: a wait; what lies between two runs, or around a date; a look into the past.
LONGEST_DAYS, LONGEST_REENTRY, LONGEST_LOOK = 365, 3_650, 36_500
UNITS = {"seconds": 1, "minutes": 60, "hours": 3_600, "days": 86_400, "weeks": 604_800}


def plural(unit: str) -> str:
    """Return the unit's name in the plural, whichever way it was written."""
    return unit if unit.endswith("s") else unit + "s"


def is_unit(unit: str) -> bool:
    """Whether this is a unit, singular or plural."""
    return plural(unit) in UNITS


def seconds(duration: Duration) -> int | float:
    """Length in seconds; a unit that does not exist counts as seconds."""
    length = duration.amount * UNITS.get(plural(duration.unit), 1)
    return int(length) if isfinite(length) and length == int(length) else length


def from_seconds(length: float) -> tuple[int | float, str]:
    """Return the largest unit that says the length without a fraction."""
    for unit, size in reversed(UNITS.items()):
        if length >= size and length % size == 0:
            return int(length // size), unit
    return length, "seconds"


def spoken(amount: float, unit: str) -> str:
    """1 day, 3 days."""
    return f"{amount} {unit.removesuffix('s') if amount == 1 else plural(unit)}"
