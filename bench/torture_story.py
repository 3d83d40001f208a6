"""What happens to the tortured installation: a workflow, its people, and stubborn clients."""

from __future__ import annotations

import random
import threading
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import count

from plunk.client import ApiError, Client, Json, Unreachable

BATCH = 10
THINKING_SECONDS = (3.0, 7.0)  # a run waits for 2 seconds, and then for the confirmation
REUSED = "IDEMPOTENCY_KEY_REUSED"
FLOW = """
template "receipt" {
  type: transactional
  subject: "Order {{ event.number }}"
  from: "shop@example.com"
  body: "<p>Thank you</p>"
}
workflow "Torture" {
  on event "ordered"
  reentry always
  if contact.data.plan == "pro" {
    update contact { begun: (contact.data.begun ?? 0) + 1, tier: "gold" }
  } else {
    update contact { begun: (contact.data.begun ?? 0) + 1, tier: "basic" }
  }
  send email "receipt"
  wait 2 seconds
  wait for event "confirmed" up to 6 seconds {
    update contact { confirmed: (contact.data.confirmed ?? 0) + 1 }
  } timeout {
    update contact { late: (contact.data.late ?? 0) + 1 }
  }
  webhook POST "RECEIVER/orders" { body: { number: event.number } }
  update contact { ended: (contact.data.ended ?? 0) + 1 }
  exit "done"
}
"""


@dataclass
class Orders:
    """What the clients were told: which orders were accepted, and which stayed in doubt."""

    accepted: set[str] = field(default_factory=set)
    doubtful: set[str] = field(default_factory=set)
    errors: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def note(self, numbers: Sequence[str], *, accepted: bool) -> None:
        """Note how a request ended."""
        with self.lock:
            (self.accepted if accepted else self.doubtful).update(numbers)


def addresses(people: int) -> list[str]:
    """Return everybody's address."""
    return [f"person{number}@example.com" for number in range(people)]


def introduce(client: Client, people: int) -> None:
    """Make the contacts, every other one with the plan `pro`."""
    everybody = addresses(people)
    for start in range(0, people, 500):
        chunk = everybody[start : start + 500]
        plans = ("pro", "free")
        client.track_batch(
            [
                {"event": "met", "email": email, "data": {"plan": plans[index % 2]}}
                for index, email in enumerate(chunk)
            ]
        )


def place_orders(
    client: Client, orders: Orders, numbers: Sequence[int], *, people: int, batched: bool
) -> None:
    """Place these orders, one by one or in batches, each until it is accepted for certain."""
    chance = random.Random(numbers[0])
    everybody = addresses(people)
    size = BATCH if batched else 1
    thinking: deque[tuple[float, int, str]] = deque()  # who will confirm an order, and when
    for start in range(0, len(numbers), size):
        buyers = [(number, chance.choice(everybody)) for number in numbers[start : start + size]]
        for attempt in count(1):
            named = {f"{number}-{attempt}": email for number, email in buyers}
            accepted = _insist(client, orders, "ordered", named)
            orders.note(tuple(named), accepted=accepted)
            if accepted:
                break
        if chance.random() < 1 / 2:
            thinking.append((time.monotonic() + chance.uniform(*THINKING_SECONDS), *buyers[0]))
        while thinking and (thinking[0][0] < time.monotonic() or start + size >= len(numbers)):
            due, number, email = thinking.popleft()
            time.sleep(max(0.0, due - time.monotonic()))
            _insist(client, orders, "confirmed", {f"c{number}": email})


def _insist(client: Client, orders: Orders, event: str, named: dict[str, str]) -> bool:
    """Repeat one request under one key until its end is known; tell whether it was accepted.

    False: an answer was lost, or the server failed. Nobody outside can tell what was done then.
    """
    events = [
        {"event": event, "email": email, "data": {"number": number}}
        for number, email in named.items()
    ]
    key = f"{event}-{events[0]['data']['number']}"
    for _ in range(300):
        try:
            _send(client, events, key)
        except Unreachable:
            orders.errors += 1
        except ApiError as error:
            orders.errors += 1
            if error.code == REUSED:
                return _original(error) == 200  # noqa: PLR2004 - the status itself
            if error.status < 500:  # noqa: PLR2004 - as above
                raise
        else:
            return True
        time.sleep(0.2)
    raise TimeoutError("the server never came back")


def _send(client: Client, events: list[Json], key: str) -> None:
    if len(events) == 1:
        (event,) = events
        client.track(event["event"], event["email"], data=event["data"], idempotency_key=key)
        return
    results = client.track_batch(events, idempotency_key=key)
    refused = [result for result in results if "error" in result]
    if refused:
        raise ValueError(refused[0])


def _original(error: ApiError) -> int | None:
    status = (error.details or {}).get("originalStatusCode")
    return status if isinstance(status, int) else None
