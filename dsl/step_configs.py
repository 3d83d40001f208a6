"""What each statement puts into its step."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dsl import nodes
from dsl.conditions import condition_config, tree_json
from dsl.durations import plural, seconds
from dsl.values import mixed_json, value_json

if TYPE_CHECKING:
    from dsl.graph import JsonObject

_TYPES: dict[type[nodes.Action | nodes.Branch], str] = {
    nodes.SendEmail: "SEND_EMAIL",
    nodes.Wait: "DELAY",
    nodes.WaitForEvent: "WAIT_FOR_EVENT",
    nodes.Branch: "CONDITION",
    nodes.Webhook: "WEBHOOK",
    nodes.UpdateContact: "UPDATE_CONTACT",
    nodes.Subscribe: "UPDATE_CONTACT",
    nodes.Unsubscribe: "UPDATE_CONTACT",
    nodes.Exit: "EXIT",
}


def step_type(step: nodes.Action | nodes.Branch) -> str:
    """Return the type of a statement's step."""
    return _TYPES[type(step)]


def step_config(step: nodes.Action | nodes.Branch) -> JsonObject:  # noqa: PLR0911 - a table
    """Return the config of a statement's step."""
    match step:
        case nodes.SendEmail():
            return _email(step)
        case nodes.Wait(duration):
            return {"amount": duration.amount, "unit": plural(duration.unit)}
        case nodes.WaitForEvent():
            return _wait_for(step)
        case nodes.Branch(condition):
            return condition_config(condition)
        case nodes.Webhook():
            return _webhook(step)
        case nodes.UpdateContact(updates):
            changes = {pair.key.value: value_json(pair.value) for pair in updates.pairs}
            return {"updates": changes}
        case nodes.Subscribe():
            return {"subscriptionAction": "subscribe"}
        case nodes.Unsubscribe():
            return {"subscriptionAction": "unsubscribe"}
        case nodes.Exit(reason):
            return {"reason": reason.value} if reason else {}
    raise AssertionError(step)


def _email(step: nodes.SendEmail) -> JsonObject:
    key = "id" if step.template.is_id else "name"
    config: JsonObject = {"template": {key: step.template.value}}
    if step.to:
        config["recipient"] = {"type": "CUSTOM", "customEmail": value_json(step.to)}
    if step.overrides and step.overrides.pairs:
        config["overrides"] = {
            pair.key.value: value_json(pair.value) for pair in step.overrides.pairs
        }
    return config


def _wait_for(step: nodes.WaitForEvent) -> JsonObject:
    config: JsonObject = {"eventName": step.event.value}
    if step.limit:
        config["timeout"] = seconds(step.limit)
    if step.where:
        config["where"] = tree_json(step.where)
    return config


def _webhook(step: nodes.Webhook) -> JsonObject:
    config: JsonObject = {"url": step.url.value, "method": step.method.value}
    for pair in step.options.pairs if step.options else ():
        config[pair.key.value] = mixed_json(pair.value)
    if step.binding:
        config["as"] = step.binding.value
    return config
