"""Tokens before they are parsed: contextual words, and mistakes a single token can hold."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Protocol

from dsl import strings
from dsl.building.parts import LONGEST_NUMBER
from dsl.diagnostics import Diagnostic, fix, report
from dsl.spans import Source, Span
from dsl.vocabulary import DAYS, UNIT_WORDS

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

DEEPEST = 64
_LARGEST = 2**63 - 1
_OPENERS = frozenset({"LBRACE", "LPAR", "LSQB"})
_CLOSERS = frozenset({"RBRACE", "RPAR", "RSQB"})
_STACKING = frozenset({"PLUS", "MINUS", "STAR", "SLASH", "COALESCE", "NOT"})
_OPERAND_PARTS = frozenset({"NAME", "NUMBER", "STRING", "TRIPLE", "DOT", "UNIT"})
_PATH_ROOTS = frozenset({"EVENT", "CONTACT"})
_TEXTS = frozenset({"STRING", "TRIPLE"})
_COUNTED = frozenset({"TRIGGERED", "COUNT"})


class Token(Protocol):
    """What the parser's tokens promise: a text with a type and a place."""

    type: str
    start_pos: int | None
    end_pos: int | None
    line: int | None
    end_line: int | None
    value: Any


def span(token: Token) -> Span:
    """Where a token stands."""
    return Span(token.start_pos or 0, token.end_pos or 0)


def retype(tokens: Sequence[Token]) -> None:
    """Give words the type that their neighbours ask for."""
    kinds = ["", "", *(token.type for token in tokens), ""]
    for index, token in enumerate(tokens):
        if token.value[:1].isalpha():
            before, kind, after = kinds[index + 1], kinds[index + 2], kinds[index + 3]
            if _is_name(kind, before, after):
                token.type = "NAME"
            elif before == "NUMBER" and _is_unit(tokens, index):
                token.type = "UNIT"
            elif kind == "ON" and after == "NAME" and _is_day(tokens, index):
                token.type = "ON_DAYS"
            elif kind == "AT" and after == "LABEL":
                token.type = "AT_PLACE"
            elif kind == "WHERE" and after == "LPAR" and _is_counted(kinds[index : index + 2]):
                token.type = "WHERE_EVENT"
            kinds[index + 2] = token.type


def _is_unit(tokens: Sequence[Token], index: int) -> bool:
    """Tell whether a word behind a number says a length of time, if only by mistake."""
    word = tokens[index]
    if word.value in UNIT_WORDS:
        return True
    follows = tokens[index + 1].type if index + 1 < len(tokens) else ""
    is_alone = word.type == "NAME" and follows != "LPAR"
    return is_alone and tokens[index - 1].end_line == word.line


def _is_day(tokens: Sequence[Token], index: int) -> bool:
    """Tell whether the days of `wait until 09:00 on` follow, if only by mistake."""
    before = [token.type for token in tokens[max(0, index - 3) : index]]
    return tokens[index + 1].value in DAYS or before == ["WAIT", "UNTIL", "CLOCK"]


def _is_name(kind: str, before: str, after: str) -> bool:
    if before in {"DOT", "AS"} or after in {"DOT", "COLON"}:
        return True
    return after == "LSQB" and kind in _PATH_ROOTS


def _is_counted(before: list[str]) -> bool:
    """Tell whether the name of an event that is asked for stands before."""
    return before[1] in _TEXTS and before[0] in _COUNTED


def token_mistakes(tokens: Sequence[Token], source: Source) -> Iterator[Diagnostic]:
    """Mistakes that lie in single tokens."""
    for token in tokens:
        if token.type in _TEXTS:
            yield from _forbidden(token, source)
            yield from _wrong_escapes(token, source)
        elif token.type == "NUMBER":
            yield from _odd_number(token, source)


def _odd_number(token: Token, source: Source) -> Iterator[Diagnostic]:
    plain = token.value.replace("_", "")
    if _is_too_large(plain):
        yield report(source, "FLOW-E109", span(token), "this number is too large to be exact")
    elif plain != token.value:
        edits = (fix(source, span(token), plain),)
        message = f"write {plain}: the digits of a number stand together"
        yield report(source, "FLOW-E113", span(token), message, fixes=edits)


def _forbidden(token: Token, source: Source) -> Iterator[Diagnostic]:
    for place in strings.forbidden(token.value, token.start_pos or 0):
        code = ord(source.text[place.start])
        message = f"the character U+{code:04X} cannot be stored; remove it"
        yield report(source, "FLOW-E103", place, message, fixes=(fix(source, place, ""),))


def _wrong_escapes(token: Token, source: Source) -> Iterator[Diagnostic]:
    message = 'an escape is one of \\" \\\\ \\n \\t \\u{1F600}; write \\\\ for a backslash'
    for place in strings.wrong_escapes(token.value, token.start_pos or 0):
        written = source.text[place.start : place.end]
        edits = () if written.startswith("\\u{") else (fix(source, place, "\\" + written),)
        yield report(source, "FLOW-E104", place, message, fixes=edits)


def _is_too_large(written: str) -> bool:
    if len(written) > LONGEST_NUMBER:
        return True
    value = float(written)
    return not math.isfinite(value) or (written.isdecimal() and int(written) > _LARGEST)


def too_deep(tokens: Sequence[Token], source: Source) -> Diagnostic | None:
    """Report the first token at which nesting, or a chain of operators, grows too deep.

    `depth` is the height of the tree of the operand being read at the current bracket; `height`
    the highest finished one. A chain a + b + c nests to the left, so each operator adds one.
    """
    outer: list[tuple[int, int]] = []
    depth = height = 0
    for token in tokens:
        kind = token.type
        if kind in _OPENERS:
            outer.append((depth, height))
            depth = height = 0
        elif kind in _CLOSERS and outer:
            inside = max(depth, height) + 1
            depth, height = outer.pop()
            depth = max(depth, inside)
        elif kind in _STACKING:
            depth += 1
        elif kind not in _OPERAND_PARTS:
            depth, height = 0, max(depth, height)
        if len(outer) > DEEPEST or depth > DEEPEST:
            message = f"at most {DEEPEST} levels may be nested; split this into smaller parts"
            return report(source, "FLOW-E106", span(token), message)
    return None
