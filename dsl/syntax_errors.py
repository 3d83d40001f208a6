"""Tokens that do not fit → friendly diagnostics, and repairs where the meaning is certain."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from lark import Token

from dsl import strings
from dsl.diagnostics import Diagnostic, fix, note, report
from dsl.spans import Source, Span
from dsl.suggestions import nearest
from dsl.tokens import span
from dsl.vocabulary import (
    FOREIGN_SIGNS,
    MARKS,
    SHOWN,
    STATEMENT_STARTS,
    WORDS,
)
from dsl.wording import expected, shown

if TYPE_CHECKING:
    from collections.abc import Sequence

_OPERANDS = frozenset({"STRING", "NAME", "NUMBER", "LBRACE", "EVENT", "TO"})


@dataclass(frozen=True, slots=True)
class Failure:
    """A token that does not fit, the tokens around it, and what would have fitted."""

    source: Source
    tokens: Sequence[Token]
    index: int
    accepted: frozenset[str]

    @property
    def token(self) -> Token:
        """The token that does not fit."""
        return self.tokens[self.index]

    def nearby(self, distance: int) -> Token:
        """Return a token before or after it; the end of the text beyond either end."""
        at = self.index + distance
        return self.tokens[at] if 0 <= at < len(self.tokens) else self.tokens[-1]

    @property
    def place(self) -> str | None:
        """The kind of list an item of which could begin here: file, block, test or segment."""
        return next((place for place, mark in MARKS.items() if mark in self.accepted), None)


@dataclass(frozen=True, slots=True)
class Mistake:
    """A diagnostic, and whether blocks behind it are statements worth reading."""

    diagnostic: Diagnostic
    enter_blocks: bool = True


@dataclass(frozen=True, slots=True)
class Repair:
    """A diagnostic, and the token to read instead of one or more; kind None leaves them out."""

    diagnostic: Diagnostic | None
    kind: str | None
    value: str = ""
    width: int = 1


def is_first_on_line(tokens: Sequence[Token], index: int) -> bool:
    """Whether nothing stands before the token on its line."""
    return index == 0 or (tokens[index - 1].end_line or 0) < (tokens[index].line or 0)


def begins_declaration(tokens: Sequence[Token], index: int) -> bool:
    """Whether `workflow "x" {` or the like begins here."""
    token = tokens[index]
    if token not in WORDS["file"]:
        return False
    following = [after.type for after in tokens[index + 1 : index + 3]]
    return following == ["STRING", "LBRACE"] and is_first_on_line(tokens, index)


def may_begin_statement(tokens: Sequence[Token], index: int) -> bool:
    """Tell whether an unknown word on a new line looks like a statement of its own."""
    following = tokens[index + 1].type if index + 1 < len(tokens) else "$END"
    is_statement = tokens[index].type == "NAME" and following in _OPERANDS
    return is_statement and is_first_on_line(tokens, index)


def is_brace(value: Any) -> bool:  # noqa: ANN401 - whatever lies on Lark's stack
    """Whether this is an opening brace."""
    return isinstance(value, Token) and value.type == "LBRACE"


def gap_before(failure: Failure) -> Span:
    """Return the place just behind the token before."""
    end = failure.nearby(-1).end_pos or 0 if failure.index else 0
    return Span(end, end)


def unclosed(failure: Failure, stack: Sequence[Any]) -> Diagnostic | None:
    """Report a brace that is still open where a declaration, the end or a statement stands."""
    opened = next((value for value in reversed(stack) if is_brace(value)), None)
    if opened is None or not _shows_missing_brace(failure):
        return None
    first = note(failure.source, span(opened), "opened here")
    message = "a closing } is missing here"
    edit = fix(failure.source, gap_before(failure), " }")
    place = gap_before(failure)
    return report(failure.source, "FLOW-E105", place, message, notes=(first,), fixes=(edit,))


def _shows_missing_brace(failure: Failure) -> bool:
    if failure.token.type == "$END" or begins_declaration(failure.tokens, failure.index):
        return True
    in_pairs = "RBRACE" in failure.accepted and failure.place is None
    begins = failure.token.type in STATEMENT_STARTS
    return in_pairs and begins and is_first_on_line(failure.tokens, failure.index)


def repair(failure: Failure) -> Repair | None:
    """Return what was certainly meant, if anything."""
    for attempt in (_word, _colon, _unquoted, _open_text, _foreign, _misspelt, _needless):
        found = attempt(failure)
        if found:
            return found
    return None


def _word(failure: Failure) -> Repair | None:
    """Read a keyword as the name it must be here; that is no mistake."""
    token = failure.token
    is_keyword = token.type != "NAME" and token[:1].isalpha()
    if not is_keyword or "NAME" not in failure.accepted:
        return None
    begins = is_first_on_line(failure.tokens, failure.index) and failure.nearby(1).type != "COMMA"
    return None if begins else Repair(None, "NAME", token)


def _colon(failure: Failure) -> Repair | None:
    """Repair a header written like a pair: description: "…"."""
    token, colon = failure.token, failure.nearby(1)
    if token.upper() not in failure.accepted or colon.type != "COLON":
        return None
    edit = fix(failure.source, span(colon), "")
    message = f"write {token} without a colon"
    found = report(failure.source, "FLOW-E113", span(colon), message, fixes=(edit,))
    return Repair(found, token.upper(), str(token), width=2)


def _unquoted(failure: Failure) -> Repair | None:
    """Return a bare word where only a quoted text fits."""
    token = failure.token
    is_word = token[:1].isalpha() and not is_first_on_line(failure.tokens, failure.index)
    if not is_word or not failure.accepted <= {"STRING", "TRIPLE", "ID"}:
        return None
    following = failure.nearby(1)
    is_last = is_first_on_line(failure.tokens, failure.index + 1)
    if token.type != "NAME" and not (is_last or following.type in {"LBRACE", "$END"}):
        return None  # the language's own word, which says that the text is missing
    written = strings.encode(token)
    edit = fix(failure.source, span(token), written)
    message = f"write {written}: names and texts stand in double quotes"
    found = report(failure.source, "FLOW-E111", span(token), message, fixes=(edit,))
    return Repair(found, "STRING", written)


def _open_text(failure: Failure) -> Repair | None:
    """Return a text without its closing quotes."""
    token = failure.token
    if token.type not in {"OPEN_STRING", "OPEN_TRIPLE"}:
        return None
    quotes = '"' if token.type == "OPEN_STRING" else '"""'
    message = f"this text is not closed; put {quotes} at its end"
    place = Span(token.start_pos or 0, (token.start_pos or 0) + len(quotes))
    found = report(failure.source, "FLOW-E102", place, message)
    fits = "STRING" in failure.accepted
    return Repair(found, "STRING" if fits else None, strings.encode(token[len(quotes) :]))


def _foreign(failure: Failure) -> Repair | None:
    """Signs of other languages."""
    token = failure.token
    if token.type != "FOREIGN":
        return None
    if token[0] in "'“”":
        return _other_quotes(failure)
    for kind, written in FOREIGN_SIGNS.get(str(token), ()):
        if kind in failure.accepted:
            edit = fix(failure.source, span(token), written)
            message = f"write {written} instead of {token}"
            found = report(failure.source, "FLOW-E113", span(token), message, fixes=(edit,))
            return Repair(found, kind, written)
    return None


def _other_quotes(failure: Failure) -> Repair:
    token = failure.token
    written = strings.encode(token[1:-1])
    edit = fix(failure.source, span(token), written)
    message = f"write {written}: texts stand in straight double quotes"
    found = report(failure.source, "FLOW-E111", span(token), message, fixes=(edit,))
    return Repair(found, "STRING" if "STRING" in failure.accepted else None, written)


def _misspelt(failure: Failure) -> Repair | None:
    """Return a word that is nearly one of those that fit."""
    token = failure.token
    fitting = {SHOWN[kind]: kind for kind in failure.accepted if SHOWN.get(kind, "").isalpha()}
    meant = nearest(token, fitting) if token.type == "NAME" else None
    if meant is None:
        return None
    if meant == token:
        return Repair(None, fitting[meant], token)  # a keyword that its neighbours made a name
    edit = fix(failure.source, span(token), meant)
    message = f"unknown word {str(token)!r}; did you mean {meant!r}?"
    found = report(failure.source, "FLOW-E110", span(token), message, fixes=(edit,))
    return Repair(found, fitting[meant], meant)


def _needless(failure: Failure) -> Repair | None:
    """Signs that can be left out: separators between statements, a brace too many."""
    token = failure.token
    sign = str(token)
    is_separator = sign == ";" or (sign == "," and failure.place in {"block", "test", "segment"})
    is_extra_brace = token.type == "RBRACE" and failure.place == "file"
    if not is_separator and not is_extra_brace:
        return None
    edit = fix(failure.source, span(token), "")
    message = f"remove '{token}'; it belongs to nothing"
    found = report(failure.source, "FLOW-E101", span(token), message, fixes=(edit,))
    return Repair(found, None)


def diagnose(failure: Failure) -> Mistake:
    """Diagnostic for a token that does not fit."""
    token = failure.token
    if token.type in {"UNKNOWN", "FOREIGN"}:
        message = f"{shown(token)} has no meaning in this language"
        return Mistake(report(failure.source, "FLOW-E103", span(token), message))
    if token.type == "NAME" and failure.place:
        return _unknown_word(failure)
    return Mistake(_unexpected(failure))


_WHATS = {
    "file": "declaration",
    "block": "statement or header",
    "test": "line of a test",
    "segment": "line of a segment",
}


def _unknown_word(failure: Failure) -> Mistake:
    token, place = failure.token, failure.place or "block"
    known = ", ".join(sorted(WORDS[place]))
    message = f"there is no {_WHATS[place]} called {str(token)!r}; known are {known}"
    enter = place == "block"
    return Mistake(report(failure.source, "FLOW-E110", span(token), message), enter)


def _unexpected(failure: Failure) -> Diagnostic:
    """Say what would have fitted, where it should have stood."""
    token = failure.token
    at_new_line = is_first_on_line(failure.tokens, failure.index) or token.type == "$END"
    place = _behind(failure) if at_new_line and failure.index else span(token)
    wanted = expected(failure.accepted)
    after = f" after {shown(failure.nearby(-1))}" if failure.index else ""
    found = "the end of the file" if token.type == "$END" else shown(token)
    message = f"expected {wanted}{after}, found {found}"
    return report(failure.source, "FLOW-E101", place, message)


def _behind(failure: Failure) -> Span:
    """Return the place after the token before, as one column so that a caret can point at it."""
    end = failure.nearby(-1).end_pos or 0
    return Span(end, end)
