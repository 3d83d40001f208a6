"""Torture: web, workers and database die under load; afterwards nothing is lost or doubled.

python -m bench.torture [RUNS] [SECONDS BETWEEN KILLS] [SEED] [LEASE SECONDS]
"""

from __future__ import annotations

import random
import secrets
import sys
import tempfile
import time
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

from sqlalchemy import Engine, text
from sqlalchemy.exc import DBAPIError

from bench.own_postgres import FAST, IMMEDIATE, OwnPostgres
from bench.rough_sink import RoughSink
from bench.torture_counts import Counts, tally
from bench.torture_story import FLOW, Orders, introduce, place_orders
from plunk.cli.hook_receiver import HookReceiver
from plunk.cli.local import wait_until_up
from plunk.cli.ports import free_port
from plunk.cli.processes import Processes, environment
from plunk.cli.projects import create_in
from plunk.cli.waiting import wait_for
from plunk.client import Client
from plunk.config import read_settings
from plunk.db import open_engine
from plunk.migrating import upgrade

CLIENTS = 6
COMMANDS = {"web": "serve", "worker1": "worker", "worker2": "worker"}
WORKERS = ("worker1", "worker2")
WORKING = "worker.started"
# When what dies besides the workers, in shares of the orders that were accepted.
DEATHS = ((0.2, "web"), (0.35, "database"), (0.5, "web"), (0.65, "database crash"), (0.8, "web"))
SETTLING_SECONDS = 300.0
LOOK_SECONDS = 0.1  # when a kill is due and nobody works yet
ACTIVE = "SELECT count(*) FROM executions WHERE status IN ('RUNNING', 'WAITING')"
OPEN = """SELECT (SELECT count(*) FROM emails WHERE status IN ('PENDING', 'SENDING'))
+ (SELECT count(*) FROM webhook_calls WHERE status IN ('PENDING', 'SENDING'))"""
# The minutes until the next attempt are made to pass; leases last as long as they last.
HURRY = "UPDATE emails SET next_attempt_at = now() WHERE status = 'PENDING'"


@dataclass(frozen=True, slots=True)
class Plan:
    """How much, how often and by which dice."""

    runs: int
    kill_seconds: float
    seed: int
    lease_seconds: float

    @property
    def people(self) -> int:
        """Everybody orders about four times."""
        return max(self.runs // 4, 10)


@dataclass
class Bodies:
    """Who was killed how often."""

    workers: int = 0
    webs: int = 0
    databases: int = 0
    seconds: float = 0.0
    killing_seconds: float = 0.0  # from the beginning to the last kill


@dataclass
class Chamber:
    """Everything one torture runs on."""

    plan: Plan
    server: OwnPostgres
    sink: RoughSink
    receiver: HookReceiver
    processes: Processes
    env: dict[str, str]
    database: Engine
    key: str
    folder: Path
    said: dict[str, int] = field(default_factory=dict)
    orders: Orders = field(default_factory=Orders)
    dead: Bodies = field(default_factory=Bodies)

    def client(self) -> Client:
        """Return a client of its own for each thread."""
        return Client(self.env["API_URL"], self.key)

    def start(self, name: str) -> None:
        """Start the API or a worker; it need not be up yet."""
        self.processes.start(name, COMMANDS[name], env=self.env)

    def kill(self, name: str) -> None:
        """Kill a process in whatever it does, and start it again."""
        self.processes.kill(name)
        self.start(name)

    def is_working(self, name: str) -> bool:
        """Tell whether a worker has said since its last start that it works."""
        log = self.folder / f"{name}.log"
        return log.read_text(errors="replace").count(WORKING) > self.said.get(name, 0)

    def kill_worker(self, dice: random.Random) -> bool:
        """Kill one of the workers that work; one that is still starting would never get to it."""
        working = [name for name in WORKERS if self.is_working(name)]
        if not working:
            return False
        name = dice.choice(working)
        self.said[name] = (self.folder / f"{name}.log").read_text(errors="replace").count(WORKING)
        self.dead.workers += 1
        self.kill(name)
        return True

    def revive(self) -> None:
        """Start what has ended by itself: nothing begins while the database is away."""
        for name in COMMANDS:
            if not self.processes.is_alive(name):
                self.processes.kill(name)
                self.start(name)

    def destroy(self, what: str) -> None:
        """Take the web or the database away, and bring it back."""
        if what == "web":
            self.kill("web")
            self.dead.webs += 1
            return
        self.server.stop(IMMEDIATE if what == "database crash" else FAST)
        self.dead.databases += 1
        self.server.start()

    def count(self, query: str) -> int | None:
        """Return a count; None while the database is away."""
        try:
            with self.database.connect() as connection:
                return int(connection.execute(text(query)).scalar_one())
        except DBAPIError:
            return None


def torture(plan: Plan) -> tuple[Counts, Chamber]:
    """Run the whole story and return what is left of it."""
    with ExitStack() as stack:
        chamber = _furnish(plan, stack)
        began = time.monotonic()
        with ThreadPoolExecutor(CLIENTS) as threads:
            placing = [threads.submit(_place, chamber, index) for index in range(CLIENTS)]
            _torment(chamber, placing)
        for placed in placing:
            placed.result()
        wait_for(lambda: _settled(chamber), "The end of the rest", seconds=SETTLING_SECONDS)
        chamber.dead.seconds = time.monotonic() - began
        chamber.processes.stop()
        counts = tally(
            chamber.database,
            chamber.orders,
            chamber.sink,
            chamber.receiver.hooks,
            kills=chamber.dead.workers,
            seed=plan.seed,
        )
        return counts, chamber


def _furnish(plan: Plan, stack: ExitStack) -> Chamber:
    folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
    server = stack.enter_context(OwnPostgres())
    sink = stack.enter_context(RoughSink(plan.seed))
    receiver = stack.enter_context(HookReceiver())
    port = str(free_port())
    env = environment(
        DATABASE_URL=server.url,
        HOST="127.0.0.1",
        PORT=port,
        API_URL=f"http://127.0.0.1:{port}",
        SECRET_KEY=secrets.token_hex(16),
        MAIL_URL=sink.url,
        INSTANCE_PATH=str(folder),
        POLL_SECONDS="0.1",
        LEASE_SECONDS=str(plan.lease_seconds),
        WEB_CONCURRENCY="1",
        RATELIMIT_ENABLED="0",
        WEBHOOK_ALLOW_PRIVATE="1",
    )
    upgrade(server.url)
    key = create_in(read_settings(env), "Torture").secret
    database = open_engine(server.url)
    stack.callback(database.dispose)
    processes = stack.enter_context(Processes(folder))
    chamber = Chamber(plan, server, sink, receiver, processes, env, database, key, folder)
    chamber.start("web")
    with chamber.client() as client:
        wait_until_up(processes, client)
        introduce(client, plan.people)
        client.deploy({"torture.flow": FLOW.replace("RECEIVER", receiver.url)})
    for name in WORKERS:
        chamber.start(name)
    return chamber


def _place(chamber: Chamber, index: int) -> None:
    """Be one client; the first one sends batches."""
    plan = chamber.plan
    numbers = range(index, plan.runs, CLIENTS)
    with chamber.client() as client:
        place_orders(client, chamber.orders, numbers, people=plan.people, batched=index == 0)


def _torment(chamber: Chamber, placing: list[Future[None]]) -> None:
    """Kill by the dice until all orders are placed and all runs have ended."""
    plan, dice, deaths = chamber.plan, random.Random(chamber.plan.seed), list(DEATHS)
    began = due = time.monotonic()
    while not all(placed.done() for placed in placing) or chamber.count(ACTIVE) != 0:
        time.sleep(max(due - time.monotonic(), LOOK_SECONDS))
        chamber.revive()
        if time.monotonic() >= due and chamber.kill_worker(dice):
            due = time.monotonic() + dice.uniform(0.5, 1.5) * plan.kill_seconds
            chamber.dead.killing_seconds = time.monotonic() - began
        if deaths and len(chamber.orders.accepted) >= deaths[0][0] * plan.runs:
            chamber.destroy(deaths.pop(0)[1])


def _settled(chamber: Chamber) -> bool:
    chamber.revive()
    with chamber.database.begin() as connection:
        connection.execute(text(HURRY))
    time.sleep(0.2)
    return chamber.count(OPEN) == 0


def report(counts: Counts, chamber: Chamber) -> None:
    """Print the figures."""
    dead, orders = chamber.dead, chamber.orders
    print(f"runs              {counts.runs} in {dead.seconds:.0f} s, seed {chamber.plan.seed}")
    each = dead.killing_seconds / max(dead.workers, 1)
    print(f"killed            workers {dead.workers}, web {dead.webs}, database {dead.databases}")
    print(f"                  a worker every {each:.1f} s")
    print(f"waits             {counts.confirmed} of {counts.runs} had their event")
    print(f"requests          {orders.errors} failed, {len(orders.doubtful)} orders in doubt")
    print(f"mail              {counts.sent} sent, {counts.refused} refused with 550")
    print(f"mail server       {dict(chamber.sink.troubles)}")
    print(f"twice             {counts.mail_twice} messages, {counts.hooks_twice} calls")
    print(f"                  and {counts.swallowed} messages that were kept without an answer")
    print(f"lost or doubled   {counts.faults or 'nothing'}")


def main() -> None:
    """Torture and report; a fault ends with status 1."""
    given = [float(value) for value in sys.argv[1:]]
    runs, kills, seed, lease = (*given, *(400.0, 2.0, 1.0, 60.0)[len(given) :])
    counts, chamber = torture(Plan(int(runs), kills, int(seed), lease))
    report(counts, chamber)
    sys.exit(1 if counts.faults else 0)


if __name__ == "__main__":
    main()
