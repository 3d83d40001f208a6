"""Example values, made from a JSON Schema and from what members are usually called."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

Json = dict[str, Any]
ID = "019530d9-5c00-7aaa-8000-6a8f1c2d3e4f"
INSTANT = "2026-03-02T12:00:00.000Z"
FLOW = """\
workflow "Greeting" {
  on event "signed-up"
  wait 1 day
  exit "greeted"
}
"""
BY_NAME: Final[dict[str, Any]] = {
    "body": "<p>Hello {{ firstName }}!</p>",
    "category": "contact",
    "code": "invalid_type",
    "config": {"amount": 1, "unit": "days"},
    "content": "aGVsbG8=",
    "contentId": "logo",
    "contentType": "text/plain",
    "context": {"plan": "pro"},
    "cursor": ID,
    "data": {"firstName": "Ada", "plan": "pro"},
    "description": "Greets new customers.",
    "digest": "sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    "email": "ada@example.com",
    "event": "signed-up",
    "eventName": "signed-up",
    "field": "data.plan",
    "filename": "hello.txt",
    "files": {"greeting.flow": FLOW},
    "flow": FLOW,
    "fromName": "Grace from Acme",
    "from": "grace@example.com",
    "headers": {"X-Campaign": "welcome"},
    "name": "Welcome",
    "position": {"x": 100, "y": 200},
    "replyTo": "help@example.com",
    "search": "ada",
    "source": FLOW,
    "subject": "Welcome, {{ firstName }}",
    "to": "ada@example.com",
    "type": "DELAY",
}
# Members that only make sense instead of others, or for those who know what they refer to.
UNUSUAL: Final = {
    "branch",
    "condition",
    "expectedRevision",
    "flow",
    "planDigest",
    "template",
    "text",
}
BY_FORMAT: Final = {"uuid": ID, "date-time": INSTANT, "email": "ada@example.com"}
BY_TYPE: Final[dict[str, Any]] = {"boolean": True, "null": None, "number": 1.0, "string": "text"}
UNKNOWN: Final = "text"


def example_of(schema: Json, components: Mapping[str, Json], name: str = "") -> Any:
    """Return a value that the schema accepts, with its usual members."""
    if "$ref" in schema:
        schema = components[schema["$ref"].rpartition("/")[2]]
    if "example" in schema:
        return schema["example"]
    if "anyOf" in schema and "properties" not in schema:
        return BY_NAME.get(name) or example_of(schema["anyOf"][0], components, name)
    kind = _kind(schema)
    match kind:
        case "object" if schema.get("properties"):
            return _object(schema, components)
        case "array":
            return [example_of(schema["items"], components, name)]
        case "integer":
            return max(schema.get("minimum", 0), min(1, schema.get("maximum", 1)))
    return _scalar(schema, kind, name)


def _object(schema: Json, components: Mapping[str, Json]) -> Json:
    needed = schema.get("required", ())
    return {
        name: example_of(member, components, name)
        for name, member in schema["properties"].items()
        if name in needed or name not in UNUSUAL or "example" in member
    }


def _scalar(schema: Json, kind: str, name: str) -> Any:
    if "enum" in schema:
        usual = BY_NAME.get(name)
        return usual if usual in schema["enum"] else schema["enum"][0]
    if schema.get("format") == "email" and name in BY_NAME:
        return BY_NAME[name]
    if schema.get("format") in BY_FORMAT:
        return BY_FORMAT[schema["format"]]
    if name in BY_NAME:
        return BY_NAME[name]
    return {} if kind == "object" else BY_TYPE.get(kind, UNKNOWN)


def _kind(schema: Json) -> str:
    kinds = schema.get("type", "")
    return kinds if isinstance(kinds, str) else next(kind for kind in kinds if kind != "null")
