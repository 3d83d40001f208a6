"""How incoming data merges into a contact's stored data, key by key at the top level."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from plunk.errors import BadRequest

RESERVED = frozenset(
    {"id", "plunk_id", "plunk_email", "email", "unsubscribeUrl", "subscribeUrl", "manageUrl"}
)


def merge(stored: Mapping[str, Any] | None, incoming: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return the stored data after the merge; None instead of an empty object.

    null deletes a key; "" and one-off values (`{"value": …, "persistent": false}`) change nothing;
    reserved keys are dropped. BadRequest when `locale` is not text.
    """
    check_locale(incoming)
    merged = dict(stored or {})
    for key, value in incoming.items():
        if key in RESERVED or value == "" or is_one_off(value):
            continue
        if value is None:
            merged.pop(key, None)
        else:
            merged[key] = value
    return merged or None


def is_one_off(value: object) -> bool:
    """Tell whether a value is meant for this request only."""
    return isinstance(value, dict) and "value" in value and value.get("persistent") is False


def unwrapped(data: Mapping[str, Any]) -> dict[str, Any]:
    """Return data as templates see it: one-off values without their wrapper."""
    return {key: value["value"] if is_one_off(value) else value for key, value in data.items()}


def check_locale(incoming: Mapping[str, Any]) -> None:
    """Raise BadRequest when `locale` is not text."""
    locale = incoming.get("locale")
    if locale is not None and not isinstance(locale, str) and not is_one_off(locale):
        raise BadRequest("data.locale must be a string such as 'en' or 'pt-BR'.")
