"""JSON values as JavaScript's Number() and String() see them."""

from __future__ import annotations

import math
import re
from decimal import Decimal

from plunk.conditions.nodes import MISSING

# What ECMAScript calls StringNumericLiteral; Python's float() takes more ("1_0", "nan").
DECIMAL = re.compile(r"[+-]?((\d+\.?\d*|\.\d+)([eE][+-]?\d+)?|Infinity)\Z", re.ASCII)
PREFIXED = re.compile(r"0([xX][0-9a-fA-F]{1,255}|[oO][0-7]{1,255}|[bB][01]{1,255})\Z", re.ASCII)
SMALLEST_PLAIN = Decimal("1e-6")
FIRST_EXPONENT = Decimal("1e21")
MAX_NESTING = 64


def to_number(value: object) -> float:
    """Return Number(value); what is not a number is NaN."""
    match value:
        case int() | float():
            return value
        case None:
            return 0
        case str():
            return _read_number(value.strip())
        case list():
            return _read_number(to_text(value).strip())
    return math.nan


def _read_number(text: str) -> float:
    if not text:
        return 0
    if PREFIXED.match(text):
        return int(text, 0)
    return float(text) if DECIMAL.match(text) else math.nan


def to_text(value: object, depth: int = 0) -> str:
    """Return String(value)."""
    match value:
        case str():
            return value
        case bool():
            return "true" if value else "false"
        case None:
            return "null"
        case int() | float():
            return _number_text(value)
        case list() if depth < MAX_NESTING:
            return ",".join(_item_text(item, depth + 1) for item in value)
    return "undefined" if value is MISSING else "[object Object]"


def _item_text(value: object, depth: int) -> str:
    return "" if value is None else to_text(value, depth)


def _number_text(value: float) -> str:
    if isinstance(value, float) and not math.isfinite(value):
        return "NaN" if math.isnan(value) else f"{'-' if value < 0 else ''}Infinity"
    exact = Decimal(repr(value))
    if exact == 0:
        return "0"
    if SMALLEST_PLAIN <= abs(exact) < FIRST_EXPONENT:
        text = f"{exact:f}"
        return text.rstrip("0").rstrip(".") if "." in text else text
    return _scientific(exact)


def _scientific(exact: Decimal) -> str:
    digits, exponent = f"{exact.normalize():e}".split("e")
    return f"{digits}e{int(exponent):+d}"
