"""The provider that throws everything away; for benchmarks."""

from __future__ import annotations

from collections.abc import Sequence

from plunk.delivery.message import Message
from plunk.delivery.mime import bare_message_id
from plunk.delivery.outcomes import Accepted, Outcome


class NullProvider:
    """Accepts every message and does nothing."""

    def deliver(self, messages: Sequence[Message]) -> list[Outcome]:
        """Accept."""
        return [Accepted(bare_message_id(message)) for message in messages]

    def close(self) -> None:
        """Nothing is open."""
