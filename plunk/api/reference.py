"""The OpenAPI document, laid out for a page: groups of operations with their tables."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from shlex import quote
from typing import Any

Json = dict[str, Any]
JSON_TYPE = "application/json"
MAX_DEPTH = 3
FIRST_ERROR = 400
HUMP = re.compile(r"(?<=[a-z])(?=[A-Z])")
ACCESS = {
    (): "No key needed.",
    ("secretKey",): "Needs a secret key.",
    ("publicKey", "secretKey"): "Works with the public and with the secret key.",
}
LIMITS = (
    ("minLength", "maxLength", "characters"),
    ("minimum", "maximum", ""),
    ("minItems", "maxItems", "items"),
)
FORMATS = {"email": "e-mail address", "uuid": "id", "date-time": "time"}


@dataclass(frozen=True, slots=True)
class Row:
    """One parameter or member: its name, its type in words, and its rules."""

    name: str
    kind: str
    rules: tuple[str, ...]
    choices: tuple[str, ...]
    text: str
    required: bool


@dataclass(frozen=True, slots=True)
class Answer:
    """One status an operation can answer with."""

    status: str
    name: str
    text: str
    rows: tuple[Row, ...]
    example: str


@dataclass(frozen=True, slots=True)
class Entry:
    """One operation."""

    id: str
    label: str
    method: str
    path: str
    summary: str
    text: str
    access: str
    parameters: tuple[Row, ...]
    body: tuple[Row, ...]
    body_text: str
    curl: str
    answers: tuple[Answer, ...]
    errors: tuple[Answer, ...]


@dataclass(frozen=True, slots=True)
class Group:
    """The operations about one noun."""

    id: str
    name: str
    text: str
    entries: tuple[Entry, ...]


@dataclass(frozen=True, slots=True)
class Reference:
    """The whole page; `errors` are the answers that operations share."""

    groups: tuple[Group, ...]
    errors: tuple[Answer, ...]


def reference(document: Json) -> Reference:
    """Return what the page shows, in the order of the document's tags."""
    pairs = [
        (operation["tags"][0], _entry(document, method.upper(), path, operation))
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    ]
    groups = [
        Group(
            tag["name"].lower().replace(" ", "-"),
            tag["name"],
            tag["description"],
            tuple(entry for name, entry in pairs if name == tag["name"]),
        )
        for tag in document["tags"]
    ]
    shared = {answer.status: answer for _, entry in pairs for answer in entry.errors}
    return Reference(tuple(groups), tuple(shared[status] for status in sorted(shared)))


def _entry(document: Json, method: str, path: str, operation: Json) -> Entry:
    body = operation.get("requestBody", {})
    content = body.get("content", {}).get(JSON_TYPE, {})
    keys = tuple(key for choice in operation["security"] for key in choice)
    answers = [_answer(document, *item) for item in operation["responses"].items()]
    return Entry(
        id=operation["operationId"],
        label=_words(operation["operationId"]),
        method=method,
        path=path,
        summary=operation["summary"],
        text=operation.get("description", ""),
        access=ACCESS[keys],
        parameters=tuple(_parameter(document, one) for one in operation["parameters"]),
        body=tuple(_rows(document, content.get("schema", {}))),
        body_text=body.get("description", ""),
        curl=_curl(method, document["servers"][0]["url"] + path, keys, content.get("example")),
        answers=tuple(one for one in answers if int(one.status) < FIRST_ERROR),
        errors=tuple(one for one in answers if int(one.status) >= FIRST_ERROR),
    )


def _answer(document: Json, status: str, response: Json) -> Answer:
    name = _words(response.get("$ref", "").rpartition("/")[2])
    response = _resolved(document, response)
    content = response.get("content", {}).get(JSON_TYPE, {})
    example = content.get("example")
    return Answer(
        status,
        name,
        response["description"],
        tuple(_rows(document, content.get("schema", {}))),
        "" if example is None else _pretty(example),
    )


def _parameter(document: Json, parameter: Json) -> Row:
    schema = parameter["schema"]
    if text := parameter.get("description") or (
        "In the path." if parameter["in"] == "path" else ""
    ):
        schema = {**schema, "description": text}
    return _row(document, parameter["name"], schema, required=parameter["required"])


def _rows(document: Json, schema: Json, prefix: str = "", depth: int = 0) -> Iterator[Row]:
    """Describe the members of an object; those of objects inside it have dotted names."""
    schema = _resolved(document, schema)
    if "items" in schema:
        schema, prefix = _resolved(document, schema["items"]), f"[].{prefix}"
    needed = schema.get("required", ())
    for name, member in schema.get("properties", {}).items():
        yield _row(document, prefix + name, member, required=name in needed)
        if depth < MAX_DEPTH:
            for mark, inner in _inside(document, member):
                yield from _rows(document, inner, f"{prefix}{name}{mark}.", depth + 1)


def _inside(document: Json, schema: Json) -> Iterator[tuple[str, Json]]:
    """Return what a member may hold, and how to write that it holds many of it."""
    for one in _alternatives(document, schema):
        if "items" in one:
            yield "[]", _resolved(document, one["items"])
        else:
            yield "", one


def _row(document: Json, name: str, schema: Json, *, required: bool) -> Row:
    present = _alternatives(document, schema)
    shown = present[0] if len(present) == 1 else {}
    return Row(
        name,
        _kind(document, schema),
        tuple(_rules(shown)),
        tuple(str(choice) for choice in shown.get("enum", ()) if choice is not None),
        schema.get("description", ""),
        required,
    )


def _kind(document: Json, schema: Json) -> str:
    """Return the type in words, such as `array of id` or `string or null`."""
    if "anyOf" in schema and "properties" not in schema:
        return " or ".join(dict.fromkeys(_kind(document, one) for one in schema["anyOf"]))
    schema = _resolved(document, schema)
    kinds = schema.get("type", "any JSON")
    words = [kinds] if isinstance(kinds, str) else list(kinds)
    if schema.get("format") in FORMATS:
        words[0] = FORMATS[schema["format"]]
    if "items" in schema:
        many = "anyOf" in schema["items"]
        words[0] = "array of them" if many else f"array of {_kind(document, schema['items'])}"
    return " or ".join(words)


def _rules(schema: Json) -> Iterator[str]:
    for lowest, highest, unit in LIMITS:
        match schema.get(lowest), schema.get(highest):
            case None, None:
                continue
            case low, None:
                yield f"at least {low} {unit}".strip()
            case None, high:
                yield f"at most {high:,} {unit}".strip()
            case low, high:
                yield f"{low} to {high:,} {unit}".strip()
    if "default" in schema:
        yield f"{json.dumps(schema['default'])} when not given"


def _alternatives(document: Json, schema: Json) -> list[Json]:
    """Return the schemas of a value that is there."""
    schema = _resolved(document, schema)
    each = [schema] if "properties" in schema else schema.get("anyOf", [schema])
    return [_resolved(document, one) for one in each if one.get("type") != "null"]


def _resolved(document: Json, item: Json) -> Json:
    if "$ref" not in item:
        return item
    _, _, kind, name = item["$ref"].split("/")
    found: Json = document["components"][kind][name]
    return found


def _curl(method: str, url: str, keys: tuple[str, ...], body: object) -> str:
    lines = [f"curl {quote(url)}" if method == "GET" else f"curl -X {method} {quote(url)}"]
    if keys:
        lines.append('-H "Authorization: Bearer sk_…"')
    if body is not None:
        lines += ['-H "Content-Type: application/json"', f"-d {quote(_pretty(body))}"]
    return " \\\n  ".join(lines)


def _pretty(value: object) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False)


def _words(name: str) -> str:
    return HUMP.sub(" ", name).capitalize()
