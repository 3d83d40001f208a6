"""From marshmallow's nested messages to a flat list of field problems."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Self

from marshmallow import ValidationError

from plunk.errors import FieldProblem

SCHEMA_LEVEL = "_schema"


class Problem(str):
    """A message that also knows its stable code and what was received instead."""

    __slots__ = ("code", "received")
    code: str
    received: str | None

    def __new__(cls, message: str, code: str, received: str | None = None) -> Self:
        """Return the message with its code."""
        problem = super().__new__(cls, message)
        problem.code, problem.received = code, received
        return problem


def problem(message: str, code: str, received: str | None = None) -> ValidationError:
    """Return a validation error that carries one coded message."""
    return ValidationError([Problem(message, code, received)])


def at(field: str, message: str, code: str = "custom") -> ValidationError:
    """Return a validation error about one field, for rules that need several fields."""
    return ValidationError({field: [Problem(message, code)]})


def json_type(value: object) -> str:
    """Return the name of a value's JSON type."""
    match value:
        case None:
            return "null"
        case bool():
            return "boolean"
        case int() | float():
            return "number"
        case str():
            return "string"
        case list() | tuple():
            return "array"
    return "object"


def problems_of(error: ValidationError) -> list[FieldProblem]:
    """Return every problem in a validation error, with dotted paths."""
    return list(_walk(error.messages, ()))


def _walk(messages: object, path: tuple[str, ...]) -> Iterator[FieldProblem]:
    match messages:
        case Mapping():
            for key, below in messages.items():
                yield from _walk(below, path if key == SCHEMA_LEVEL else (*path, str(key)))
        case list():
            for message in messages:
                yield from _walk(message, path)
        case Problem():
            yield FieldProblem(".".join(path), str(messages), messages.code, messages.received)
        case _:
            yield FieldProblem(".".join(path), str(messages), "custom")
