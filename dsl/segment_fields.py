"""What the fields of a contact hold, and which comparisons segments know for that."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dsl.values import full_path

if TYPE_CHECKING:
    from collections.abc import Set as AbstractSet

    from dsl import nodes

ID, EMAIL, FLAG, TIME, ANY = "an id", "an address", "true or false", "a time", "any value"
_KINDS = {
    "id": ID,
    "email": EMAIL,
    "subscribed": FLAG,
    "createdAt": TIME,
    "updatedAt": TIME,
}
_EQUAL = frozenset({"equals", "notEquals"})
_AMONG = frozenset({"in", "notIn"})
_PARTS = frozenset({"contains", "notContains", "startsWith", "endsWith"})
_ORDER = frozenset({"greaterThan", "greaterThanOrEqual", "lessThan", "lessThanOrEqual"})
_AGES = frozenset({"within", "olderThan"})
_OPERATORS: dict[str, AbstractSet[str]] = {
    ID: _EQUAL | _AMONG,
    EMAIL: _EQUAL | _AMONG | _PARTS,
    FLAG: _EQUAL,
    TIME: _EQUAL | _ORDER | _AGES,
}


def kind_of(name: nodes.Name) -> str | None:
    """Return what a field of the contact holds; None when it is no field at all."""
    match full_path(name):
        case ("contact", "data", _, *_):
            return ANY
        case ("contact", str(key)) | (str(key),):
            return _KINDS.get(key)
    return None


def fits(kind: str, operator: str) -> bool:
    """Tell whether a segment can compare such a field like this."""
    return kind == ANY or operator in _OPERATORS[kind]
