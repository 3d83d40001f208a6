"""Values in error messages: short, and without anybody's data in bulk."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import timedelta

from plunk.errors import InvalidExpression
from plunk.expressions.secrets import Concealed

MAX_SHOWN = 60


def shown(value: object) -> str:
    """Return a value as a message may quote it."""
    match value:
        case str():
            text = json.dumps(value[:MAX_SHOWN], ensure_ascii=False)
            return text if len(value) <= MAX_SHOWN else f"{text[:-1]}…"
        case list():
            return f"[{len(value)} values]"
        case dict():
            return f"{{{len(value)} keys}}"
        case timedelta():
            return f"a duration of {value}"
        case Concealed():
            return "a text with a secret"
    return json.dumps(value, default=str)


def misused(name: str, values: Sequence[object]) -> InvalidExpression:
    """Return the error for a function that cannot take these values."""
    return InvalidExpression(f"cannot compute {name}({', '.join(map(shown, values))})")
