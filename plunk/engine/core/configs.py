"""Stored step configurations, read into actions; what cannot be read becomes `Broken`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta
from urllib.parse import urlsplit

from plunk.conditions import tree
from plunk.conditions.instants import UNIT_SECONDS
from plunk.conditions.nodes import Operand, Test
from plunk.conditions.operators.workflow import OPERATORS
from plunk.engine.core import steps
from plunk.engine.core.addresses import is_address
from plunk.engine.core.effects import RecipientType, Retry
from plunk.errors import BadRequest, InvalidCondition

Config = Mapping[str, object]

MAX_WAIT = timedelta(days=365)
MAX_BRANCHES = 20
MAX_ATTEMPTS = 20
METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
OVERRIDES = ("from", "fromName", "replyTo", "subject")
# Never stored among a contact's data, whoever asks.
RESERVED_KEYS = frozenset(
    ["id", "plunk_id", "plunk_email", "email", "unsubscribeUrl", "subscribeUrl", "manageUrl"]
)


class InvalidConfig(BadRequest):
    """A step's configuration breaks the rules of its type."""


def parse_action(type_: str, config: object, template_id: str | None) -> steps.Action:
    """Return what a step does; the step's own template column wins over its config."""
    if type_ not in READERS:
        return steps.Broken(f"unknown step type {type_}")
    if not isinstance(config, dict):
        return steps.Broken("config must be an object")
    if template_id is not None:
        config = {**config, "templateId": template_id}
    try:
        return READERS[type_](config)
    except (InvalidConfig, InvalidCondition) as error:
        return steps.Broken(error.message)


def _trigger(config: Config) -> steps.Action:
    name = config.get("eventName")
    return steps.Trigger(name if isinstance(name, str) else None)


def _send_email(config: Config) -> steps.Action:
    overrides = _mapping(config, "overrides")
    recipient = _mapping(config, "recipient")
    return steps.SendEmail(
        template_id=_text(config, "templateId"),
        recipient_type=_recipient_type(recipient),
        address=_address(recipient),
        overrides={key: _value(overrides, key) for key in OVERRIDES if overrides.get(key)},
    )


def _recipient_type(recipient: Config) -> RecipientType:
    match recipient.get("type", "CONTACT"):
        case "CONTACT":
            return "CONTACT"
        case "CUSTOM":
            return "CUSTOM"
    raise InvalidConfig("recipient.type must be CONTACT or CUSTOM")


def _address(recipient: Config) -> object:
    address = recipient.get("customEmail")
    if recipient.get("type") == "CUSTOM" and not (_is_computed(address) or is_address(address)):
        raise InvalidConfig("recipient.customEmail must be an e-mail address")
    return address


def _delay(config: Config) -> steps.Action:
    amount, unit = config.get("amount"), config.get("unit")
    if not isinstance(unit, str) or unit not in UNIT_SECONDS:
        raise InvalidConfig(f"unit must be one of {', '.join(UNIT_SECONDS)}")
    length = _duration(amount, "amount", UNIT_SECONDS[unit])
    return steps.Delay(_number(amount, "amount"), unit, length)


def _wait_for_event(config: Config) -> steps.Action:
    timeout, where = config.get("timeout"), config.get("where")
    return steps.WaitForEvent(
        event_name=_text(config, "eventName"),
        timeout=None if timeout is None else _duration(timeout, "timeout", 1),
        where=None if where is None else tree.from_json(where, OPERATORS),
    )


def _condition(config: Config) -> steps.Action:
    match config.get("mode"):
        case "multi":
            return _multi_condition(config)
        case "expression":
            condition = tree.from_json(config.get("condition"), OPERATORS)
            return steps.ExpressionCondition(condition)
    return steps.BinaryCondition(config.get("field"), _test(config, config.get("field"), "config"))


def _multi_condition(config: Config) -> steps.Action:
    field, branches = config.get("field"), config.get("branches")
    if not isinstance(branches, list) or not 1 <= len(branches) <= MAX_BRANCHES:
        raise InvalidConfig(f"branches must be an array of 1 to {MAX_BRANCHES}")
    parsed = tuple(_branch(raw, field, f"branches[{at}]") for at, raw in enumerate(branches))
    return steps.MultiCondition(field, _field(field), parsed)


def _branch(raw: object, field: object, at: str) -> steps.Branch:
    if not isinstance(raw, dict):
        raise InvalidConfig(f"{at} must be an object")
    id_ = _text(raw, "id", at)
    name = raw.get("name")
    return steps.Branch(id_, name if isinstance(name, str) else id_, _test(raw, field, at))


def _test(raw: Config, field: object, at: str) -> Test:
    return tree.comparison_from_json({**raw, "field": field}, at, OPERATORS, is_value_optional=True)


def _field(field: object) -> Operand:
    return tree.field_from_json(field, "field")


def _webhook(config: Config) -> steps.Action:
    method = config.get("method") or "POST"
    if method not in METHODS:
        raise InvalidConfig(f"method must be one of {', '.join(METHODS)}")
    headers = _mapping(config, "headers")
    return steps.Webhook(
        url=_url(config),
        method=str(method),
        headers={name: _value(headers, name) for name in headers},
        body=config.get("body") or None,
        bind_as=_text(config, "as") if config.get("as") is not None else None,
        retry=_retry(config),
    )


def _url(config: Config) -> object:
    url = config.get("url")
    if _is_computed(url):
        return url
    text = _text(config, "url")
    try:
        parts = urlsplit(text)
    except ValueError as error:
        raise InvalidConfig(f"url cannot be read: {error}") from error
    if parts.scheme not in {"http", "https"} or not parts.netloc:
        raise InvalidConfig("url must be an absolute http or https address")
    return text


def _retry(config: Config) -> Retry | None:
    retry = _mapping(config, "retry")
    if not retry:
        return None
    attempts, on = retry.get("attempts", 1), retry.get("on", ["network"])
    if isinstance(attempts, bool) or not isinstance(attempts, int):
        raise InvalidConfig("retry.attempts must be a whole number")
    if not 1 <= attempts <= MAX_ATTEMPTS:
        raise InvalidConfig(f"retry.attempts must be between 1 and {MAX_ATTEMPTS}")
    if not isinstance(on, list) or not all(map(_is_retry_reason, on)):
        raise InvalidConfig('retry.on must list "network" and HTTP statuses')
    return Retry(attempts, tuple(on))


def _is_retry_reason(reason: object) -> bool:
    return reason == "network" or (isinstance(reason, int) and not isinstance(reason, bool))


def _update_contact(config: Config) -> steps.Action:
    updates = _mapping(config, "updates") or _mapping(config, "data")
    kept = {key: value for key, value in updates.items() if key not in RESERVED_KEYS}
    match config.get("subscriptionAction") or "none":
        case "none" if not updates:
            raise InvalidConfig("updates or subscriptionAction is required")
        case "none":
            return steps.UpdateContact(kept)
        case "subscribe":
            return steps.UpdateContact(kept, "subscribe")
        case "unsubscribe":
            return steps.UpdateContact(kept, "unsubscribe")
    raise InvalidConfig("subscriptionAction must be none, subscribe or unsubscribe")


def _exit(config: Config) -> steps.Action:
    return steps.Exit(_text(config, "reason") if config.get("reason") else "exit_step")


def _text(config: Config, key: str, at: str | None = None) -> str:
    value = config.get(key)
    if not isinstance(value, str) or not value:
        raise InvalidConfig(f"{f'{at}.' if at else ''}{key} is required and must be text")
    return value


def _value(config: Config, key: str) -> object:
    value = config[key]
    if not isinstance(value, str) and not _is_computed(value):
        raise InvalidConfig(f"{key} must be text")
    return value


def _is_computed(value: object) -> bool:
    return isinstance(value, dict) and value.keys() == {"$expr"}


def _mapping(config: Config, key: str) -> Config:
    value = config.get(key)
    if value is not None and not isinstance(value, dict):
        raise InvalidConfig(f"{key} must be an object")
    return value or {}


def _number(value: object, key: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise InvalidConfig(f"{key} must be a number")
    return value


def _duration(value: object, key: str, seconds: int) -> timedelta:
    number = _number(value, key)
    if not 0 < number * seconds <= MAX_WAIT.total_seconds():
        raise InvalidConfig(f"{key} must be above 0 and at most {MAX_WAIT.days} days in all")
    return timedelta(seconds=number * seconds)


READERS: Mapping[str, Callable[[Config], steps.Action]] = {
    "TRIGGER": _trigger,
    "SEND_EMAIL": _send_email,
    "DELAY": _delay,
    "WAIT_FOR_EVENT": _wait_for_event,
    "CONDITION": _condition,
    "WEBHOOK": _webhook,
    "UPDATE_CONTACT": _update_contact,
    "EXIT": _exit,
}
