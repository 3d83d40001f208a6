"""Small values that every layer shares."""

from __future__ import annotations

from enum import Enum
from typing import Final


class Unset(Enum):
    """The type of UNSET: a field that was not given, as opposed to one given as null."""

    UNSET = "unset"


UNSET: Final = Unset.UNSET
