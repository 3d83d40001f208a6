"""What may be edited while runs are active: the whole table, enabled and disabled."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from tests.factories import Machine, edge, only_run, step, track, workflow

FREE, LOCKED = False, True


@dataclass(frozen=True)
class Line:
    """start → before → here (a run is parked) → after; aside hangs on no edge."""

    api: Any
    flow: dict[str, Any]
    ids: dict[str, str]

    @property
    def path(self) -> str:
        return f"/workflows/{self.flow['id']}"

    def step(self, name: str) -> str:
        return f"{self.path}/steps/{self.ids[name]}"

    def way(self, name: str) -> str:
        return f"{self.path}/transitions/{self.ids[name]}"


@pytest.fixture
def line(api: Any, machine: Machine) -> Line:
    """Return a workflow in which one run waits."""
    flow = workflow(
        api,
        ("UPDATE_CONTACT", {"updates": {"a": 1}}),
        ("WAIT_FOR_EVENT", {"eventName": "paid"}),
        ("DELAY", {"amount": 1, "unit": "days"}),
    )
    start, before, here, after = flow["steps"]
    ids = {"start": start["id"], "before": before["id"], "here": here["id"], "after": after["id"]}
    ids["aside"] = step(api, flow, "DELAY", {"amount": 1, "unit": "days"}, connect=False)
    ids["nowhere"] = step(api, flow, "EXIT", {}, connect=False)
    ids["to before"] = start["outgoingTransitions"][0]["id"]
    ids["to here"] = before["outgoingTransitions"][0]["id"]
    ids["to after"] = here["outgoingTransitions"][0]["id"]
    ids["to nowhere"] = edge(api, flow, ids["aside"], ids["nowhere"])["id"]
    track(api)
    machine.settle()
    assert only_run(api, flow)["currentStepId"] == ids["here"]
    return Line(api, flow, ids)


EDITS: dict[str, tuple[Callable[[Line], Any], bool, bool]] = {
    # what is tried, whether it is locked while enabled, and while disabled
    "name": (lambda on: on.api.patch(on.path, {"name": "New"}), FREE, FREE),
    "description": (lambda on: on.api.patch(on.path, {"description": "x"}), FREE, FREE),
    "allowReentry": (lambda on: on.api.patch(on.path, {"allowReentry": True}), FREE, FREE),
    "enabled": (lambda on: on.api.patch(on.path, {"enabled": False}), FREE, FREE),
    "triggerType": (lambda on: on.api.patch(on.path, {"triggerType": "MANUAL"}), LOCKED, FREE),
    "same triggerType": (lambda on: on.api.patch(on.path, {"triggerType": "EVENT"}), LOCKED, FREE),
    "triggerConfig": (lambda on: on.api.patch(on.path, {"triggerConfig": None}), LOCKED, FREE),
    "eventName": (lambda on: on.api.patch(on.path, {"eventName": "other"}), LOCKED, FREE),
    "add step": (
        lambda on: on.api.post(
            f"{on.path}/steps",
            {"type": "EXIT", "name": "End", "position": {"x": 0, "y": 0}, "config": {}},
        ),
        FREE,
        FREE,
    ),
    "add transition": (
        lambda on: on.api.post(
            f"{on.path}/transitions",
            {"fromStepId": on.ids["after"], "toStepId": on.ids["aside"]},
        ),
        FREE,
        FREE,
    ),
    "insert step": (
        lambda on: on.api.post(
            f"{on.way('to after')}/insert-step", {"type": "DELAY", "name": "More", "config": {}}
        ),
        FREE,
        FREE,
    ),
    "step name": (lambda on: on.api.patch(on.step("here"), {"name": "New"}), FREE, FREE),
    "step position": (lambda on: on.api.patch(on.step("here"), {"position": 5}), FREE, FREE),
    "step config": (
        lambda on: on.api.patch(on.step("aside"), {"config": {"amount": 2, "unit": "days"}}),
        LOCKED,
        FREE,
    ),
    "step template": (
        lambda on: on.api.patch(on.step("aside"), {"templateId": None}),
        LOCKED,
        FREE,
    ),
    "delete before": (lambda on: on.api.delete(on.step("before")), LOCKED, FREE),
    "delete here": (lambda on: on.api.delete(on.step("here")), LOCKED, FREE),
    "delete after": (lambda on: on.api.delete(on.step("after")), FREE, FREE),
    "delete aside": (lambda on: on.api.delete(on.step("aside")), FREE, FREE),
    "cascade before": (lambda on: on.api.delete(f"{on.step('before')}?cascade=true"), LOCKED, FREE),
    "cascade after": (lambda on: on.api.delete(f"{on.step('after')}?cascade=true"), FREE, FREE),
    "splice before": (lambda on: on.api.delete(f"{on.step('before')}?splice=true"), FREE, FREE),
    "splice here": (lambda on: on.api.delete(f"{on.step('here')}?splice=true"), LOCKED, LOCKED),
    "splice after": (lambda on: on.api.delete(f"{on.step('after')}?splice=true"), FREE, FREE),
    "unlink before": (lambda on: on.api.delete(on.way("to before")), LOCKED, FREE),
    "unlink here": (lambda on: on.api.delete(on.way("to here")), LOCKED, FREE),
    "unlink after": (lambda on: on.api.delete(on.way("to after")), FREE, FREE),
    "unlink aside": (lambda on: on.api.delete(on.way("to nowhere")), FREE, FREE),
    "duplicate": (lambda on: on.api.post(f"{on.path}/duplicate"), FREE, FREE),
    "delete workflow": (lambda on: on.api.delete(on.path), LOCKED, LOCKED),
    "delete in bulk": (
        lambda on: on.api.post("/workflows/bulk-update", {"ids": [on.flow["id"]], "delete": True}),
        LOCKED,
        LOCKED,
    ),
}


@pytest.mark.parametrize("enabled", [True, False])
@pytest.mark.parametrize("name", EDITS)
def test_with_an_active_run(line: Line, name: str, *, enabled: bool) -> None:
    line.api.patch(line.path, {"enabled": enabled})
    tried, while_enabled, while_disabled = EDITS[name]
    before = line.api.get(line.path).json
    answer = tried(line)
    is_locked = while_enabled if enabled else while_disabled
    assert (answer.status_code == 409) is is_locked, answer.text
    assert answer.status_code < 400 or is_locked
    if is_locked:
        assert answer.json["error"]["code"] == "CONFLICT"
        assert line.api.get(line.path).json == before


@pytest.mark.parametrize("name", EDITS)
def test_nothing_is_locked_once_the_runs_have_ended(line: Line, name: str) -> None:
    assert line.api.post(f"{line.path}/executions/cancel-all").json == {"cancelled": 1}
    assert EDITS[name][0](line).status_code < 300
