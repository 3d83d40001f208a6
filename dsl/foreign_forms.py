"""What people write who know other languages, or leave out a word: said once, then read on."""

from __future__ import annotations

from dsl import foreign_conditions, foreign_signs, foreign_words, strings
from dsl.diagnostics import fix, report
from dsl.foreign_signs import begins_line, instead, mistake, touches
from dsl.spans import Span
from dsl.suggestions import nearest
from dsl.syntax_errors import Failure, Mistake, Repair
from dsl.tokens import span
from dsl.vocabulary import SHOWN
from dsl.wording import shown

_AGAIN = "there are no loops; put a label before a statement, and jump back: goto @again"
# Words that no statement begins with → what to write.
_ADVICE = {
    **dict.fromkeys(("while", "repeat", "loop", "foreach", "for"), _AGAIN),
    **dict.fromkeys(("delete", "unset"), "null deletes a key: update contact { key: null }"),
    **dict.fromkeys(("tag", "label"), 'put people into a segment: add to segment "…"'),
}
_LINE_END = frozenset({"RBRACE", "$END"})
_BREAKS = frozenset({"LBRACE", "RBRACE", "LPAR", "RPAR", "LSQB", "RSQB", "COMMA", "STRING"})
_TEXTS = frozenset({"STRING", "TRIPLE", "ID", "ANY"})


def repair(failure: Failure) -> Repair | None:
    """Return what was certainly meant, if it is one of these forms."""
    attempts = (
        *(foreign_signs.repair, foreign_conditions.repair, foreign_words.needless),
        *(_unquoted, _label, _key, foreign_words.word, foreign_words.missing, _reason),
    )
    return next((found for attempt in attempts if (found := attempt(failure))), None)


def diagnose(failure: Failure) -> Mistake | None:
    """Say more about some forms that cannot be read as anything."""
    return _pause(failure) or foreign_conditions.diagnose(failure) or _statement(failure)


def _pause(failure: Failure) -> Mistake | None:
    """Say how waits are written."""
    token, before, first = failure.token, failure.nearby(-1), failure.nearby(-2)
    if token.type == "NUMBER" and before.type == "UNIT":
        return mistake(failure, "a duration has one unit: write 36 hours, or 1.5 days")
    if token.type == "NUMBER" and (first.type, before.type) == ("WAIT", "FOR"):
        return mistake(failure, "to wait for some time, write: wait 3 days", drop=before)
    if (first.type, before.type) == ("WAIT", "FOR") and token.type in {"CONTACT", "NOT", "NAME"}:
        return mistake(failure, "to wait for a condition, write: wait until … up to 7 days")
    if token.type == "STRING" and (first.type, before.type) == ("UNTIL", "EVENT"):
        return Mistake(instead(failure, span(first), "for"))
    if token.type == "AFTER" and failure.place == "block":
        return mistake(failure, "a wait is a statement of its own, before this one: wait 3 days")
    return None


def _statement(failure: Failure) -> Mistake | None:
    token, before = failure.token, failure.nearby(-1)
    if before.type == "WEBHOOK" and failure.index:
        methods = "GET, POST, PUT, PATCH or DELETE"
        return mistake(failure, f"expected {methods} after webhook, found {shown(token)}")
    return _line(failure) if failure.place == "block" else None


def _line(failure: Failure) -> Mistake | None:
    token, before, is_first = failure.token, failure.nearby(-1), begins_line(failure)
    if token in _ADVICE and is_first:
        return mistake(failure, _ADVICE[token], "FLOW-E110")
    if (before.type, token.type) == ("EXIT", "WHEN"):
        return mistake(failure, "to end the run whenever it happens, write above: stop when …")
    if token.type in {"AND", "OR"} and failure.nearby(-3).type == "ON":
        return mistake(failure, "each event that starts it has a line of its own: on event …")
    if failure.nearby(1).type == "COLON" and not is_first:
        return mistake(failure, f"pairs stand between braces: {{ {token}: … }}")
    if failure.nearby(1).type == "DOT":
        message = "this is a value, not a statement; to change it, write: update contact { … }"
        return mistake(failure, message)
    return None


def _unquoted(failure: Failure) -> Repair | None:
    """Read a text without quotes, with all that touches it: pro-tips, https://example.com/a."""
    token = failure.token
    is_word = token[:1].isalpha() and not begins_line(failure, 0)
    if not is_word or not failure.accepted <= _TEXTS:
        return None
    if failure.nearby(1).type == "STRING" and not begins_line(failure, 1):
        message = f"write {failure.nearby(-1)} without {token}"
        edit = fix(failure.source, span(token), "")
        found = report(failure.source, "FLOW-E113", span(token), message, fixes=(edit,))
        return Repair(found, None)
    width = _touching(failure)
    if width == 1:
        return None
    place = Span(token.start_pos or 0, failure.nearby(width - 1).end_pos or 0)
    written = strings.encode(failure.source.text[place.start : place.end])
    edit = fix(failure.source, place, written)
    message = f"write {written}: names and texts stand in double quotes"
    found = report(failure.source, "FLOW-E111", place, message, fixes=(edit,))
    return Repair(found, "STRING", written, width=width)


def _touching(failure: Failure) -> int:
    """Return how many tokens follow each other without a gap, braces and commas left out."""
    width = 1
    while failure.nearby(width - 1).end_pos == failure.nearby(width).start_pos:
        if failure.nearby(width).type in _BREAKS | _LINE_END:
            break
        width += 1
    return width


def _label(failure: Failure) -> Repair | None:
    """Read a label in quotes."""
    token = failure.token
    if token.type != "STRING" or "LABEL" not in failure.accepted or not failure.index:
        return None
    name = strings.decode(token)
    if failure.nearby(-1).type != "GOTO" or not name.replace("-", "_").isidentifier():
        return None
    return Repair(instead(failure, span(token), f"@{name}"), "LABEL", f"@{name}")


def _key(failure: Failure) -> Repair | None:
    """Read a key with hyphens in it."""
    if failure.token.type != "MINUS" or failure.accepted != {"COLON"} or not touches(failure, -1):
        return None
    width = 0
    while failure.nearby(width).type in {"MINUS", "NAME", "NUMBER"}:
        width += 1
    if failure.nearby(width).type != "COLON":
        return None
    place = Span(failure.nearby(-1).start_pos or 0, failure.nearby(width - 1).end_pos or 0)
    written = strings.encode(failure.source.text[place.start : place.end])
    edit = fix(failure.source, place, written)
    message = f"write {written}: a key that is no word stands in double quotes"
    found = report(failure.source, "FLOW-E111", place, message, fixes=(edit,))
    return Repair(found, None, width=width)


def _reason(failure: Failure) -> Repair | None:
    """Read the reason of an exit without its quotes."""
    token = failure.token
    is_behind = failure.nearby(-1).type == "EXIT" and token.type == "NAME"
    if not is_behind or "STRING" not in failure.accepted or begins_line(failure, 0):
        return None
    words = [SHOWN[kind] for kind in failure.accepted if SHOWN.get(kind, "").isalpha()]
    if nearest(token, words):
        return None
    written = strings.encode(token)
    edit = fix(failure.source, span(token), written)
    message = f"write {written}: names and texts stand in double quotes"
    found = report(failure.source, "FLOW-E111", span(token), message, fixes=(edit,))
    return Repair(found, "STRING", written)
