"""What can be said about an expression before it is computed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from plunk.expressions.evaluation import MAX_DEPTH
from plunk.expressions.functions import FUNCTIONS
from plunk.expressions.showing import shown

CALLS = {*FUNCTIONS, "now", "secret", "render"}


def expressions_in(value: object, depth: int = 1) -> Iterator[object]:
    """Yield the e of every {"$expr": e} in a JSON value."""
    match value:
        case _ if depth > MAX_DEPTH:
            return
        case {"$expr": expression, **others} if not others:
            yield expression
        case dict() | list():
            for item in value.values() if isinstance(value, dict) else value:
                yield from expressions_in(item, depth + 1)


def fault(expression: object, depth: int = 1) -> str | None:
    """Say why this can never be computed, or return None."""
    if depth > MAX_DEPTH:
        return f"an expression is nested more than {MAX_DEPTH} deep"
    if not isinstance(expression, list | dict):
        return None
    parts = _parts(expression)
    if parts is None:
        return f"not an expression: {shown(expression)}"
    return next((found for part in parts if (found := fault(part, depth + 1))), None)


def speaks_of_secrets(expression: object) -> bool:
    """Tell whether a secret is used anywhere in an expression."""
    match expression:
        case ["call", "secret", *_] | ["secret", _]:
            return True
        case list():
            return any(map(speaks_of_secrets, expression))
    return False


def _parts(expression: object) -> Sequence[object] | None:  # noqa: PLR0911 - a table
    """Return the expressions inside one; None where it has no form that there is."""
    match expression:
        case ["get", _, *_] if all(map(_is_key, expression[1:])):
            return ()
        case ["duration", int() | float(), str()]:
            return ()
        case ["object", list() as pairs] if all(map(_is_pair, pairs)):
            return [pair[1] for pair in pairs]
        case ["list", *parts]:
            return parts
        case ["call", str() as name, *parts] if name in CALLS:
            return parts
        case ["??" | "+" | "-" | "*" | "/", _, _]:
            return expression[1:]
        case ["neg" | "date" | "render" | "secret", operand]:
            return [operand]
    return None


def _is_key(part: object) -> bool:
    return isinstance(part, str | int) and not isinstance(part, bool)


def _is_pair(pair: object) -> bool:
    match pair:
        case [str(), _]:
            return True
    return False
