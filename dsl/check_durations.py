"""Durations: their unit, their length, and what they stand beside."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dsl import nodes
from dsl.diagnostics import Diagnostic, Fix, fix, report
from dsl.durations import LONGEST_LOOK, UNITS, is_unit, seconds
from dsl.suggestions import is_slip
from dsl.vocabulary import UNIT_WORDS
from dsl.walking import parts_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dsl.spans import Source

_ALONE = "a duration goes with a time: now - 3 days, or date(event.endsAt) + 1 week"
_CLOCK = "write a time of day with its minutes, from 00:00 to 23:59: 09:00"
# Units that people shorten, and those that are not always the same length.
_SHORT = {
    **dict.fromkeys(("s", "sec", "secs"), "second"),
    **dict.fromkeys(("min", "mins"), "minute"),
    **dict.fromkeys(("h", "hr", "hrs"), "hour"),
    "d": "day",
    **dict.fromkeys(("w", "wk", "wks"), "week"),
}
_LONG = {
    "month": "months differ in length; count in days: 30 days",
    "year": "years differ in length; count in days: 365 days",
    "am": _CLOCK,
    "pm": _CLOCK,
}
_HOW_LONG_AGO = "to ask how long ago something was, write: contact.createdAt older than 3 days"


def check_duration(
    source: Source, duration: nodes.Duration, longest: int = LONGEST_LOOK
) -> Iterator[Diagnostic]:
    """Report a unit that does not exist, and lengths of nothing or of too many days."""
    if not is_unit(duration.unit):
        known = [unit for unit in UNIT_WORDS if unit.endswith("s") == (duration.amount != 1)]
        short = _SHORT.get(duration.unit.lower().removesuffix("."), duration.unit)
        meant = next(
            (unit for unit in known if unit.startswith(short) or is_slip(short, unit)), None
        )
        message = f"{duration.unit!r} is no unit of time; use {', '.join(UNITS)}"
        edits = (_unit_fix(source, duration, meant),) if meant and len(short) > 1 else ()
        hint = _LONG.get(duration.unit.rstrip("s"))
        yield report(source, "FLOW-E307", duration.span, message, hint=hint, fixes=edits)
    elif duration.amount <= 0:
        yield report(source, "FLOW-E307", duration.span, "a duration must be longer than nothing")
    elif seconds(duration) > longest * UNITS["days"]:
        message = f"a duration is {longest:,} days at most here"
        yield report(source, "FLOW-E307", duration.span, message)


def windows(source: Source, operand: nodes.Operand) -> Iterator[Diagnostic]:
    """Report what is wrong with how far a question about the past looks back."""
    match operand:
        case nodes.Triggered(window=window) | nodes.Mailed(window=window) if window:
            yield from check_duration(source, window.length)
        case nodes.Counted(window=window) if window:
            yield from check_duration(source, window.length)
            if window.is_older:
                message = "a count looks back over a time that ends now; write: within 30 days"
                yield report(source, "FLOW-E307", window.span, message)


def loose_durations(source: Source, value: nodes.Operand) -> Iterator[Diagnostic]:
    """Report durations that nothing is added to or taken from."""
    match value:
        case nodes.Duration():
            if is_unit(value.unit):
                yield report(source, "FLOW-E333", value.span, _ALONE)
        case nodes.Test(subject, "within" | "olderThan", nodes.Duration()):
            yield from loose_durations(source, subject)
        case nodes.Test(subject, _, nodes.Duration() as length):
            yield report(source, "FLOW-E333", length.span, _ALONE, hint=_HOW_LONG_AGO)
            yield from loose_durations(source, subject)
        case nodes.Binary("+" | "-" as sign, left, right):
            yield from _sum(source, sign, left, right)
        case _:
            for part in parts_of(value):
                yield from loose_durations(source, part)


def _sum(
    source: Source, sign: str, left: nodes.Operand, right: nodes.Operand
) -> Iterator[Diagnostic]:
    """Report durations in a sum that has no time, or that begins with one to take from."""
    begins = isinstance(left, nodes.Duration)
    ends = isinstance(right, nodes.Duration)
    if begins and (sign == "-" or not _may_be_time(right)):
        yield report(source, "FLOW-E333", left.span, _ALONE)
    elif ends and not _may_be_time(left):
        yield report(source, "FLOW-E333", right.span, _ALONE)
    for part in (*([] if begins else [left]), *([] if ends else [right])):
        yield from loose_durations(source, part)


def _may_be_time(value: nodes.Operand) -> bool:
    """Tell whether this could be a time, as far as the text shows."""
    match value:
        case nodes.Literal(written):
            return isinstance(written, str)
        case nodes.ListOf() | nodes.Object() | nodes.Duration() | nodes.Negate():
            return False
        case nodes.Binary("*" | "/"):
            return False
    return True


def _unit_fix(source: Source, duration: nodes.Duration, meant: str) -> Fix:
    written = source.text[duration.span.start : duration.span.end]
    amount = written.removesuffix(duration.unit).rstrip()
    return fix(source, duration.span, f"{amount} {meant}")
