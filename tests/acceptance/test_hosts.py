"""Several hosts around one PostgreSQL, with clocks that are wrong and cables that are pulled."""

from __future__ import annotations

import secrets
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, text

from bench.own_postgres import OwnPostgres
from plunk.cli.hook_receiver import HookReceiver
from plunk.cli.ports import free_port
from plunk.cli.processes import Processes, environment
from plunk.cli.projects import create_in
from plunk.cli.waiting import wait_for
from plunk.client import ApiError, Client
from plunk.clock import SystemClock
from plunk.config import read_settings
from plunk.db import open_engine
from plunk.engine.shell import hooks, mail
from plunk.migrating import upgrade
from tests.acceptance.conftest import HoldingSink
from tests.acceptance.hosts import NETWORK, Host, hosts

pytestmark = [pytest.mark.acceptance, pytest.mark.slow]
PEOPLE, SECONDS = 30, 60.0
LEASE_SECONDS = 4
DELAY = timedelta(seconds=2)
FLOW = """
template "hello" {
  type: transactional
  subject: "Hello {{ email }}"
  from: "ada@example.com"
  body: "<p>Hello</p>"
}
workflow "Hosts" {
  on event "signed_up"
  update contact { begun: (contact.data.begun ?? 0) + 1 }
  wait 2 seconds
  send email "hello"
  webhook POST "RECEIVER/signups" { body: { email: contact.email } }
  update contact { ended: (contact.data.ended ?? 0) + 1 }
  exit "done"
}
"""


@dataclass
class Site:
    """A database, a mail server and a receiver here; everything else on hosts of its own."""

    processes: Processes
    server: OwnPostgres
    database: Engine
    sink: HoldingSink
    receiver: HookReceiver
    common: dict[str, str]
    key: str
    port: str

    def env(self, host: Host) -> dict[str, str]:
        """Return what the processes on this host are told."""
        return {
            **self.common,
            "DATABASE_URL": self.server.url_at(host.gateway),
            "MAIL_URL": f"smtp://{host.gateway}:{self.sink.port}?starttls=0",
            "API_URL": f"http://{host.address}:{self.port}",
            "HOST": host.address,
        }

    def serve(self, host: Host) -> Client:
        """Start the API on a host and return a client of it."""
        host.start(self.processes, f"web-{host.name}", "serve", env=self.env(host))
        client = Client(f"http://{host.address}:{self.port}", self.key)
        wait_for(client.is_up, "The start of the API", seconds=SECONDS)
        return client

    def work(self, host: Host) -> None:
        """Start a worker on a host."""
        host.start(self.processes, f"worker-{host.name}", "worker", env=self.env(host))

    def deploy(self, client: Client, host: Host) -> None:
        """Deploy the flow; its receiver is called by one host's gateway from all of them."""
        receiver = f"http://{host.gateway}:{self.receiver.port}"
        client.deploy({"hosts.flow": FLOW.replace("RECEIVER", receiver)})

    def all(self, query: str) -> list[Any]:
        """Return the rows of a query."""
        with self.database.connect() as connection:
            return [tuple(row) for row in connection.execute(text(query))]

    def wait_until_done(self, runs: int) -> None:
        """Wait until so many runs have ended and all mail is out."""

        def is_done() -> bool:
            self.processes.require_alive()
            ended = self.all("SELECT count(*) FROM executions WHERE status = 'COMPLETED'")
            sent = self.all("SELECT count(*) FROM emails WHERE status = 'SENT'")
            return ended == sent == [(runs,)]

        wait_for(is_done, "The end of all runs", seconds=SECONDS, look=0.2)

    def leases(self) -> list[Any]:
        """Return the leases of mail."""
        return self.all("SELECT lease_token, lease_until FROM emails WHERE status = 'SENDING'")


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    """Return a site whose processes are still to be started."""
    with ExitStack() as stack:
        server = stack.enter_context(OwnPostgres("*", f"{NETWORK}.0.0/16"))
        upgrade(server.url)
        sink = stack.enter_context(HoldingSink("0.0.0.0"))
        receiver = stack.enter_context(HookReceiver("0.0.0.0"))
        common = environment(
            DATABASE_URL=server.url,
            SECRET_KEY=secrets.token_hex(16),
            INSTANCE_PATH=str(tmp_path),
            PORT=str(free_port()),
            POLL_SECONDS="0.1",
            LEASE_SECONDS=str(LEASE_SECONDS),
            WEB_CONCURRENCY="1",
            RATELIMIT_ENABLED="0",
            WEBHOOK_ALLOW_PRIVATE="1",
        )
        database = open_engine(server.url)
        stack.callback(database.dispose)
        processes = stack.enter_context(Processes(tmp_path))
        key = create_in(read_settings(common), "Hosts").secret
        yield Site(processes, server, database, sink, receiver, common, key, common["PORT"])


def once(site: Site, people: int) -> None:
    """Assert that everything happened once in the database."""
    assert site.all(
        "SELECT data->>'begun', data->>'ended', count(*) FROM contacts GROUP BY 1, 2"
    ) == [("1", "1", people)]
    assert site.all("SELECT status, count(*) FROM emails GROUP BY 1") == [("SENT", people)]
    assert site.all("SELECT status, count(*) FROM webhook_calls GROUP BY 1") == [("DONE", people)]
    assert site.all(
        "SELECT count(*), count(DISTINCT email_id) FROM events WHERE name = 'email.sent'"
    ) == [(people, people)]
    assert len({hook.key for hook in site.receiver.hooks}) == people


def test_hosts_whose_clocks_are_wrong_agree_on_the_databases_time(
    site: Site, tmp_path: Path
) -> None:
    with hosts(tmp_path, late=-30, early=30) as (late, early):
        off = [host.time() - SystemClock().now().timestamp() for host in (late, early)]
        assert off == pytest.approx([-30, 30], abs=5)
        began = SystemClock().now()
        on_late, on_early = site.serve(late), site.serve(early)
        site.deploy(on_early, late)
        for number in range(PEOPLE):
            client = (on_late, on_early)[number % 2]
            client.track("signed_up", f"p{number}@example.com", idempotency_key=f"key{number}")
        for number in range(PEOPLE):  # whichever host is asked again, it knows the key
            client = (on_early, on_late)[number % 2]
            with pytest.raises(ApiError) as refused:
                client.track("signed_up", f"p{number}@example.com", idempotency_key=f"key{number}")
            assert refused.value.code == "IDEMPOTENCY_KEY_REUSED"
        with site.sink.held_after(0):  # the late host hands its first message over, and waits
            site.work(late)
            wait_for(site.sink.is_holding, "A message in flight", seconds=SECONDS)
            site.work(early)  # by its own clock, the late one's lease ended long ago
            ((token, _), *_) = site.leases()
            log = tmp_path / f"worker-{early.name}.log"
            wait_for(lambda: "worker.started" in log.read_text(), "Its start", seconds=SECONDS)
            end = SystemClock().now() + timedelta(seconds=LEASE_SECONDS + 1)
            wait_for(lambda: SystemClock().now() > end, "The length of a lease", seconds=SECONDS)
            assert token in {held for held, _ in site.leases()}
        site.wait_until_done(PEOPLE)
        once(site, PEOPLE)
        seen = Counter(item.recipient for item in site.sink.received)
        assert set(seen.values()) == {1}
        pauses = site.all(
            "SELECT m.created_at - s.started_at FROM emails m"
            " JOIN step_executions s ON s.execution_id = m.execution_id"
            " JOIN steps t ON t.id = s.step_id WHERE t.type = 'DELAY'"
        )
        assert len(pauses) == PEOPLE
        assert min(pauses)[0] >= DELAY
        assert max(pauses)[0] < DELAY + timedelta(seconds=20)
        for table in ("events", "emails", "step_executions", "webhook_calls"):
            query = f"SELECT min(created_at), max(created_at) FROM {table}"  # noqa: S608 - ours
            ((first, last),) = site.all(query)
            assert began < first <= last < SystemClock().now()


def test_a_host_that_is_cut_off_is_taken_over_from_and_comes_back(
    site: Site, tmp_path: Path
) -> None:
    with hosts(tmp_path, one=0, two=0) as (one, two):
        client = site.serve(two)
        site.deploy(client, two)
        for number in range(PEOPLE):
            client.track("signed_up", f"p{number}@example.com")
        with site.sink.held_after(5):
            site.work(one)
            wait_for(site.sink.is_holding, "A message in flight", seconds=SECONDS)
            held = {token for token, _ in site.leases()}
            one.cut_off()
        site.work(two)
        wait_for(
            lambda: not held & {token for token, _ in site.leases()},
            "The end of the lost leases",
            seconds=SECONDS,
        )
        site.wait_until_done(PEOPLE)
        one.join()
        site.processes.stop(f"worker-{two.name}")  # the one that was lost has to do the rest
        client.track("signed_up", "late@example.com")
        site.wait_until_done(PEOPLE + 1)
        once(site, PEOPLE + 1)
        seen = Counter(str(item.message["Message-ID"]) for item in site.sink.received)
        assert len(seen) == PEOPLE + 1
        assert 1 <= sum(seen.values()) - len(seen) <= mail.CHUNK
        assert len(site.receiver.hooks) - (PEOPLE + 1) <= hooks.CHUNK
