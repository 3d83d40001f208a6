"""The functions of expressions that need nothing but their values."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from decimal import ROUND_HALF_UP, Context, Decimal

from plunk.expressions.arithmetic import MAX_EXACT, Number, is_number, tidy
from plunk.expressions.showing import misused
from plunk.expressions.times import to_time

MAX_PLACES = 15
WIDE = Context(prec=60)  # 16 digits before the point and 15 behind fit
Function = Callable[[Sequence[object]], object]


def _text_function(name: str, change: Callable[[str], str]) -> Function:
    def call(values: Sequence[object]) -> object:
        match values:
            case [str() as text]:
                return change(text)
        raise misused(name, values)

    return call


def _round(values: Sequence[object]) -> object:
    match values:
        case [(int() | float()) as number, *digits] if is_number(number) and _are_places(digits):
            return tidy(_rounded(number, int(str(digits[0])) if digits else 0))
    raise misused("round", values)


def _are_places(digits: Sequence[object]) -> bool:
    return not digits or (len(digits) == 1 and digits[0] in range(MAX_PLACES + 1))


def _rounded(number: Number, places: int) -> Number:
    """Round half away from zero, by the digits people see; huge numbers have no fraction."""
    if isinstance(number, int) or abs(number) > MAX_EXACT:
        return number
    place = Decimal(1).scaleb(-places)
    return float(Decimal(repr(number)).quantize(place, ROUND_HALF_UP, WIDE))


def _length(values: Sequence[object]) -> object:
    match values:
        case [(str() | list() | dict()) as value]:
            return len(value)
    raise misused("length", values)


FUNCTIONS: Mapping[str, Function] = {
    "lower": _text_function("lower", str.lower),
    "upper": _text_function("upper", str.upper),
    "trim": _text_function("trim", str.strip),
    "round": _round,
    "length": _length,
    "date": to_time,
}
