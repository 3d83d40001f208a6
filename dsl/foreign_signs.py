"""Signs of other languages: their comments, their comparisons, and null."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dsl.diagnostics import fix, report
from dsl.spans import Span
from dsl.syntax_errors import Failure, Mistake, Repair, is_first_on_line
from dsl.tokens import span
from dsl.wording import shown

if TYPE_CHECKING:
    from dsl.diagnostics import Diagnostic
    from dsl.tokens import Token

# Signs of two tokens that touch: the first is read already, or both are read as one.
_DOUBLE = {"===": "==", "!==": "!=", "<>": "!="}
_TURNED = {"=>": ("GE", ">="), "=<": ("LE", "<=")}


def repair(failure: Failure) -> Repair | None:
    """Return what was certainly meant, if it is one of these signs."""
    attempts = (_comment, _double_sign, _turned_sign, _null)
    return next((found for attempt in attempts if (found := attempt(failure))), None)


def begins_line(failure: Failure, distance: int = 0) -> bool:
    """Whether the token at a distance is the first on its line."""
    return is_first_on_line(failure.tokens, failure.index + distance)


def mistake(
    failure: Failure, message: str, code: str = "FLOW-E101", *, drop: Token | None = None
) -> Mistake:
    """Mistake about the token that does not fit; the fix removes another one."""
    edits = (fix(failure.source, span(drop), ""),) if drop else ()
    return Mistake(report(failure.source, code, span(failure.token), message, fixes=edits))


def instead(failure: Failure, place: Span, written: str) -> Diagnostic:
    """Diagnostic about one way of writing for another, with the fix."""
    now = failure.source.text[place.start : place.end]
    message = f"write {written} instead of {shown(now)}"
    edit = fix(failure.source, place, written)
    return report(failure.source, "FLOW-E113", place, message, fixes=(edit,))


def touches(failure: Failure, distance: int) -> bool:
    """Whether nothing stands between the token and the one at a distance of one."""
    first, second = sorted((failure.index, failure.index + distance))
    tokens = failure.tokens
    return first >= 0 and second < len(tokens) and tokens[first].end_pos == tokens[second].start_pos


def _comment(failure: Failure) -> Repair | None:
    """Read over // … and /* … */, wherever a value could not be divided."""
    token = failure.token
    ahead, behind = failure.nearby(1), failure.nearby(-1)
    opens = token.type == "SLASH" and ahead.type in {"SLASH", "STAR"} and touches(failure, 1)
    follows = token.type in {"SLASH", "STAR"} and behind.type == "SLASH" and touches(failure, -1)
    if not opens and not follows:
        return None
    start = (token if opens else behind).start_pos or 0
    is_block = (ahead if opens else token).type == "STAR"
    place = Span(start, start + 2)
    edits = () if is_block else (fix(failure.source, place, "#"),)
    message = "a comment begins with #, on each of its lines"
    found = report(failure.source, "FLOW-E113", place, message, fixes=edits)
    if follows:
        return None if is_block else Repair(found, "NULL", "null", width=_to_line_end(failure))
    width = _to_closing(failure) if is_block else _to_line_end(failure)
    return Repair(found, None, width=width)


def _to_line_end(failure: Failure) -> int:
    width = 1
    while not begins_line(failure, width):
        if failure.nearby(width).type == "$END":
            break
        width += 1
    return width


def _to_closing(failure: Failure) -> int:
    width = 2
    while failure.nearby(width).type != "$END":
        width += 1
        if failure.nearby(width - 1).type == "SLASH" and failure.nearby(width - 2).type == "STAR":
            break
    return width


def _double_sign(failure: Failure) -> Repair | None:
    before = failure.nearby(-1)
    meant = _DOUBLE.get(f"{before}{failure.token}")
    if meant is None or not failure.index or not touches(failure, -1):
        return None
    place = Span(before.start_pos or 0, failure.token.end_pos or 0)
    return Repair(instead(failure, place, meant), None)


def _turned_sign(failure: Failure) -> Repair | None:
    behind = failure.nearby(1)
    kind, meant = _TURNED.get(f"{failure.token}{behind}", (None, ""))
    if kind not in failure.accepted or not touches(failure, 1):
        return None
    place = Span(failure.token.start_pos or 0, behind.end_pos or 0)
    return Repair(instead(failure, place, meant), kind, meant, width=2)


def _null(failure: Failure) -> Repair | None:
    """Read `is null` and `is not null`."""
    if failure.token.type != "NULL" or not {"SET", "EMPTY"} <= failure.accepted:
        return None
    is_negated = failure.nearby(-1).type == "NOT"
    first = failure.nearby(-2 if is_negated else -1)
    place = Span(first.start_pos or 0, failure.token.end_pos or 0)
    written = "is set" if is_negated else "is not set"
    if is_negated:  # `not` has been read already
        return Repair(instead(failure, place, written), "SET", "set")
    return Repair(instead(failure, place, written), "NOT SET", "not set")
