"""The world outside: who takes mail and who answers web hooks, and what they remember."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from plunk.delivery.message import Message
from plunk.delivery.outcomes import Accepted, Deferred, Outcome, Refused, Unknown
from plunk.outbound import Answer, OutgoingRequest
from plunk.outbound.values import NetworkFailed
from tests.proofs.stage import Stage
from tests.proofs.wire import Wire

OUTCOMES = (Accepted("taken"), Deferred("421 later"), Unknown("no answer"), Refused("550 no"))
ANSWERS = (200, 500)
LEASE = timedelta(seconds=60)
ALMOST = LEASE - timedelta(seconds=1)  # commits take their milliseconds


@dataclass
class Outside:
    """What everybody outside saw; `excused` are the repeats that I5 allows, by Message-ID."""

    stage: Stage
    taken: Counter[str] = field(default_factory=Counter)
    excused: Counter[str] = field(default_factory=Counter)
    unsettled: defaultdict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    in_hand: dict[str, str] = field(default_factory=dict)
    committed_at: dict[str, datetime] = field(default_factory=dict)  # by worker: its leases' begin
    begun_late: list[str] = field(default_factory=list)  # messages, after half a lease
    called: dict[str, list[OutgoingRequest]] = field(default_factory=dict)
    late: set[tuple[str, int]] = field(default_factory=set)  # calls made after the lease's end
    left_at: dict[str, int] = field(default_factory=dict)  # who unsubscribed, at which tick
    unwanted: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.stage.on_sleep = self.slept

    def recorded(self, worker: str) -> None:
        """Note that a worker has committed what it was told, or has taken a lease."""
        self.unsettled[worker].clear()
        self.committed_at[worker] = self.stage.clock.now()

    def lost(self, worker: str) -> None:
        """Note that a worker died or lost its lease: what it was told may be asked again."""
        self.excused.update(self.unsettled[worker])
        self.unsettled[worker].clear()

    def slept(self) -> None:
        """Excuse what was handed over, or is just being handed over, when its lease ended."""
        for worker in self.committed_at:
            if self.has_lost_lease(worker):
                self.lost(worker)
                if worker in self.in_hand:
                    self.excused[self.in_hand.pop(worker)] += 1

    def has_lost_lease(self, worker: str) -> bool:
        """Tell whether others may have what this worker took last."""
        return self.lease_age(worker) > ALMOST

    def lease_age(self, worker: str) -> timedelta:
        """Return how long ago a worker has taken its lease, at most."""
        return self.stage.clock.now() - self.committed_at[worker]


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
        if outside.lease_age(name) > LEASE / 2:
            outside.begun_late.append(message.message_id)
        outside.in_hand[name] = message.message_id
        try:
            stage.moment(name, "before the provider")
        finally:
            is_held = outside.in_hand.pop(name, None) is not None
        left_at = outside.left_at.get(message.to_address)
        if message.subject == "News" and left_at is not None and left_at <= self.wire.began_at:
            outside.unwanted.append(message.to_address)
        outcome = OUTCOMES[0]
        if stage.baton.is_mine():
            (outcome,) = stage.random.choices(OUTCOMES, (85, 6, 5, 4))
        if isinstance(outcome, Accepted | Unknown):
            outside.taken[message.message_id] += 1
            if isinstance(outcome, Unknown):
                outside.excused[message.message_id] += 1
            if is_held:
                outside.unsettled[name].append(message.message_id)
        stage.moment(name, "after the provider")
        return outcome


@dataclass
class Receiver:
    """The receiver of web hooks as one worker sees it; it numbers its answers to a call."""

    wire: Wire
    outside: Outside

    def __call__(self, request: OutgoingRequest) -> Answer:
        """Answer as the seed says, or not at all."""
        outside, stage, name = self.outside, self.outside.stage, self.wire.name
        stage.moment(name, "before the call")
        key = request.headers["Idempotency-Key"]
        requests = outside.called.setdefault(key, [])
        requests.append(request)
        number = len(requests)
        if outside.has_lost_lease(name):
            outside.late.add((key, number))
        status = ANSWERS[0]
        if stage.baton.is_mine():
            if stage.chance(0.1):
                raise NetworkFailed("nobody is there")
            (status,) = stage.random.choices(ANSWERS, (85, 15))
        stage.moment(name, "after the call")
        return Answer(status, json.dumps({"number": number}), "application/json", request.url)
