"""Stories after which rows stand in the database in every way there is."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from plunk.engine.shell.batch import advance_due
from tests.conftest import Api
from tests.factories import Machine, track, workflow

EXIT = ("EXIT", {"reason": "rested"})
DELAY = ("DELAY", {"amount": 2, "unit": "hours"})
WAIT = ("WAIT_FOR_EVENT", {"eventName": "paid"})
LIMITED = ("WAIT_FOR_EVENT", {"eventName": "paid", "timeout": 7_200})
HOOK = ("WEBHOOK", {"url": "https://hooks.example.com/"})
UNTIL_PRO = ("WAIT_FOR_EVENT", {"condition": 'contact.data.plan == "pro"'})
LIMITED_PRO = (UNTIL_PRO[0], {**UNTIL_PRO[1], "timeout": 7_200})
MAIL = {"to": "a@x.test", "from": "a@acme.test", "subject": "Hi", "body": "Hi"}


def parked(*steps: Any) -> Callable[[Api, Machine], None]:
    """Return a story after which a run stands in the first of these steps."""

    def tell(api: Api, machine: Machine) -> None:
        workflow(api, *steps, ("EXIT", {}))
        track(api)
        while advance_due(machine.worker.engine):
            pass

    return tell


def entered(api: Api, _machine: Machine) -> None:
    workflow(api)
    track(api)


def ended(api: Api, machine: Machine) -> None:
    workflow(api)
    track(api)
    machine.settle()


def queued(api: Api, _machine: Machine) -> None:
    assert api.post("/v1/send", MAIL).status_code == 200


def sent(api: Api, machine: Machine) -> None:
    queued(api, machine)
    machine.settle()


def called(api: Api, machine: Machine) -> None:
    workflow(api, HOOK, ("EXIT", {}))
    track(api)
    machine.settle()


def scheduled(api: Api, _machine: Machine) -> None:
    flow = workflow(api)
    vip = api.post("/segments", {"name": "VIP", "type": "STATIC"}).json["id"]
    trigger = {"type": "schedule", "cron": "0 15 * * *", "segment": {"id": vip}}
    answer = api.patch(f"/workflows/{flow['id']}", {"triggerConfig": {"triggers": [trigger]}})
    assert answer.status_code == 200, answer.text


def grouped(api: Api, _machine: Machine) -> None:
    api.post("/contacts", {"email": "a@x.test"})
    vip = api.post("/segments", {"name": "VIP", "type": "STATIC"}).json["id"]
    answer = api.post(f"/segments/{vip}/members", {"emails": ["a@x.test"]})
    assert answer.status_code in {200, 201}, answer.text
