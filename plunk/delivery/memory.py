"""The provider for tests: remembers what it was given, and answers as it is told."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from plunk.delivery.message import Message
from plunk.delivery.mime import bare_message_id
from plunk.delivery.outcomes import Accepted, Outcome, Unknown


def accept(message: Message) -> Outcome:
    """Answer as a provider does on a good day."""
    return Accepted(bare_message_id(message))


class MemoryProvider:
    """Keeps all it was handed in `attempts`, and in `messages` what it may have delivered."""

    def __init__(self, answer: Callable[[Message], Outcome] = accept) -> None:
        self.answer = answer
        self.attempts: list[Message] = []
        self.messages: list[Message] = []

    def deliver(self, messages: Sequence[Message]) -> list[Outcome]:
        """Answer for each message, in order."""
        return [self._take(message) for message in messages]

    def close(self) -> None:
        """Nothing is open."""

    def _take(self, message: Message) -> Outcome:
        self.attempts.append(message)
        outcome = self.answer(message)
        if isinstance(outcome, Accepted | Unknown):
            self.messages.append(message)
        return outcome
