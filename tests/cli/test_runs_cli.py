"""`plunk run retry | skip | move`: runs that get a hand from the command line."""

from __future__ import annotations

from typing import Any

import pytest

from plunk.outbound import Answer, OutboundError
from tests.conftest import served
from tests.factories import ANSWER, Machine, only_run, runs, track, visited, workflow

HOOK = ("WEBHOOK", {"url": "https://hooks.example.com/"})
DELAY = ("DELAY", {"amount": 2, "unit": "hours"})
EXIT = ("EXIT", {"reason": "arrived"})
WHY = ("--reason", "the shop was down")


def down(_: Any) -> Answer:
    raise OutboundError("nobody there")


@pytest.fixture
def failed(api: Any, machine: Machine) -> Any:
    """Return a workflow of which 130 runs have failed at a step that works again."""
    flow = workflow(api, HOOK, EXIT, name="Shop")
    machine.hooks.answer = down
    for number in range(130):
        track(api, email=f"{number}@example.org")
    machine.settle()
    machine.hooks.answer = lambda _: ANSWER
    return flow


@pytest.fixture
def parked(api: Any, machine: Machine) -> Any:
    """Return a workflow with a run in its first delay."""
    flow = workflow(api, DELAY, EXIT, name="Pause")
    track(api)
    machine.settle()
    return flow


def test_one_run_is_skipped(online: Any, api: Any, machine: Machine, parked: Any) -> None:
    run_id = only_run(api, parked)["id"]
    done = online("run", "skip", run_id, "--workflow", "Pause", *WHY, "--by", "ada")
    assert (done.status, done.out) == (0, f"skipped {run_id}: goes on with Exit\n")
    machine.settle()
    run = only_run(api, parked)
    assert run["status"] == "COMPLETED"
    assert run["stepExecutions"][2]["output"]["by"] == "ada"
    assert run["stepExecutions"][2]["output"]["reason"] == "the shop was down"


def test_one_run_is_moved_to_a_step_by_its_name(
    online: Any, api: Any, machine: Machine, parked: Any
) -> None:
    run_id = only_run(api, parked)["id"]
    done = online("run", "move", run_id, "--workflow", parked["id"], "--to", "Exit", *WHY)
    assert (done.status, done.out) == (0, f"moved {run_id}: goes on with Exit\n")
    machine.settle()
    assert only_run(api, parked)["exitReason"] == "arrived"


def test_all_failed_runs_are_retried_in_batches(
    online: Any, api: Any, machine: Machine, failed: Any
) -> None:
    words = ("run", "retry", "--all", "--workflow", "Shop", *WHY)
    counted = online(*words, "--dry-run")
    assert (counted.status, counted.out) == (0, "130 FAILED execution(s) of 'Shop' match.\n")
    done = online(*words, "--yes")
    assert (done.status, done.err) == (0, "")
    assert done.out.endswith("retried 130 execution(s).\n")
    machine.settle()
    assert {run["status"] for run in runs(api, failed)} == {"COMPLETED"}
    again = online(*words, "--yes")
    assert again.out == "0 FAILED execution(s) of 'Shop' match.\n"


def test_no_more_are_retried_than_the_limit(online: Any, api: Any, failed: Any) -> None:
    words = ("run", "retry", "--all", "--workflow", "Shop", *WHY, "--yes")
    assert "retried 3 execution(s)." in online(*words, "--limit", "3").out
    assert "127 FAILED" in online(*words, "--dry-run").out


def test_what_was_done_before_a_batch_failed_is_told(
    shell: Any, app: Any, project: Any, failed: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []

    def breaking(environ: Any, start: Any) -> Any:
        """Serve the dry run and the first batch, and refuse the second one."""
        if environ["PATH_INFO"].endswith("/repair"):
            asked.append("")
        if len(asked) <= 2:
            return app(environ, start)
        environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"]))
        start("409 CONFLICT", [("Content-Type", "application/json")])
        return [b'{"error": {"code": "CONFLICT", "message": "not now"}}']

    with served(breaking) as address:
        monkeypatch.setenv("PLUNK_API_URL", address)
        monkeypatch.setenv("PLUNK_API_KEY", project.secret)
        done = shell("run", "retry", "--all", "--workflow", "Shop", *WHY, "--yes")
    assert done.status == 1
    assert "not now" in done.err
    assert done.out.endswith("retried 100 execution(s).\n")


def test_nothing_is_done_unless_somebody_says_yes(
    online: Any, api: Any, parked: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", None)
    done = online("run", "skip", "--all", "--workflow", "Pause", *WHY)
    assert done.status != 0
    assert visited(only_run(api, parked))[-1] == ("DELAY", "COMPLETED")


def test_all_on_one_step_are_moved(online: Any, api: Any, machine: Machine, parked: Any) -> None:
    words = ("run", "move", "--all", "--workflow", "Pause", "--to", "Exit", *WHY, "--yes")
    chosen = online(*words, "--status", "waiting", "--step", "Delay")
    assert chosen.out.endswith("moved 1 execution(s).\n")
    machine.settle()
    assert only_run(api, parked)["status"] == "COMPLETED"


def test_who_could_not_be_repaired_is_told(online: Any, api: Any, parked: Any) -> None:
    track(api, email="new@example.org")
    words = ("run", "skip", "--all", "--workflow", "Pause", "--status", "RUNNING", *WHY, "--yes")
    done = online(*words)
    assert done.status == 1
    assert "does not wait" in done.err
    assert done.out.endswith("skipped 0 execution(s).\n")


@pytest.mark.parametrize(
    ("words", "status", "told"),
    [
        (("retry", "--workflow", "Pause", *WHY), 1, "Name one execution"),
        (("retry", "RUN", "--all", "--workflow", "Pause", *WHY), 1, "Name one execution"),
        (("retry", "RUN", "--workflow", "Pause"), 2, "--reason"),
        (("retry", "RUN", "--workflow", "Pause", *WHY), 1, "has not failed"),
        (("retry", "RUN", "--workflow", "Nope", *WHY), 1, "no workflow 'Nope'"),
        (("move", "RUN", "--workflow", "Pause", "--to", "Nope", *WHY), 1, "no step called 'Nope'"),
        (("move", "--all", "--workflow", "Pause", "--to", "Exit", *WHY), 1, "--status is missing"),
        (("skip", "nobody", "--workflow", "Pause", *WHY), 1, "not found"),
    ],
)
def test_what_makes_no_sense_is_told_in_one_line(
    online: Any, api: Any, parked: Any, words: tuple[str, ...], status: int, told: str
) -> None:
    run_id = only_run(api, parked)["id"]
    done = online("run", *(run_id if word == "RUN" else word for word in words))
    assert done.status == status
    assert told in done.err
    assert done.err.count("\n") == 1


@pytest.mark.parametrize(
    "choice", [("--dry-run",), ("--status", "WAITING"), ("--step", "Delay"), ("--limit", "5")]
)
def test_what_is_for_many_is_refused_of_one_and_nothing_is_done(
    online: Any, api: Any, parked: Any, choice: tuple[str, ...]
) -> None:
    before = only_run(api, parked)
    done = online("run", "skip", before["id"], "--workflow", "Pause", *WHY, *choice)
    assert (done.status, done.out) == (2, "")
    assert f"{choice[0]} can only be used with --all; nothing was done." in done.err
    assert only_run(api, parked) == before


@pytest.fixture
def pinned(api: Any, machine: Machine) -> Any:
    """Return a workflow with a run that is pinned to a revision with a step of its own."""
    text = 'workflow "Old" {\n  on event "go"\n  wait 1 day\n  track "x"\n  exit "old"\n}\n'
    assert api.post("/flows/deploy", {"files": {"a.flow": text}}).status_code == 200
    (flow,) = api.get("/workflows").json["data"]
    api.patch(f"/workflows/{flow['id']}", {"enabled": True})
    track(api)
    machine.settle()
    before = api.get(f"/workflows/{flow['id']}").json
    put = {"files": {"a.flow": text.replace('  track "x"\n', "")}, "inFlight": "pin"}
    assert api.post("/flows/deploy", put).status_code == 200
    return before


def test_a_pinned_run_goes_on_with_a_step_that_only_its_own_revision_has(
    online: Any, api: Any, machine: Machine, pinned: Any
) -> None:
    run_id = only_run(api, pinned)["id"]
    own = next(step for step in pinned["steps"] if step["type"] == "TRACK")
    words = (run_id, "--workflow", "Old", *WHY)
    skipped = online("run", "skip", *words)
    assert skipped.out == f"skipped {run_id}: goes on with {own['name']}\n"
    moved = online("run", "move", *words, "--to", own["id"])
    assert (moved.status, moved.err) == (0, "")
    assert moved.out == f"moved {run_id}: goes on with {own['name']}\n"
    machine.settle()
    assert visited(only_run(api, pinned))[-2:] == [("TRACK", "COMPLETED"), ("EXIT", "COMPLETED")]


def test_an_id_that_no_step_has_is_refused_by_the_server(
    online: Any, api: Any, parked: Any
) -> None:
    words = (only_run(api, parked)["id"], "--workflow", "Pause", *WHY, "--to", parked["id"])
    done = online("run", "move", *words)
    assert done.status == 1
    assert "Step not found" in done.err
