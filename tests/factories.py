"""Shorthands for building workflows through the API and for making the worker work."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

from plunk.clock import ManualClock
from plunk.delivery.memory import MemoryProvider
from plunk.engine.shell.batch import advance_due
from plunk.engine.shell.computing import compute_due
from plunk.engine.shell.firing import fire_due
from plunk.engine.shell.following import follow
from plunk.engine.shell.hooks import call_due
from plunk.engine.shell.mail import deliver_due
from plunk.engine.shell.revising import revise_due
from plunk.outbound import Answer, OutgoingRequest
from plunk.worker.jobs import Worker

Json = dict[str, Any]
ANSWER = Answer(200, '{"ok":true}', "application/json", "https://hooks.example.com/")


@dataclass
class Receiver:
    """A web hook receiver: remembers requests, answers as it is told."""

    answer: Callable[[OutgoingRequest], Answer] = lambda _: ANSWER
    requests: list[OutgoingRequest] = field(default_factory=list)

    def __call__(self, request: OutgoingRequest) -> Answer:
        self.requests.append(request)
        return self.answer(request)


@dataclass
class Machine:
    """A worker whose clock, mail and web hooks are in the test's hands."""

    worker: Worker
    clock: ManualClock
    mail: MemoryProvider
    hooks: Receiver

    def settle(self) -> None:
        """Do everything that is due now."""
        while (
            advance_due(self.worker.engine)
            + deliver_due(self.worker.mailer)
            + call_due(self.worker.caller)
            + fire_due(self.worker.engine)
            + compute_due(self.worker.engine)
            + revise_due(self.worker.engine, self.worker.reviser)
            + follow(self.worker.engine, self.worker.follower)
        ):
            pass

    def sleep(self, **length: float) -> None:
        """Let time pass, then do everything that has become due."""
        self.clock.advance(timedelta(**length))
        self.settle()


def connected(worker: Worker, hooks: Receiver) -> Worker:
    """Return the worker with its web hooks going to the receiver, one after another."""
    return replace(worker, caller=replace(worker.caller, send=hooks, threads=ThreadPoolExecutor(1)))


def template(api: Any, name: str = "Hello", **fields: Any) -> str:
    """Create a template and return its id."""
    body = {
        "name": name,
        "subject": f"{name} {{{{ firstName ?? 'friend' }}}}",
        "body": "<p>Dear {{ email }}</p>",
        "from": "team@acme.test",
        "type": "MARKETING",
        **fields,
    }
    answer = api.post("/templates", body)
    assert answer.status_code == 201, answer.text
    return str(answer.json["id"])


def workflow(api: Any, *steps: tuple[str, Json], event: str = "go", **fields: Any) -> Json:
    """Create an enabled workflow whose steps follow one another; return it with its steps."""
    created = api.post(
        "/workflows", {"name": "Flow", "eventName": event, "enabled": True, **fields}
    )
    assert created.status_code == 201, created.text
    path = f"/workflows/{created.json['id']}"
    for type_, config in steps:
        step(api, created.json, type_, config)
    return dict(api.get(path).json)


def step(api: Any, flow: Json, type_: str, config: Json, *, connect: bool = True) -> str:
    """Add a step and return its id."""
    body = {
        "type": type_,
        "name": type_.title(),
        "position": {"x": 0, "y": 0},
        "config": config,
        "autoConnect": connect,
    }
    answer = api.post(f"/workflows/{flow['id']}/steps", body)
    assert answer.status_code == 201, answer.text
    return str(answer.json["id"])


def edge(api: Any, flow: Json, start: str, end: str, **fields: Any) -> Json:
    """Connect two steps."""
    body = {"fromStepId": start, "toStepId": end, **fields}
    answer = api.post(f"/workflows/{flow['id']}/transitions", body)
    assert answer.status_code == 201, answer.text
    return dict(answer.json)


def track(api: Any, event: str = "go", email: str = "kim@example.org", **fields: Any) -> Json:
    """Track an event and return what was stored."""
    answer = api.post("/v1/track", {"event": event, "email": email, **fields})
    assert answer.status_code == 200, answer.text
    return dict(answer.json["data"])


def runs(api: Any, flow: Json) -> list[Json]:
    """Return the workflow's runs, newest first, each with its steps."""
    path = f"/workflows/{flow['id']}/executions"
    listed = api.get(f"{path}?pageSize=100").json["executions"]
    return [dict(api.get(f"{path}/{run['id']}").json) for run in listed]


def only_run(api: Any, flow: Json) -> Json:
    """Return the workflow's one run."""
    (run,) = runs(api, flow)
    return run


def visited(run: Json) -> list[tuple[str, str]]:
    """Return the run's steps as (type, status)."""
    return [(visit["step"]["type"], visit["status"]) for visit in run["stepExecutions"]]
