"""Secrets in web hooks: stored as marks, put in at the moment of sending, struck out of answers.

A mark carries the id of its own call, which did not exist when anybody's data was written: no text
that comes from outside can pass for one.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import replace

from plunk.expressions import Concealed, SecretName
from plunk.outbound import Answer
from plunk.services.masking import masked, masked_start

Known = Mapping[str, str]
MARK = re.compile(r"<secret:(?P<call>[0-9a-f-]{36}):(?P<name>[A-Za-z0-9_]+)>")


def names_in(call_id: str, *texts: str | None) -> set[str]:
    """Return the names of the secrets that a call needs."""
    found = (mark for text in texts for mark in MARK.finditer(text or ""))
    return {mark["name"] for mark in found if mark["call"] == call_id}


def revealed(call_id: str, text: str, known: Known) -> str:
    """Return the text with the secrets in it; KeyError names one that is not known."""
    return _replaced(call_id, text, lambda name: known[name])


def revealed_json(call_id: str, text: str, known: Known) -> str:
    """Return a JSON text with the secrets in it, written as JSON has them."""
    return _replaced(call_id, text, lambda name: _escaped(known[name]))


def shown(call_id: str, text: str) -> str:
    """Return the text as anybody may read it."""
    return _replaced(call_id, text, lambda name: f"[secret {name}]")


def struck_out(answer: Answer, known: Known) -> Answer:
    """Return an answer without the secrets that it may have repeated."""
    strike = masked_start if answer.truncated else masked
    return replace(
        answer,
        body=strike(answer.body.replace("\0", ""), known),  # which no database can hold
        url=masked(answer.url, known),
        content_type=masked(answer.content_type, known),
    )


def written(value: object, call_id: str) -> object:
    """Return a computed value as it is stored: with a mark in the place of each secret."""
    match value:
        case Concealed(parts):
            return "".join(
                part if isinstance(part, str) else _mark(part, call_id) for part in parts
            )
        case dict():
            return {name: written(item, call_id) for name, item in value.items()}
        case list():
            return [written(item, call_id) for item in value]
    return value


def _mark(secret: SecretName, call_id: str) -> str:
    return f"<secret:{call_id}:{secret.name}>"


def _replaced(call_id: str, text: str, make: Callable[[str], str]) -> str:
    return MARK.sub(lambda mark: make(mark["name"]) if mark["call"] == call_id else mark[0], text)


def _escaped(value: str) -> str:
    return json.dumps(value)[1:-1]
