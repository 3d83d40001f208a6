"""From our marshmallow fields to JSON Schema: the limits are read from the field objects.

Metadata says what the objects cannot: `optional` marks a member that an answer may lack, and
`needed` one that a request must have although its absence has a message of its own.
"""

from __future__ import annotations

from inspect import getdoc
from typing import Any

from apispec.ext.marshmallow.common import resolve_schema_instance
from apispec.ext.marshmallow.openapi import OpenAPIConverter
from marshmallow import Schema, fields

from plunk import addresses
from plunk.schemas.fields import (
    Address,
    Choice,
    ConditionField,
    IdText,
    Input,
    JsonObject,
    ListOf,
    MapOf,
    Query,
    Text,
    Time,
    Whole,
)
from plunk.schemas.parties import PartiesField, PartyField

JsonSchema = dict[str, Any]
OPTIONAL, NEEDED = "optional", "needed"
FAR = "9" * 18  # a number beyond every limit, to ask a lenient parameter for its own


class Converter(OpenAPIConverter):
    """apispec's converter, taught our own fields."""

    def init_attribute_functions(self) -> None:
        """Add our rules after apispec's."""
        super().init_attribute_functions()  # type: ignore[no-untyped-call] # apispec's
        self.attribute_functions.append(self.field2rules)

    def field2rules(self, field: fields.Field[Any], ret: JsonSchema) -> JsonSchema:
        """Return what a field of ours adds; `ret` is what apispec made of it so far."""
        if field.metadata.get(NEEDED):
            _forbid_null(ret)
        match field:
            case Query():
                ret.clear()
                return {**_lenient(field), **self.metadata2properties(field)}
            case MapOf():
                return {
                    "propertyNames": _text(field.name_field),
                    "additionalProperties": self.field2property(field.item_field),
                }
            case PartyField():
                return self._party(field)
            case ConditionField():
                return {"type": ["object", "string"], "additionalProperties": True}
        return _plain(field, ret)

    def schema2jsonschema(self, schema: Any) -> JsonSchema:
        """Return the schema of an object, and which of its members are always there."""
        made: JsonSchema = super().schema2jsonschema(schema)  # type: ignore[no-untyped-call] # apispec's
        instance = resolve_schema_instance(schema)
        made["description"] = " ".join((getdoc(type(instance)) or "").split())
        made.pop("additionalProperties", None)  # members may be added one day
        if required := _required(instance):
            made["required"] = required
        if isinstance(instance, Input) and instance.alternatives:
            made["anyOf"] = [{"required": [*names]} for names in instance.alternatives]
        return made

    def _party(self, field: PartyField) -> JsonSchema:
        address = self.field2property(field.address)
        named = {
            "type": "object",
            "properties": {"email": address, "name": self.field2property(field.name_text)},
            "required": ["email"],
        }
        one = [address, named]
        if isinstance(field, PartiesField):
            return {"anyOf": [*one, {"type": "array", "items": {"anyOf": one}}]}
        return {"anyOf": one}


def _required(schema: Schema) -> list[str]:
    if isinstance(schema, Input):
        found = {
            name: item.required or item.metadata.get(NEEDED)
            for name, item in schema.load_fields.items()
        }
    else:
        found = {name: not item.metadata.get(OPTIONAL) for name, item in schema.dump_fields.items()}
    return [schema.fields[name].data_key or name for name, there in found.items() if there]


def _plain(field: fields.Field[Any], ret: JsonSchema) -> JsonSchema:
    match field:
        case JsonObject() | ListOf():
            return _container(field)
        case Whole():
            return {"minimum": field.low, "maximum": field.high}
        case Time():
            kind = ["string", "null"] if field.allow_none else "string"
            return {"type": kind, "format": "date-time"}
        case Choice() if _is_nullable(ret):
            return {"enum": [*field.choices, None]}
        case Text():
            return _text(field)
    return {}


def _container(field: JsonObject | ListOf) -> JsonSchema:
    if isinstance(field, ListOf):
        return _limits("Items", field.low, field.high)
    if field.max_bytes is None:
        return {"additionalProperties": True}
    text = f"At most {field.max_bytes // 1024} KB as JSON."
    return {"additionalProperties": True, "description": text}


def _text(field: Text) -> JsonSchema:
    rules = _limits("Length", field.low, field.high)
    if field.pattern is not None:
        rules["pattern"] = f"^(?:{field.pattern.regex.pattern})$"
    match field:
        case Choice():
            return {"enum": [*field.choices]}
        case Address():
            look = f"^{addresses.ADDRESS.pattern}$"
            return {**rules, "format": "email", "maxLength": addresses.MAX_LENGTH, "pattern": look}
        case IdText():
            return {**rules, "format": "uuid"}
    return rules


def _limits(what: str, low: int, high: int | None) -> JsonSchema:
    rules = {f"min{what}": low} if low else {}
    return rules if high is None else {**rules, f"max{what}": high}


def _is_nullable(made: JsonSchema) -> bool:
    return "null" in made.get("type", ())


def _forbid_null(made: JsonSchema) -> None:
    if _is_nullable(made):
        made["type"] = next(kind for kind in made["type"] if kind != "null")
    elif "type" not in made:
        made["not"] = {"type": "null"}


def _lenient(field: Query) -> JsonSchema:
    """Return what a lenient parameter is meant to hold, found by asking its own function."""
    default = field.read(None)
    known = {} if default is None else {"default": default}
    if isinstance(field.read("true"), bool):
        return {"type": "boolean", **known}
    if isinstance(default, int):
        low, high = field.read(f"-{FAR}"), field.read(FAR)
        return {"type": "integer", "minimum": low, "maximum": high, **known}
    return {"type": "string", **known}
