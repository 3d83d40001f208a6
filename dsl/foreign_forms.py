"""What people write who know other languages, or leave out a word: said once, then read on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dsl import foreign_signs, strings
from dsl.diagnostics import fix, report
from dsl.foreign_signs import instead, touches
from dsl.spans import Span
from dsl.suggestions import nearest
from dsl.syntax_errors import Failure, Mistake, Repair, is_first_on_line
from dsl.tokens import span
from dsl.vocabulary import SHOWN
from dsl.wording import expected, shown

if TYPE_CHECKING:
    from dsl.tokens import Token

# A word of other languages → the tokens it stands for, the first of which must fit.
_WORDS = {
    **dict.fromkeys(("elif", "elseif", "elsif"), "ELSE IF"),
    **dict.fromkeys(("otherwise", "default"), "ELSE"),
    "unless": "IF NOT",
    **dict.fromkeys(("sleep", "delay", "pause"), "WAIT"),
    **dict.fromkeys(("email", "mail"), "SEND EMAIL"),
    **dict.fromkeys(("call", "request"), "WEBHOOK"),
    **dict.fromkeys(("return", "finish", "quit"), "EXIT"),
    **dict.fromkeys(("emit", "fire"), "TRACK"),
    "jump": "GOTO",
    "when": "ON",
    **dict.fromkeys(("campaign", "message"), "TEMPLATE"),
    **dict.fromkeys(("flow", "automation", "journey"), "WORKFLOW"),
    **dict.fromkeys(("audience", "group", "list"), "SEGMENT"),
    **dict.fromkeys(("condition", "filter"), "WHERE"),
    "given": "CONTACT",
    **dict.fromkeys(("assert", "check", "should"), "EXPECT"),
}
# Words between two values → the operator.
_OPERATORS = {
    **dict.fromkeys(("equals", "eq", "equal"), "=="),
    **dict.fromkeys(("like", "includes", "has", "matches"), "contains"),
    "exists": "is set",
    **dict.fromkeys(("startswith", "startsWith", "begins"), "starts with"),
    **dict.fromkeys(("endswith", "endsWith"), "ends with"),
}
_BEFORE_BLOCKS = frozenset({"then", "do", "with", ":"})
_LINE_END = frozenset({"RBRACE", "$END"})
_BREAKS = frozenset({"LBRACE", "RBRACE", "LPAR", "RPAR", "LSQB", "RSQB", "COMMA", "STRING"})
_TEXTS = frozenset({"STRING", "TRIPLE", "ID"})
_COMPARISONS = frozenset({"EQ", "NE", "GE", "LE", "MORETHAN", "LESSTHAN"})
# Behind the first token, before the second, one word is missing that others would fit, too.
_LIKELY = {
    ("ON", "STRING"): "EVENT",
    ("WAIT", "CLOCK"): "UNTIL",
    ("WAIT", "EVENT"): "FOR",
}
_MAY_FOLLOW = frozenset({"STRING", "TRIPLE", "LBRACE", "SEGMENT"})


def repair(failure: Failure) -> Repair | None:
    """Return what was certainly meant, if it is one of these forms."""
    words = (_unquoted, _needless, _label, _key, _word, _missing, _reason)
    attempts = (foreign_signs.repair, *words)
    return next((found for attempt in attempts if (found := attempt(failure))), None)


def diagnose(failure: Failure) -> Mistake | None:
    """Say more about some forms that cannot be read as anything."""
    return _comparison(failure) or _statement(failure)


def _comparison(failure: Failure) -> Mistake | None:
    token, before = failure.token, failure.nearby(-1)
    if token.type in _COMPARISONS and "AND" in failure.accepted:
        return _mistake(failure, "compare two values at a time, and join with and: 1 < x and x < 5")
    if token in _OPERATORS and "LBRACE" in failure.accepted:
        return Mistake(instead(failure, span(token), _OPERATORS[token]))
    if before.type == "IS" and {"SET", "EMPTY"} <= failure.accepted:
        edit = fix(failure.source, span(before), "==")
        message = "behind is stands set or empty; to compare values, write =="
        found = report(failure.source, "FLOW-E113", span(before), message, fixes=(edit,))
        return Mistake(found)
    return None


def _statement(failure: Failure) -> Mistake | None:
    token, before = failure.token, failure.nearby(-1)
    if token.type == "NUMBER" and before.type == "UNIT":
        return _mistake(failure, "a duration has one unit: write 36 hours, or 1.5 days")
    if token.type == "NUMBER" and (failure.nearby(-2).type, before.type) == ("WAIT", "FOR"):
        return _mistake(failure, "to wait for some time, write: wait 3 days", drop=before)
    if before.type == "WEBHOOK" and failure.index:
        methods = "GET, POST, PUT, PATCH or DELETE"
        return _mistake(failure, f"expected {methods} after webhook, found {shown(token)}")
    if (
        failure.place == "block"
        and failure.nearby(1).type == "COLON"
        and not _begins_line(failure, 0)
    ):
        return _mistake(failure, f"pairs stand between braces: {{ {token}: … }}")
    if failure.place == "block" and failure.nearby(1).type == "DOT":
        message = "this is a value, not a statement; to change it, write: update contact { … }"
        return _mistake(failure, message)
    return None


def _mistake(failure: Failure, message: str, *, drop: Token | None = None) -> Mistake:
    edits = (fix(failure.source, span(drop), ""),) if drop else ()
    return Mistake(report(failure.source, "FLOW-E101", span(failure.token), message, fixes=edits))


def _unquoted(failure: Failure) -> Repair | None:
    """Read a text without quotes, with all that touches it: pro-tips, https://example.com/a."""
    token = failure.token
    is_word = token[:1].isalpha() and not is_first_on_line(failure.tokens, failure.index)
    if not is_word or not failure.accepted <= _TEXTS:
        return None
    if failure.nearby(1).type == "STRING" and not _begins_line(failure, 1):
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


def _begins_line(failure: Failure, distance: int) -> bool:
    return is_first_on_line(failure.tokens, failure.index + distance)


def _touching(failure: Failure) -> int:
    """Return how many tokens follow each other without a gap, braces and commas left out."""
    width = 1
    while failure.nearby(width - 1).end_pos == failure.nearby(width).start_pos:
        if failure.nearby(width).type in _BREAKS | _LINE_END:
            break
        width += 1
    return width


def _needless(failure: Failure) -> Repair | None:
    """Read over a word before a block, and a colon behind a label."""
    token = failure.token
    before_block = str(token) in _BEFORE_BLOCKS and failure.nearby(1).type == "LBRACE"
    behind_label = token.type == "COLON" and failure.nearby(-1).type == "LABEL"
    if not behind_label and not (before_block and "LBRACE" in failure.accepted):
        return None
    edit = fix(failure.source, span(token), "")
    message = f"remove '{token}'; a block begins with {{"
    if behind_label:
        message = f"write {failure.nearby(-1)} without a colon"
    found = report(failure.source, "FLOW-E113", span(token), message, fixes=(edit,))
    return Repair(found, None)


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


def _word(failure: Failure) -> Repair | None:
    kinds = _WORDS.get(str(failure.token), "")
    if not kinds or kinds.split()[0] not in failure.accepted:
        return None
    written = " ".join(SHOWN[kind] for kind in kinds.split())
    return Repair(instead(failure, span(failure.token), written), kinds, written)


def _missing(failure: Failure) -> Repair | None:
    """Put in a word where only that one fits, or hardly another."""
    token, before = failure.token, failure.nearby(-1)
    is_asked = failure.place == "segment" and failure.nearby(1).type == "DOT"
    if not failure.index or (_begins_line(failure, 0) and not is_asked):
        return None
    kind = "WHERE" if is_asked else _LIKELY.get((before.type, token.type))
    if kind is None and len(failure.accepted) == 1:
        (kind,) = failure.accepted
    word = SHOWN.get(kind or "", "")
    if kind is None or kind not in failure.accepted or not word.isalpha():
        return None
    if kind == "EMAIL" and failure.nearby(1).type == "STRING" and not nearest(token, [word]):
        return Repair(instead(failure, span(token), word), kind, word)
    if token.type not in _MAY_FOLLOW and len(failure.accepted) == 1:
        return None
    here = Span(token.start_pos or 0, token.end_pos or 0)
    edit = fix(failure.source, here, f"{word} {failure.source.text[here.start : here.end]}")
    message = f"expected {expected(failure.accepted)} after {shown(before)}, found {shown(token)}"
    found = report(failure.source, "FLOW-E101", here, message, fixes=(edit,))
    return Repair(found, kind, word, width=0)


def _reason(failure: Failure) -> Repair | None:
    """Read the reason of an exit without its quotes."""
    token = failure.token
    is_behind = failure.nearby(-1).type == "EXIT" and token.type == "NAME"
    if not is_behind or "STRING" not in failure.accepted or _begins_line(failure, 0):
        return None
    words = [SHOWN[kind] for kind in failure.accepted if SHOWN.get(kind, "").isalpha()]
    if nearest(token, words):
        return None
    written = strings.encode(token)
    edit = fix(failure.source, span(token), written)
    message = f"write {written}: names and texts stand in double quotes"
    found = report(failure.source, "FLOW-E111", span(token), message, fixes=(edit,))
    return Repair(found, "STRING", written)
