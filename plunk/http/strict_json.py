"""JSON in and out: strict when it is read, compact when it is written.

Refused: bytes that are not UTF-8, NaN and infinities, NUL characters, lone surrogates, integers
over 64 bits and nesting deeper than 64 levels; each would break a database or a client later.
"""

from __future__ import annotations

import json
import math
import re
from typing import Any

from flask.json.provider import JSONProvider

from plunk.errors import MalformedJson

MAX_DEPTH = 64
MAX_INTEGER = 2**64
SUSPICIOUS = re.compile(r"\\u(?:0000|[dD][89a-fA-F])")
# Possessive, and content with an unclosed string: a hostile body costs one pass, not n² of them.
STRINGS = re.compile(r'"(?:[^"\\]++|\\.?)*+(?:"|\Z)', re.DOTALL)
BRACKETS = re.compile(r"[\[\]{}]")


class CompactProvider(JSONProvider):
    """Flask's JSON, without spaces, in the order in which keys were added."""

    def dumps(self, obj: Any, **_kwargs: Any) -> str:  # noqa: ANN401 - Flask's signature
        """Return the compact JSON text of a value."""
        return json.dumps(obj, separators=(",", ":"), ensure_ascii=False, allow_nan=False)

    def loads(self, s: str | bytes, **_kwargs: Any) -> Any:  # noqa: ANN401 - Flask's signature
        """Return the value of a strict JSON text."""
        return loads(s if isinstance(s, bytes) else s.encode("utf-8", "surrogatepass"))


def loads(raw: bytes) -> Any:  # noqa: ANN401 - JSON is any value
    """Return the value of a strict JSON text; MalformedJson says what is wrong and where."""
    text = _decode(raw)
    if text.count("[") + text.count("{") > MAX_DEPTH:
        _check_depth(text)
    try:
        value = json.loads(
            text, parse_constant=_refuse_constant, parse_int=_integer, parse_float=_number
        )
    except json.JSONDecodeError as error:
        raise MalformedJson(
            f"The body is not valid JSON: {error.msg} at line {error.lineno}, column {error.colno}."
        ) from None
    if SUSPICIOUS.search(text):
        _check_strings(value)
    return value


def _decode(raw: bytes) -> str:
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError as error:
        raise MalformedJson(f"The body is not UTF-8: bad byte at offset {error.start}.") from None


def _check_depth(text: str) -> None:
    depth = 0
    for mark in BRACKETS.findall(STRINGS.sub("", text)):
        depth += 1 if mark in "[{" else -1
        if depth > MAX_DEPTH:
            raise MalformedJson(f"The body is nested deeper than {MAX_DEPTH} levels.")


def _refuse_constant(word: str) -> None:
    raise MalformedJson(f"{word} is not JSON; send a number or null.")


def _integer(digits: str) -> int:
    if len(digits) > len(str(MAX_INTEGER)) or abs(value := int(digits)) >= MAX_INTEGER:
        raise MalformedJson("A whole number is larger than 64 bits; send it as a string.")
    return value


def _number(digits: str) -> float:
    value = float(digits)
    if math.isinf(value):
        raise MalformedJson("A number is too large; send it as a string.")
    return value


def _check_strings(value: object) -> None:
    match value:
        case str():
            _check_string(value)
        case dict():
            for key, item in value.items():
                _check_string(key)
                _check_strings(item)
        case list():
            for item in value:
                _check_strings(item)


def _check_string(text: str) -> None:
    if "\0" in text:
        raise MalformedJson("A string holds a NUL character (\\u0000), which cannot be stored.")
    try:
        text.encode()
    except UnicodeEncodeError:
        raise MalformedJson("A string holds half of a surrogate pair, which is no text.") from None
