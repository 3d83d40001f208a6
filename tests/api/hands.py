"""Hands that repair runs through the API."""

from __future__ import annotations

from typing import Any

from plunk.outbound import Answer, OutboundError
from tests.conftest import Api
from tests.factories import ANSWER, Machine, only_run, track, workflow

DELAY = ("DELAY", {"amount": 2, "unit": "hours"})
WAIT = ("WAIT_FOR_EVENT", {"eventName": "paid", "timeout": 86_400})
HOOK = ("WEBHOOK", {"url": "https://hooks.example.com/"})
EXIT = ("EXIT", {"reason": "arrived"})
WHY = {"reason": "the shop was down", "by": "ada"}


def down(_: Any) -> Answer:
    raise OutboundError("nobody there")


def path(flow: Any, run: Any, action: str) -> str:
    return f"/workflows/{flow['id']}/executions/{run['id']}/{action}"


def repair(api: Api, flow: Any, action: str, **fields: Any) -> Any:
    return api.post(path(flow, only_run(api, flow), action), {**WHY, **fields})


def said(visit: Any) -> Any:
    return {name: visit["output"][name] for name in ("repair", "reason", "by")}


def failed(api: Api, machine: Machine, *emails: str) -> Any:
    """Return a workflow whose runs have failed at a web hook; the receiver is up again."""
    flow = workflow(api, HOOK, EXIT)
    machine.hooks.answer = down
    for email in emails or ("kim@example.org",):
        track(api, email=email)
    machine.settle()
    machine.hooks.answer = lambda _: ANSWER
    return flow


def bulk(api: Api, flow: Any, **fields: Any) -> Any:
    answer = api.post(f"/workflows/{flow['id']}/executions/repair", {**WHY, **fields})
    assert answer.status_code == 200, answer.text
    return answer.json


def crowd(count: int) -> list[str]:
    return [f"{number}@example.org" for number in range(count)]
