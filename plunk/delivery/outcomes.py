"""What became of one message: the four answers a provider can give."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Accepted:
    """The provider took responsibility; notices will name `provider_id`."""

    provider_id: str


@dataclass(frozen=True, slots=True)
class Deferred:
    """Not taken, and worth another attempt later."""

    reason: str
    code: int | None = None


@dataclass(frozen=True, slots=True)
class Refused:
    """Not taken, and never will be."""

    reason: str
    code: int | None = None


@dataclass(frozen=True, slots=True)
class Unknown:
    """Handed over completely, but the answer was lost: it may have been taken."""

    reason: str


Outcome = Accepted | Deferred | Refused | Unknown
