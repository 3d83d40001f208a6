"""Steps that choose between ways: conditions and splits."""

from __future__ import annotations

from hashlib import sha256

from plunk.conditions.matches import expected, holds, matches, value_of
from plunk.conditions.nodes import MISSING
from plunk.conditions.operators.workflow import OPERATORS
from plunk.engine.core import steps
from plunk.engine.core.facts import Facts
from plunk.engine.core.outcomes import Done

DEFAULT = "default"
HASH_BYTES = 8
HASHES = float(256**HASH_BYTES)
WHOLE = 100


def binary(action: steps.BinaryCondition, facts: Facts) -> Done:
    """Compare once, and go the way yes or no."""
    test = action.test
    actual, wanted = value_of(test.field, facts), expected(test, facts)
    result = OPERATORS[test.operator](actual, wanted)
    branch = "yes" if result else "no"
    output = {
        "field": action.shown,
        "operator": test.operator,
        "expectedValue": _shown(wanted),
        "actualValue": _shown(actual),
        "result": result,
        "branch": branch,
    }
    return Done(output, branch)


def multi(action: steps.MultiCondition, facts: Facts) -> Done:
    """Compare one value several times, and go the way of the first that holds."""
    actual = value_of(action.field, facts)
    held = (branch for branch in action.branches if holds(branch.test, actual, facts, OPERATORS))
    match = next(held, None)
    branch = match.id if match else DEFAULT
    output = {
        "field": action.shown,
        "mode": "multi",
        "matchedBranch": match.name if match else DEFAULT,
        "actualValue": _shown(actual),
        "branch": branch,
    }
    return Done(output, branch)


def expression(action: steps.ExpressionCondition, facts: Facts) -> Done:
    """Ask a whole tree, and go the way yes or no."""
    result = matches(action.condition, facts, OPERATORS)
    branch = "yes" if result else "no"
    return Done({"mode": "expression", "result": result, "branch": branch}, branch)


def split(action: steps.Split, key: str, facts: Facts) -> Done:
    """Go the way that falls to the contact, always the same one at the step of this key."""
    chosen = facts.world.choices.get(key)
    if chosen is None:
        chosen = _fallen(action, point(key, facts))
    names = {share.id: share.name for share in action.shares}
    branch = chosen if chosen in names else DEFAULT
    return Done(
        {"mode": "split", "matchedBranch": names.get(branch, DEFAULT), "branch": branch}, branch
    )


def point(key: str, facts: Facts) -> float:
    """Return where between 0 and 1 a contact stands at a split."""
    workflow_id = facts.run.workflow_id if facts.run else ""
    digest = sha256(f"{workflow_id}\x00{key}\x00{facts.contact.id}".encode()).digest()
    return int.from_bytes(digest[:HASH_BYTES]) / HASHES


def _fallen(action: steps.Split, at: float) -> str:
    reached = 0.0
    for share in action.shares:
        reached += share.weight
        if at * WHOLE < reached:
            return share.id
    return DEFAULT


def _shown(value: object) -> object:
    return None if value is MISSING else value
