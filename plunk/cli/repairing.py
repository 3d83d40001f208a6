"""`plunk run retry | skip | move`: repairs through the API, one run or batch after batch."""

from __future__ import annotations

import getpass
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import click

from plunk.cli.flows import open_client
from plunk.cli.pulling import workflow_id
from plunk.client import Client
from plunk.errors import BadRequest
from plunk.ids import parse_id

Json = dict[str, Any]
BATCH = 100
DONE = {"retry": "retried", "skip": "skipped", "move": "moved"}
USUAL = {"retry": "FAILED", "skip": "WAITING"}
FOR_MANY = ("status", "step", "limit", "dry_run")


@dataclass(frozen=True, slots=True)
class Words:
    """What was typed."""

    action: str
    workflow: str
    reason: str
    execution: str | None = None
    by: str | None = None
    many: bool = False
    status: str | None = None
    step: str | None = None
    limit: int | None = None
    dry_run: bool = False
    yes: bool = False
    outcome: str | None = None
    to: str | None = None


def repair(words: Words) -> int:
    """Repair one run, or many after asking; return 1 when some of them could not be."""
    if words.many == (words.execution is not None):
        raise BadRequest("Name one execution, or choose many with --all.")
    if not words.many:
        _refuse_choices(words)
    with open_client() as client:
        flow = client.get_workflow(workflow_id(client, words.workflow))
        order = _order(words, flow)
        if words.many:
            return _repair_many(client, flow, words, order)
        return _repair_one(client, flow, words, order)


def _refuse_choices(words: Words) -> None:
    """Refuse what is for many: who typed --dry-run must not see the run repaired."""
    given = [f"--{name.replace('_', '-')}" for name in FOR_MANY if getattr(words, name)]
    if given:
        raise click.UsageError(f"{', '.join(given)} can only be used with --all; nothing was done.")


def _repair_one(client: Client, flow: Json, words: Words, order: Json) -> int:
    run = client.repair_execution(flow["id"], words.execution or "", words.action, order)
    click.echo(f"{DONE[words.action]} {run['id']}: {_whither(run)}")
    return 0


def _whither(run: Json) -> str:
    if run["exitReason"] is not None:
        return f"it ends, because of what came while it had failed ({run['exitReason']})"
    step = run["currentStep"]
    return f"goes on with {'its end' if step is None else step['name']}"


def _repair_many(client: Client, flow: Json, words: Words, order: Json) -> int:
    status = words.status or USUAL.get(words.action)
    if status is None:
        raise BadRequest("--status is missing: say which executions are to be moved.")
    choice = {**order, "action": words.action, "status": status}
    if words.step is not None:
        choice["stepId"] = _step_id(flow, words.step)
    matched = client.repair_executions(flow["id"], **choice, dryRun=True)["matched"]
    wanted = min(matched, words.limit or matched)
    click.echo(f"{matched:,} {status} execution(s) of {flow['name']!r} match.")
    if words.dry_run or not wanted:
        return 0
    if not words.yes:
        click.confirm(f"{words.action.title()} {wanted:,} of them?", abort=True)
    total: Json = {"repaired": 0, "ended": 0, "refused": []}
    try:
        _repair_batches(client, flow["id"], choice, wanted, total)
    finally:  # what was done stays done, also when a later batch fails
        _tell(words, total)
    return int(bool(total["refused"]))


def _repair_batches(client: Client, workflow: str, choice: Json, wanted: int, total: Json) -> None:
    """Repair batch by batch, each in a transaction of its own, and add up what came of them."""
    cursor = None
    while wanted > 0:
        fields = choice if cursor is None else {**choice, "cursor": cursor}
        done = client.repair_executions(workflow, **fields, limit=min(BATCH, wanted))
        total["repaired"] += done["repaired"]
        total["ended"] += done["ended"]
        total["refused"] += done["refused"]
        wanted -= done["matched"]
        cursor = done["cursor"]
        if cursor is None:
            break


def _tell(words: Words, total: Mapping[str, Any]) -> None:
    for one in total["refused"]:
        click.echo(f"left {one['executionId']}: {one['message']}", err=True)
    if total["ended"]:
        click.echo(f"{total['ended']:,} of them ended: they were stopped or reached a goal before.")
    click.echo(f"{DONE[words.action]} {total['repaired']:,} execution(s).")


def _order(words: Words, flow: Json) -> Json:
    order: Json = {"reason": words.reason, "by": words.by or _user()}
    if words.outcome is not None:
        order["outcome"] = words.outcome.upper()
    if words.to is not None:
        name = "toStepId" if words.many else "stepId"
        order[name] = _step_id(flow, words.to)
    return order


def _user() -> str | None:
    try:
        return getpass.getuser()
    except (OSError, KeyError):  # a container without users
        return None


def _step_id(flow: Json, wanted: str) -> str:
    """Return the id of the step with this id or name; BadRequest when it is none or several.

    Another id may be one of a revision that runs are pinned to: the server knows.
    """
    steps = [step for step in flow["steps"] if wanted in {step["id"], step["name"]}]
    if len(steps) == 1:
        return str(steps[0]["id"])
    if not steps and (other := parse_id(wanted)) is not None:
        return other
    known = ", ".join(f"{step['name']!r} ({step['id']})" for step in steps or flow["steps"])
    what = "several steps" if steps else "no step"
    raise BadRequest(f"The workflow has {what} called {wanted!r}; there are {known}.")
