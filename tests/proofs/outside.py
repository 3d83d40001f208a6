"""The world outside: who takes mail and who answers web hooks, and what they remember."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field

from plunk.delivery.message import Message
from plunk.delivery.outcomes import Accepted, Deferred, Outcome, Refused, Unknown
from plunk.outbound import Answer, OutgoingRequest
from plunk.outbound.values import NetworkFailed
from tests.proofs.stage import Stage
from tests.proofs.wire import Wire

OUTCOMES = (Accepted("taken"), Deferred("421 later"), Unknown("no answer"), Refused("550 no"))
ANSWERS = (200, 500)


@dataclass
class Outside:
    """What everybody outside saw; `excused` are the repeats that I5 allows, by Message-ID."""

    stage: Stage
    taken: Counter[str] = field(default_factory=Counter)
    excused: Counter[str] = field(default_factory=Counter)
    unsettled: defaultdict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    suspended: set[str] = field(default_factory=set)
    called: dict[str, list[OutgoingRequest]] = field(default_factory=dict)
    left_at: dict[str, int] = field(default_factory=dict)  # who unsubscribed, at which tick
    unwanted: list[str] = field(default_factory=list)

    def recorded(self, worker: str) -> None:
        """Note that a worker has committed what it was told."""
        self.unsettled[worker].clear()

    def lost(self, worker: str) -> None:
        """Note that a worker died or slept: what it was told may be asked again."""
        self.excused.update(self.unsettled[worker])
        self.unsettled[worker].clear()

    def sleeps(self, workers: Sequence[str]) -> None:
        """Note that workers slept longer than their leases, in the middle of their work."""
        for worker in workers:
            self.suspended.add(worker)
            self.excused.update(self.unsettled[worker])


@dataclass
class PostOffice:
    """The provider as one worker sees it."""

    wire: Wire
    outside: Outside

    def deliver(self, messages: Sequence[Message]) -> list[Outcome]:
        """Answer for each message, as the seed says."""
        return [self._take(message) for message in messages]

    def close(self) -> None:
        """Nothing is open."""

    def _take(self, message: Message) -> Outcome:
        outside, stage, name = self.outside, self.outside.stage, self.wire.name
        stage.moment(name, "before the provider")
        left_at = outside.left_at.get(message.to_address)
        if message.subject == "News" and left_at is not None and left_at <= self.wire.began_at:
            outside.unwanted.append(message.to_address)
        outcome = OUTCOMES[0]
        if stage.baton.is_mine():
            (outcome,) = stage.random.choices(OUTCOMES, (85, 6, 5, 4))
        if isinstance(outcome, Accepted | Unknown):
            outside.taken[message.message_id] += 1
            outside.unsettled[name].append(message.message_id)
            if isinstance(outcome, Unknown) or name in outside.suspended:
                outside.excused[message.message_id] += 1
        stage.moment(name, "after the provider")
        return outcome


@dataclass
class Receiver:
    """The receiver of web hooks as one worker sees it."""

    wire: Wire
    outside: Outside

    def __call__(self, request: OutgoingRequest) -> Answer:
        """Answer as the seed says, or not at all."""
        stage, name = self.outside.stage, self.wire.name
        stage.moment(name, "before the call")
        key = request.headers["Idempotency-Key"]
        self.outside.called.setdefault(key, []).append(request)
        status = ANSWERS[0]
        if stage.baton.is_mine():
            if stage.chance(0.1):
                raise NetworkFailed("nobody is there")
            (status,) = stage.random.choices(ANSWERS, (85, 15))
        stage.moment(name, "after the call")
        return Answer(status, '{"ok":true}', "application/json", request.url)
