"""Law 5: a run in the simulator takes the same path as the same run in the database engine.

SIGNIFICANT: SIMULATION_EXAMPLES sets how many random bundles are tried on each database.
"""

from __future__ import annotations

import json
import os
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from sqlalchemy import func, select

import dsl
from plunk.clock import ManualClock
from plunk.db import Base, transaction
from plunk.models import (
    Contact,
    Conversion,
    Email,
    Execution,
    Segment,
    SegmentMember,
    Step,
    StepExecution,
    Template,
    Trigger,
    Workflow,
)
from plunk.outbound import Answer, OutgoingRequest
from plunk.outbound.values import OutboundError
from plunk.simulation import happenings as simulated
from plunk.simulation.catalogue import catalogue_of
from plunk.simulation.mocks import answer_of
from plunk.simulation.people import Person
from plunk.simulation.world import World
from tests.conftest import NOON, Api, Backend, new_project
from tests.factories import Machine
from tests.simulation.random_flows import FACTS, bundle, happenings

EXAMPLES = int(os.environ.get("SIMULATION_EXAMPLES", "15"))
EMAIL = "kim@example.org"
HOOKS = "https://hooks.example.com/"
ANSWERS = {"ok": {"status": 200, "body": {"ok": 1}}, "bad": {"status": 500, "body": "no"}}
DOWN = "nobody is there"
START = NOON + timedelta(seconds=0.25)
HALF_A_SECOND = timedelta(seconds=0.5)
TRACKED = Segment.track_membership & (Segment.type == "DYNAMIC")
Path = dict[str, Any]


def answer(request: OutgoingRequest) -> Answer:
    """Answer as the mocks of the simulator do."""
    name = request.url.removeprefix(HOOKS)
    if name not in ANSWERS:
        raise OutboundError(DOWN)
    body = ANSWERS[name]["body"]
    text = body if isinstance(body, str) else json.dumps(body)
    return Answer(int(str(ANSWERS[name]["status"])), text, "application/json", request.url)


class Engine:
    """The product itself, with its clock in our hands."""

    def __init__(self, api: Api, machine: Machine, sessions: Any, text: str) -> None:
        self.api, self.machine, self.sessions = api, machine, sessions
        machine.clock.move_to(START)
        deployed = api.post("/flows/deploy", {"files": {"a.flow": text}})
        assert deployed.status_code == 200, (deployed.text, text)
        self.ids = {one["name"]: one["id"] for one in deployed.json["workflows"]}
        made = api.post("/contacts", {"email": EMAIL, "data": FACTS})
        self.contact_id = made.json["id"]
        self._settle()
        machine.clock.advance(HALF_A_SECOND)  # never at the turn of segments or on the minute

    def play(self, what: str, *more: Any) -> None:
        path = f"/contacts/{self.contact_id}"
        match what, more:
            case "track", (name, data):
                self._post("/v1/track", {"event": name, "email": EMAIL, "data": data})
            case "once", (name, data):
                once = {key: {"value": item, "persistent": False} for key, item in data.items()}
                self._post("/v1/track", {"event": name, "email": EMAIL, "data": once})
            case "set", (data,):
                assert self.api.patch(path, {"data": data}).status_code == 200
            case "subscribed", (wanted,):
                assert self.api.patch(path, {"subscribed": wanted}).status_code == 200
            case "sleep", (seconds,):
                self._sleep(timedelta(seconds=seconds))
        self._settle()

    def _settle(self) -> None:
        self.machine.worker.follower.until = None  # as if it had looked all the while
        self.machine.settle()

    def _post(self, path: str, body: Any) -> None:
        response = self.api.post(path, body)
        assert response.status_code == 200, response.text

    def _sleep(self, length: timedelta) -> None:
        until = self.machine.clock.now() + length
        while (due := self._next_due()) is not None and due <= until:
            self.machine.clock.move_to(max(due, self.machine.clock.now()))
            self._settle()
        self.machine.clock.move_to(until)

    def _next_due(self) -> datetime | None:
        columns = [
            select(func.min(Execution.due_at)),
            select(func.min(Trigger.next_at)),
            select(func.min(Segment.compute_at)).where(TRACKED),
        ]
        with transaction(self.sessions) as session:
            return min((at for one in columns if (at := session.scalar(one))), default=None)

    def path(self) -> Path:
        """Return what has become of it all."""
        with transaction(self.sessions) as session:
            contact = session.scalars(select(Contact)).one()
            labels = {step.id: step.label or "trigger" for step in session.scalars(select(Step))}
            runs = session.execute(
                select(Execution, Workflow.name)
                .join(Workflow, Workflow.id == Execution.workflow_id)
                .order_by(Workflow.name, Execution.started_at, Execution.id)
            ).all()
            visits = session.scalars(select(StepExecution).order_by(StepExecution.visit)).all()
            goals = session.scalars(select(Conversion)).all()
            mails = session.execute(
                select(Email, Template.name)
                .join(Template, Template.id == Email.template_id)
                .order_by(Email.created_at, Template.name, Email.id)
            ).all()
            return {
                "runs": [
                    (
                        name,
                        run.started_at,
                        run.status,
                        run.exit_reason,
                        run.completed_at,
                        [
                            (labels[one.step_id], one.status, bool(one.error))
                            for one in visits
                            if one.execution_id == run.id
                        ],
                        sorted(one.goal for one in goals if one.execution_id == run.id),
                    )
                    for run, name in runs
                ],
                "mails": [
                    (mail.created_at, name, mail.to_address, mail.subject, mail.status == "SENT")
                    for mail, name in mails
                ],
                "hooks": [
                    (request.url, json.loads(request.body or b"null"))
                    for request in self.machine.hooks.requests
                ],
                "contact": (contact.data, contact.subscribed),
                "segments": sorted(
                    session.scalars(
                        select(Segment.name)
                        .join(SegmentMember, SegmentMember.segment_id == Segment.id)
                        .where(SegmentMember.left_at.is_(None))
                    )
                ),
            }


class Simulator:
    """The same in memory."""

    def __init__(self, text: str, ids: dict[str, str], contact_id: str) -> None:
        catalogue = catalogue_of(dsl.read_bundle({"a.flow": text}), ids)
        self.world: World = simulated.open_world(catalogue, START)
        for name, raw in ANSWERS.items():
            self.world.mocks.answers.append((HOOKS + name, answer_of(raw)))
        self.world.mocks.answers.append((f"{HOOKS}down", answer_of({"error": DOWN})))
        person = {"id": contact_id, "email": EMAIL, "data": FACTS}
        self.person: Person = simulated.add_person(self.world, person)
        simulated.pass_time(self.world, self.world.now)
        simulated.pass_time(self.world, self.world.now + HALF_A_SECOND)

    def play(self, what: str, *more: Any) -> None:
        match what, more:
            case "track", (name, data):
                simulated.track(self.world, self.person, name, data, merged=data)
            case "once", (name, data):
                simulated.track(self.world, self.person, name, data)
            case "set", (data,):
                simulated.change_person(self.world, self.person, {"data": data})
            case "subscribed", (wanted,):
                simulated.change_person(self.world, self.person, {"subscribed": wanted})
            case "sleep", (seconds,):
                until = self.world.now + timedelta(seconds=seconds)
                simulated.pass_time(self.world, until)

    def path(self) -> Path:
        """Return what has become of it all."""
        walkers = sorted(
            self.world.walkers, key=lambda one: (one.flow.name, one.run.started_at, one.number)
        )
        mails = sorted(self.world.mails, key=lambda one: (one.at, one.template, one.number))
        return {
            "runs": [
                (
                    one.flow.name,
                    one.run.started_at,
                    one.run.status,
                    one.run.exit_reason,
                    one.run.completed_at,
                    [
                        (visit.step_id, visit.status, bool(visit.error))
                        for _, visit in sorted(one.visits.items())
                    ],
                    sorted(one.goals),
                )
                for one in walkers
            ],
            "mails": [
                (mail.at, mail.template, mail.to, mail.subject, mail.error is None)
                for mail in mails
            ],
            "hooks": [(call.url, call.body) for call in self.world.calls],
            "contact": (self.person.contact.data or None, self.person.contact.subscribed),
            "segments": sorted(
                name
                for name in self.person.segments
                if self.world.catalogue.segments[name].is_listed
            ),
        }


@pytest.fixture
def fresh(empty: Backend, clock: ManualClock) -> Any:
    """Return a function that empties the database again."""

    def clear() -> None:
        clock.move_to(NOON)
        with empty.engine.begin() as connection:
            for table in reversed(Base.metadata.sorted_tables):
                connection.execute(table.delete())

    return clear


@settings(
    max_examples=EXAMPLES,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    phases=(Phase.explicit, Phase.reuse, Phase.generate),  # shrinking takes too long
)
@given(text=bundle(), story=happenings)
def test_the_simulator_takes_the_same_path(
    fresh: Any, app: Any, machine: Machine, sessions: Any, text: str, story: list[Any]
) -> None:
    fresh()
    machine.hooks.requests.clear()
    machine.hooks.answer = answer
    api = Api(app.test_client(), new_project(sessions, "Acme").secret)
    engine = Engine(api, machine, sessions, text)
    simulator = Simulator(text, engine.ids, engine.contact_id)
    for what, *more in story:
        engine.play(what, *more)
        simulator.play(what, *more)
        expected, actual = engine.path(), simulator.path()
        for part, value in expected.items():
            assert actual[part] == value, f"{part} after {what} {more} in {story}\n{text}"
