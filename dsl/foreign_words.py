"""Words of other languages, words too many, and words that are missing."""

from __future__ import annotations

from dsl.diagnostics import fix, report
from dsl.foreign_signs import begins_line, instead
from dsl.spans import Span
from dsl.suggestions import nearest
from dsl.syntax_errors import Failure, Repair
from dsl.tokens import span
from dsl.vocabulary import SHOWN, STATEMENT_STARTS
from dsl.wording import expected, shown

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
    "set": "UPDATE",
    "when": "ON",
    **dict.fromkeys(("campaign", "message"), "TEMPLATE"),
    **dict.fromkeys(("flow", "automation", "journey"), "WORKFLOW"),
    **dict.fromkeys(("audience", "group", "list"), "SEGMENT"),
    **dict.fromkeys(("condition", "filter"), "WHERE"),
    "given": "CONTACT",
    **dict.fromkeys(("assert", "check", "should"), "EXPECT"),
}
_BEFORE_BLOCKS = frozenset({"then", "do", "with", ":"})
# Behind the first token, before the second, one word is missing that others would fit, too.
_LIKELY = {
    ("ON", "STRING"): "EVENT",
    ("WAIT", "CLOCK"): "UNTIL",
    ("WAIT", "EVENT"): "FOR",
}
_MAY_FOLLOW = frozenset({"STRING", "TRIPLE", "LBRACE", "SEGMENT", "EVENT"})
_ABOUT_THE_CONTACT = frozenset({"SUBSCRIBE", "UNSUBSCRIBE"})


def needless(failure: Failure) -> Repair | None:
    """Read over a word that says nothing here, and a colon behind a label."""
    token, behind, before = failure.token, failure.nearby(1), failure.nearby(-1)
    if token.type == "COLON" and before.type == "LABEL":
        message = f"write {before} without a colon"
    elif token in _BEFORE_BLOCKS and behind.type == "LBRACE" and "LBRACE" in failure.accepted:
        message = f"remove '{token}'; a block begins with {{"
    elif failure.place == "block" and token in {"then", "and"} and behind.type in STATEMENT_STARTS:
        message = f"remove '{token}'; statements simply follow each other"
    elif token.type == "CONTACT" and before.type in _ABOUT_THE_CONTACT:
        message = f"write {before} alone: it is always about the contact"
    elif token.type == "CONTACT" and failure.accepted == {behind.type}:
        message = f"write {before} {behind} without {token}: it is always about the contact"
    else:
        return None
    edit = fix(failure.source, span(token), "")
    return Repair(report(failure.source, "FLOW-E113", span(token), message, fixes=(edit,)), None)


def word(failure: Failure) -> Repair | None:
    """Read a word of other languages."""
    kinds = _WORDS.get(str(failure.token), "")
    if kinds == "ON" and not begins_line(failure):
        return None
    if not kinds or kinds.split()[0] not in failure.accepted:
        return None
    written = " ".join(SHOWN[kind] for kind in kinds.split())
    return Repair(instead(failure, span(failure.token), written), kinds, written)


def missing(failure: Failure) -> Repair | None:
    """Put in a word where only that one fits, or hardly another."""
    token, before = failure.token, failure.nearby(-1)
    is_asked = failure.place == "segment" and failure.nearby(1).type == "DOT"
    if not failure.index or (begins_line(failure) and not is_asked):
        return None
    kind = "WHERE" if is_asked else _LIKELY.get((before.type, token.type))
    if kind is None and len(failure.accepted) == 1:
        (kind,) = failure.accepted
    wanted = SHOWN.get(kind or "", "")
    if kind is None or kind not in failure.accepted or not wanted.isalpha():
        return None
    if kind == "EMAIL" and failure.nearby(1).type == "STRING" and not nearest(token, [wanted]):
        return Repair(instead(failure, span(token), wanted), kind, wanted)
    if token.type not in _MAY_FOLLOW and len(failure.accepted) == 1:
        return None
    here = Span(token.start_pos or 0, token.end_pos or 0)
    edit = fix(failure.source, here, f"{wanted} {failure.source.text[here.start : here.end]}")
    message = f"expected {expected(failure.accepted)} after {shown(before)}, found {shown(token)}"
    found = report(failure.source, "FLOW-E101", here, message, fixes=(edit,))
    return Repair(found, kind, wanted, width=0)
