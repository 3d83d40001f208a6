"""A plan as lines that people read: + what comes, - what goes, ~ what changes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from difflib import ndiff
from typing import Any

from plunk.cli.flows import any_changed, idle
from plunk.cli.value_text import change, value

Json = Mapping[str, Any]
KINDS = ("templates", "segments", "workflows")
MARKS = {"added": "+", "removed": "-", "changed": "~", "rerouted": "~"}
STATUSES = ("created", "changed", "unchanged")
IN_FLIGHT = {
    "pin": "Who is under way in a changed workflow finishes the old way.",
    "drain": "Who is under way in a changed workflow finishes the old way, and nobody else enters.",
}


def lines(plan: Json) -> Iterator[str]:
    """Yield a heading for each thing that changes with what changes in it; at last, the counts."""
    for kind in KINDS:
        for item in plan[kind]:
            if item["status"] != "unchanged":
                yield f"{kind[:-1]} {item['name']}: {item['status']}"
                follows = plan["inFlight"] == "follow"
                is_workflow = kind == "workflows"
                yield from _workflow(item, follows=follows) if is_workflow else _members(item)
                yield ""
    if plan["inFlight"] in IN_FLIGHT:
        policy = plan["inFlight"]
        yield IN_FLIGHT[policy] if any_changed(plan) else idle(policy)
    yield _counts(plan)


def changes_something(plan: Json) -> bool:
    """Tell whether deploying would change anything."""
    return any(item["status"] != "unchanged" for kind in KINDS for item in plan[kind])


def _members(item: Json) -> Iterator[str]:
    if item["status"] == "changed":
        told = {one["name"]: one for one in item.get("differences", ())}  # an older server has none
        for name in item["changes"]:
            one = told.get(name)
            first, *others = change(name, one["old"], one["new"]) if one else [name]
            yield from (f"  ~ {first}", *(f"  {line}" for line in others))


def _workflow(item: Json, *, follows: bool) -> Iterator[str]:
    text = item.get("headerText") or {}  # an older server has none
    yield from (f"  - {line}" for line in text.get("removed", ()))
    yield from (f"  + {line}" for line in text.get("added", ()))
    for step in item["steps"]:
        yield from _step(step, follows=follows)


def _step(step: Json, *, follows: bool) -> Iterator[str]:
    people = _people(step["people"])
    after = _afterwards(step) if follows else ""
    told = f"  ({people} here{after})" if people else ""
    yield f"  {MARKS[step['change']]} {_name(step)}{told}"
    match step:
        case {"change": "changed", "text": {"old": [*old], "new": [*new]}} if old != new:
            yield from (f"      {line}" for line in ndiff(old, new) if line[0] in "-+")
        case {"change": "changed", "old": old, "new": new}:
            names = [name for name in old if name != "name"]
            yield from (f"      {name}: {value(old[name])} → {value(new[name])}" for name in names)
        case {"change": "rerouted", "old": old, "new": new}:
            names = [name for name in {**old, **new} if old.get(name) != new.get(name)]
            yield from (
                f"      {_way(name)} {_end(old, name)} → {_end(new, name)}" for name in names
            )


def _afterwards(step: Json) -> str:
    """Return where who stands on a removed step goes on; "" where the server does not say."""
    match step:
        case {"change": "removed", "goesOn": str(place)}:
            return f" and {_go(step)} on at {place}"
        case {"change": "removed", "goesOn": None}:
            return " and completes" if step["people"] == 1 else " and complete"
    return ""


def _go(step: Json) -> str:
    return "goes" if step["people"] == 1 else "go"


def _way(name: str) -> str:
    return "then" if name == "next" else f"on {name}:"


def _end(ways: Json, name: str) -> str:
    return str(ways.get(name) or "(the end)")


def _name(step: Json) -> str:
    label = f"@{step['label']} " if step["label"] else ""
    before = (step["old"] or {}).get("name") if step["change"] == "changed" else None
    return f"{label}{before} → {step['name']}" if before else f"{label}{step['name']}"


def _people(count: int) -> str:
    if count == 0:
        return ""
    return "1 person stands" if count == 1 else f"{count} people stand"


def _counts(plan: Json) -> str:
    """Return the last line: how many things of each kind, and whom it concerns."""
    statuses = Counter(item["status"] for kind in KINDS for item in plan[kind])
    counts = ", ".join(f"{statuses[name]} {name}" for name in STATUSES)
    concerned = sum(
        step["people"]
        for item in plan["workflows"]
        for step in item["steps"]
        if step["change"] in {"changed", "removed"}
    )
    people = _people(concerned)
    return f"{counts}; {people} on changed or removed steps." if people else f"{counts}."
