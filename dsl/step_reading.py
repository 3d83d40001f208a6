"""One step's config → the statement that compiles to it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dsl import nodes
from dsl.durations import from_seconds
from dsl.reading import Unreadable, condition_node, object_node, test_node, value_node
from dsl.step_configs import step_config

if TYPE_CHECKING:
    from dsl.graph import Step

_DEEPEST_CONFIG = 48
_NO_BLOCK = nodes.Block(())


def statement_of(step: Step) -> nodes.Action | nodes.Branch:
    """Return the statement, without blocks and prefix; raises Unreadable where there is none."""
    _refuse_depth(step.config)
    statement = _statement(step.type, dict(step.config))
    if statement is None or step_config(statement) != step.config:
        raise Unreadable(f"its config for {step.type} has no words in the language")
    return statement


def _statement(  # noqa: C901, PLR0911 - a table
    kind: str, config: dict[str, Any]
) -> nodes.Action | nodes.Branch | None:
    match kind, config:
        case "SEND_EMAIL", {"template": dict() as template}:
            return _email(template, config)
        case "DELAY", {"amount": int() | float() as amount, "unit": str(unit)} if amount > 0:
            return nodes.Wait(_duration(amount, unit))
        case "WAIT_FOR_EVENT", {"eventName": str(event)}:
            return _wait_for(event, config)
        case "CONDITION", {"mode": "expression", "condition": tree}:
            return nodes.Branch(condition_node(tree), _NO_BLOCK)
        case "CONDITION", _:
            return nodes.Branch(test_node(config), _NO_BLOCK)
        case "WEBHOOK", {"url": str(url), "method": str(method)} if method.isalpha():
            return _webhook(url, method, config)
        case "UPDATE_CONTACT", {"updates": dict() as updates}:
            return nodes.UpdateContact(object_node(updates))
        case "UPDATE_CONTACT", {"subscriptionAction": "subscribe"}:
            return nodes.Subscribe()
        case "UPDATE_CONTACT", {"subscriptionAction": "unsubscribe"}:
            return nodes.Unsubscribe()
        case "EXIT", {"reason": str(reason)}:
            return nodes.Exit(nodes.Text(reason))
        case "EXIT", _:
            return nodes.Exit()
    return None


def _email(template: dict[str, Any], config: dict[str, Any]) -> nodes.SendEmail | None:
    recipient, overrides = config.get("recipient"), config.get("overrides")
    to = value_node(recipient.get("customEmail")) if isinstance(recipient, dict) else None
    given = object_node(overrides) if isinstance(overrides, dict) else None
    match template:
        case {"name": str(name)}:
            return nodes.SendEmail(nodes.Reference(name), to, given)
        case {"id": str(identifier)}:
            return nodes.SendEmail(nodes.Reference(identifier, is_id=True), to, given)
    return None


def _wait_for(event: str, config: dict[str, Any]) -> nodes.WaitForEvent:
    where, timeout = config.get("where"), config.get("timeout")
    return nodes.WaitForEvent(
        nodes.Text(event),
        condition_node(where) if where is not None else None,
        _duration(*from_seconds(timeout)) if isinstance(timeout, int | float) else None,
    )


def _webhook(url: str, method: str, config: dict[str, Any]) -> nodes.Webhook:
    options = object_node({key: config[key] for key in ("headers", "body") if key in config})
    binding = config.get("as")
    return nodes.Webhook(
        nodes.Text(method),
        nodes.Text(url),
        options if options.pairs else None,
        nodes.Text(binding) if isinstance(binding, str) else None,
    )


def _duration(amount: float, unit: str) -> nodes.Duration:
    return nodes.Duration(amount, unit.removesuffix("s") if amount == 1 else unit)


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
