"""One step's config → the statement that compiles to it."""

from __future__ import annotations

import json
from itertools import groupby
from typing import TYPE_CHECKING, Any

from dsl import nodes
from dsl.canonical import config_form
from dsl.decompile_headers import duration, offset_node
from dsl.durations import from_seconds
from dsl.expressions_reading import Unreadable, object_node, value_node
from dsl.reading import condition_node, leaf_node, reference_node, subject_node
from dsl.step_configs import step_config, step_type
from dsl.values import COMPUTED, is_word
from dsl.vocabulary import DAYS

if TYPE_CHECKING:
    from collections.abc import Callable

    from dsl.graph import Step

_DEEPEST_CONFIG = 48
_NO_BLOCK = nodes.Block(())
_OPTIONS = ("headers", "body", "retry")


def statement_of(step: Step, *, as_raw: bool = False) -> nodes.Action | nodes.Branch:
    """Return the statement, without blocks and prefix; raises Unreadable where there is none."""
    _refuse_depth(step.config)
    try:
        statement = None if as_raw else _statement(step.type, dict(step.config))
    except Unreadable:
        statement = None
    if statement is None or step_type(statement) != step.type:
        return _raw(step, is_refused=as_raw)
    is_same = step_config(statement) == config_form(step.config)
    return statement if is_same else _raw(step)


def _raw(step: Step, *, is_refused: bool = False) -> nodes.RawStep:
    """Return the statement that says any step: as an object, or as JSON where that cannot be.

    What is computed in a step that was refused may be what was refused: JSON is not looked into.
    """
    if not is_word(step.type):
        raise Unreadable(f"its type {step.type!r} is no word")
    written = json.dumps(step.config, ensure_ascii=False)
    try:
        raw = nodes.RawStep(nodes.Text(step.type), object_node(step.config))
    except Unreadable:
        raw = None
    is_open = raw is not None and step_config(raw) == step.config
    if raw is not None and is_open and not (is_refused and COMPUTED in written):
        return raw
    return nodes.RawStep(nodes.Text(step.type), json=nodes.Text(written))


def _statement(kind: str, config: dict[str, Any]) -> nodes.Action | nodes.Branch | None:
    reader = _READERS.get(kind)
    return reader(config) if reader else None


def _delay(config: dict[str, Any]) -> nodes.Action | None:
    match config:
        case {"amount": int() | float() as amount, "unit": str(unit)} if amount > 0:
            return nodes.Wait(duration(amount, unit))
        case {"until": {"timeOfDay": str(time), **others}}:
            return nodes.WaitClock(nodes.Text(time), _days(others.get("days")))
        case {"until": {"time": time, **others}}:
            is_over = others.get("whenPast") == "exit"
            return nodes.WaitUntil(value_node(time), offset_node(others.get("offset")), is_over)
    return None


def _days(days: Any) -> tuple[nodes.Text, ...]:  # noqa: ANN401 - JSON
    if isinstance(days, list) and not all(isinstance(day, str) and day in DAYS for day in days):
        raise Unreadable("it waits for a day that is none")
    return tuple(nodes.Text(day) for day in days or ())


def _wait(config: dict[str, Any]) -> nodes.Action | None:
    timeout = config.get("timeout")
    limit = duration(*from_seconds(timeout)) if isinstance(timeout, int | float) else None
    match config:
        case {"condition": tree}:
            return nodes.WaitUntil(_spelt_out(condition_node(tree)), limit=limit)
        case {"eventName": str(event)}:
            where = config.get("where")
            condition = condition_node(where) if where is not None else None
            return nodes.WaitForEvent(nodes.Text(event), condition, limit)
    return None


def _spelt_out(condition: nodes.Condition) -> nodes.Condition:
    """Compare a bare field, which would be a time behind wait until."""
    match condition:
        case nodes.Bare(subject):
            return nodes.Test(subject, "equals", nodes.Literal(True))
    return condition


def _choice(config: dict[str, Any]) -> nodes.Action | nodes.Branch | None:
    match config:
        case {"mode": "expression", "condition": tree}:
            return nodes.Branch(condition_node(tree), _NO_BLOCK)
        case {"mode": "multi", "field": field, "branches": [_, *_] as branches}:
            return nodes.Switch(subject_node(field), _cases(branches))
        case {"mode": _}:
            return None
    return nodes.Branch(leaf_node(config), _NO_BLOCK)


def _cases(branches: list[Any]) -> tuple[nodes.Case, ...]:
    """Return the cases; one that asks several questions has several branches of its name."""
    grouped = groupby(branches, key=lambda one: one.get("id") if isinstance(one, dict) else None)
    return tuple(
        nodes.Case(tuple(value for one in group for value in _values(one)), _NO_BLOCK)
        for _, group in grouped
    )


def _values(branch: Any) -> tuple[nodes.Operand, ...]:  # noqa: ANN401 - JSON
    match branch:
        case {"operator": "equals", "value": value}:
            return (value_node(value),)
        case {"operator": "in", "value": [_, *_] as values}:
            return tuple(value_node(value) for value in values)
        case {"operator": "notExists"}:
            return (nodes.Literal(None),)
    raise Unreadable("it has a branch that is no case")


def _split(config: dict[str, Any]) -> nodes.Action | None:
    match config:
        case {"branches": [_, *_] as branches}:
            return nodes.Split(tuple(map(_share, branches)))
    return None


def _share(branch: Any) -> nodes.Share:  # noqa: ANN401 - JSON
    match branch:
        case {"id": str(id_), "name": str(name), "weight": int() | float() as weight}:
            return nodes.Share(weight, nodes.Text(id_) if id_ == name else None, _NO_BLOCK)
    raise Unreadable("it has a branch that is no share")


def _membership(config: dict[str, Any]) -> nodes.Action | None:
    match config:
        case {"action": "add" | "remove" as action, "segment": segment}:
            return nodes.ChangeMembership(action == "add", reference_node(segment))
    return None


def _track(config: dict[str, Any]) -> nodes.Action | None:
    data = config.get("data")
    match config:
        case {"eventName": str(event)}:
            given = object_node(data) if isinstance(data, dict) else None
            return nodes.Track(nodes.Text(event), given)
    return None


def _update(config: dict[str, Any]) -> nodes.Action | None:
    match config:
        case {"updates": dict() as updates}:
            return nodes.UpdateContact(object_node(updates))
        case {"subscriptionAction": "subscribe"}:
            return nodes.Subscribe()
        case {"subscriptionAction": "unsubscribe"}:
            return nodes.Unsubscribe()
    return None


def _exit(config: dict[str, Any]) -> nodes.Action:
    reason = config.get("reason")
    return nodes.Exit(nodes.Text(reason) if isinstance(reason, str) else None)


def _email(config: dict[str, Any]) -> nodes.Action | None:
    recipient, overrides = config.get("recipient"), config.get("overrides")
    to = value_node(recipient.get("customEmail")) if isinstance(recipient, dict) else None
    given = object_node(overrides) if isinstance(overrides, dict) else None
    return nodes.SendEmail(reference_node(config.get("template")), to, given)


def _webhook(config: dict[str, Any]) -> nodes.Action | None:
    options = object_node({key: config[key] for key in _OPTIONS if key in config})
    binding = config.get("as")
    match config:
        case {"url": str(url), "method": str(method)} if is_word(method):
            return nodes.Webhook(
                nodes.Text(method),
                nodes.Text(url),
                options if options.pairs else None,
                nodes.Text(binding) if isinstance(binding, str) else None,
            )
    return None


def _refuse_depth(config: object) -> None:
    """Refuse what the language could not nest, before anything recurses into it."""
    level: list[object] = [config]
    for _ in range(_DEEPEST_CONFIG):
        level = [part for value in level for part in _inside(value)]
    if level:
        raise Unreadable("its config is nested too deeply")


def _inside(value: object) -> list[object]:
    if isinstance(value, dict):
        return list(value.values())
    return list(value) if isinstance(value, list) else []


_READERS: dict[str, Callable[[dict[str, Any]], nodes.Action | nodes.Branch | None]] = {
    "SEND_EMAIL": _email,
    "DELAY": _delay,
    "WAIT_FOR_EVENT": _wait,
    "CONDITION": _choice,
    "SPLIT": _split,
    "WEBHOOK": _webhook,
    "UPDATE_CONTACT": _update,
    "SEGMENT": _membership,
    "TRACK": _track,
    "EXIT": _exit,
}
