"""Stored step configurations, read into actions; what cannot be read becomes `Broken`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from urllib.parse import urlsplit

from plunk.engine.core import configs_flow, steps
from plunk.engine.core.addresses import is_address
from plunk.engine.core.config_values import (
    Config,
    InvalidConfig,
    event_name,
    is_computed,
    mapping,
    text,
    text_or_computed,
)
from plunk.engine.core.effects import RecipientType, Retry
from plunk.engine.core.signals import is_reserved
from plunk.errors import InvalidCondition

MAX_ATTEMPTS = 20
METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
OVERRIDES = ("from", "fromName", "replyTo", "subject")
# What conditions and expressions know already.
ROOTS = frozenset(["contact", "event", "run", "data", "now"])
# Never stored among a contact's data, whoever asks.
RESERVED_KEYS = frozenset(
    ["id", "plunk_id", "plunk_email", "email", "unsubscribeUrl", "subscribeUrl", "manageUrl"]
)


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
    overrides = mapping(config, "overrides")
    recipient = mapping(config, "recipient")
    return steps.SendEmail(
        template_id=text(config, "templateId"),
        recipient_type=_recipient_type(recipient),
        address=_address(recipient),
        overrides={
            key: text_or_computed(overrides, key) for key in OVERRIDES if overrides.get(key)
        },
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
    if recipient.get("type") == "CUSTOM" and not (is_computed(address) or is_address(address)):
        raise InvalidConfig("recipient.customEmail must be an e-mail address")
    return address


def _webhook(config: Config) -> steps.Action:
    method = config.get("method") or "POST"
    if method not in METHODS:
        raise InvalidConfig(f"method must be one of {', '.join(METHODS)}")
    headers = mapping(config, "headers")
    return steps.Webhook(
        url=_url(config),
        method=str(method),
        headers={name: text_or_computed(headers, name) for name in headers},
        body=config.get("body") or None,
        bind_as=_bound(config),
        retry=_retry(config),
    )


def _url(config: Config) -> object:
    url = config.get("url")
    if is_computed(url):
        return url
    address = text(config, "url")
    try:
        parts = urlsplit(address)
    except ValueError as error:
        raise InvalidConfig(f"url cannot be read: {error}") from error
    if parts.scheme not in {"http", "https"} or not parts.netloc:
        raise InvalidConfig("url must be an absolute http or https address")
    return address


def _bound(config: Config) -> str | None:
    """Return the name that the answer gets."""
    if config.get("as") is None:
        return None
    name = text(config, "as")
    if name in ROOTS:
        raise InvalidConfig(f"as must not be {name}, which has a meaning of its own")
    return name


def _retry(config: Config) -> Retry | None:
    retry = mapping(config, "retry")
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
    updates = mapping(config, "updates") or mapping(config, "data")
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


def _track(config: Config) -> steps.Action:
    name, data = event_name(config), config.get("data")
    if is_reserved(name):
        raise InvalidConfig(f"the event name {name} is reserved for the system")
    return steps.Track(name, None if data is None else mapping(config, "data"))


def _segment(config: Config) -> steps.Action:
    segment_id = text(config, "segmentId")
    match config.get("action"):
        case "add":
            return steps.ChangeSegment("add", segment_id)
        case "remove":
            return steps.ChangeSegment("remove", segment_id)
    raise InvalidConfig("action must be add or remove")


def _exit(config: Config) -> steps.Action:
    return steps.Exit(text(config, "reason") if config.get("reason") else "exit_step")


READERS: Mapping[str, Callable[[Config], steps.Action]] = {
    "TRIGGER": _trigger,
    "SEND_EMAIL": _send_email,
    "DELAY": configs_flow.delay,
    "WAIT_FOR_EVENT": configs_flow.wait,
    "CONDITION": configs_flow.condition,
    "SPLIT": configs_flow.split,
    "WEBHOOK": _webhook,
    "UPDATE_CONTACT": _update_contact,
    "TRACK": _track,
    "SEGMENT": _segment,
    "EXIT": _exit,
}
