"""Events in over HTTP, runs advanced, mail out over SMTP: two hundred people at once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import func, select, update

from plunk.cli.waiting import wait_for
from plunk.clock import SystemClock
from plunk.engine.shell import hooks, mail
from plunk.models import Email, WebhookCall

if TYPE_CHECKING:
    from tests.acceptance.conftest import Installation

pytestmark = pytest.mark.acceptance
PEOPLE, CLIENTS = 200, 8
ADDRESSES = [f"person{number:03}@example.com" for number in range(PEOPLE)]
RUN_SECONDS = 60.0

FLOW = """
template "hello" {
  type: marketing
  subject: "Hello {{ email }}"
  from: "ada@example.com"
  body: "<p>Hello</p>"
}
template "for pros" {
  type: transactional
  subject: "You are {{ tier }}"
  from: "ada@example.com"
  body: "<p>Thank you</p>"
}
template "for others" {
  type: transactional
  subject: "You could be gold"
  from: "ada@example.com"
  body: "<p>Upgrade</p>"
}
workflow "Main job" {
  on event "signed_up"
  send email "hello"
  if contact.data.plan == "pro" {
    update contact { tier: "gold" }
  } else {
    update contact { tier: "basic" }
  }
  wait 2 seconds
  webhook POST "RECEIVER/signups" { body: { email: contact.email, tier: contact.data.tier } }
  if contact.data.tier == "gold" {
    send email "for pros"
  } else {
    send email "for others"
  }
  exit "done"
}
"""


def plan_of(address: str) -> str:
    return "pro" if int(address[6:9]) % 2 else "free"


def expected_mail() -> Counter[tuple[str, str]]:
    """Say who gets what, each once."""
    expected: Counter[tuple[str, str]] = Counter()
    for address in ADDRESSES:
        second = "You are gold" if plan_of(address) == "pro" else "You could be gold"
        expected[address, f"Hello {address}"] += 1
        expected[address, second] += 1
    return expected


def deploy(installation: Installation) -> str:
    """Deploy the flow and return its workflow's id."""
    text = FLOW.replace("RECEIVER", installation.hooks.url)
    (workflow,) = installation.client().deploy({"main.flow": text})["workflows"]
    return str(workflow["id"])


def track_everybody(installation: Installation) -> None:
    """Track one event for each person, with several clients side by side."""

    def track(addresses: Sequence[str]) -> None:
        client = installation.client()
        for address in addresses:
            client.track("signed_up", address, data={"plan": plan_of(address)})

    with ThreadPoolExecutor(CLIENTS) as threads:
        list(threads.map(track, [ADDRESSES[start::CLIENTS] for start in range(CLIENTS)]))


def wait_until_completed(installation: Installation, workflow: str) -> None:
    """Wait until every run is COMPLETED."""
    client = installation.client()

    def is_done() -> bool:
        installation.processes.require_alive()
        done = client.page_executions(workflow, status="COMPLETED", size=1)
        return bool(done["total"] == PEOPLE)

    wait_for(is_done, "The completion of all runs", seconds=RUN_SECONDS, look=0.25)
    assert client.page_executions(workflow, size=1)["total"] == PEOPLE


def wait_until_sent(installation: Installation) -> None:
    """Wait until no message is on its way any more."""
    open_ones = select(func.count()).where(Email.status.in_(["PENDING", "SENDING"]))

    def is_done() -> bool:
        installation.processes.require_alive()
        with installation.database.connect() as connection:
            return connection.scalar(open_ones) == 0

    wait_for(is_done, "The sending of all mail", seconds=RUN_SECONDS, look=0.25)


def arrived(installation: Installation) -> Iterator[tuple[str, str, str]]:
    """Yield recipient, subject and Message-ID of everything the mail server got."""
    for item in installation.sink.received:
        message = item.message
        yield item.recipient, str(message["Subject"]), str(message["Message-ID"])


def test_everybody_gets_every_message_once(installation: Installation) -> None:
    installation.start_web()
    installation.start_worker()
    workflow = deploy(installation)
    track_everybody(installation)

    wait_until_completed(installation, workflow)
    wait_until_sent(installation)

    assert Counter((to, subject) for to, subject, _ in arrived(installation)) == expected_mail()
    calls = [(hook.body["email"], hook.body["tier"]) for hook in installation.hooks.hooks]
    tiers = {address: "gold" if plan_of(address) == "pro" else "basic" for address in ADDRESSES}
    assert Counter(calls) == Counter(tiers.items())


def test_a_killed_worker_loses_nothing_and_repeats_next_to_nothing(
    installation: Installation,
) -> None:
    installation.start_web()
    workflow = deploy(installation)
    track_everybody(installation)
    # The mail server stops in the middle of a message, so the worker certainly holds a chunk of
    # mail; half a second of runs later it dies.
    with installation.sink.held_after(PEOPLE // 2 + mail.CHUNK // 2):
        installation.start_worker()
        wait_for(installation.sink.is_holding, "A message in flight", seconds=RUN_SECONDS)
        installation.processes.kill("worker")
    let_leases_run_out(installation)
    installation.start_worker()

    wait_until_completed(installation, workflow)
    wait_until_sent(installation)

    assert mail_rows(installation) == Counter(expected_mail())
    seen = Counter(arrived(installation))
    assert Counter((to, subject) for to, subject, _ in seen) == expected_mail()
    repeated = sum(seen.values()) - len(seen)
    assert 1 <= repeated <= mail.CHUNK  # one chunk went out, and nobody was left to record it
    calls = Counter(hook.key for hook in installation.hooks.hooks)
    assert len(calls) == PEOPLE
    assert sum(calls.values()) - PEOPLE <= hooks.CHUNK


def let_leases_run_out(installation: Installation) -> None:
    """Make the minutes pass that a dead worker's leases last; what it held is in flight."""
    past = SystemClock().now() - timedelta(seconds=1)
    with installation.database.begin() as connection:
        held = [
            connection.execute(
                update(queue).where(queue.status == "SENDING").values(lease_until=past)
            ).rowcount
            for queue in (Email, WebhookCall)
        ]
    assert sum(held) > 0, "the worker was killed while it held nothing"


def mail_rows(installation: Installation) -> Counter[Any]:
    """Count the e-mail rows by recipient and subject."""
    with installation.database.connect() as connection:
        return Counter(
            tuple(row) for row in connection.execute(select(Email.to_address, Email.subject))
        )
