"""Tokens before they are parsed: contextual words, and mistakes a single token can hold."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Protocol

from dsl import strings
from dsl.builder import LONGEST_NUMBER
from dsl.diagnostics import Diagnostic, fix, report
from dsl.spans import Source, Span

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

DEEPEST = 64
_MOST_EXACT = 2**53 - 1
_OPENERS = frozenset({"LBRACE", "LPAR", "LSQB"})
_CLOSERS = frozenset({"RBRACE", "RPAR", "RSQB"})
_STACKING = frozenset({"PLUS", "MINUS", "STAR", "SLASH", "DEFAULT", "NOT"})
_OPERAND_PARTS = frozenset({"NAME", "NUMBER", "STRING", "TRIPLE", "DOT"})


class Token(Protocol):
    """What the parser's tokens promise: a text with a type and a place."""

    type: str
    start_pos: int | None
    end_pos: int | None
    value: Any


def span(token: Token) -> Span:
    """Where a token stands."""
    return Span(token.start_pos or 0, token.end_pos or 0)


def retype(tokens: Sequence[Token]) -> None:
    """Make keywords names where only a name can stand."""
    for index, token in enumerate(tokens):
        if token.type != "NAME" and token.value[:1].isalpha():
            before = tokens[index - 1].type if index else ""
            after = tokens[index + 1].type if index + 1 < len(tokens) else ""
            if _is_name(token.type, before, after):
                token.type = "NAME"


def _is_name(kind: str, before: str, after: str) -> bool:
    if before in {"DOT", "AS"} or after in {"DOT", "COLON"}:
        return True
    return after == "LSQB" and kind in {"EVENT", "CONTACT"}


def token_mistakes(tokens: Sequence[Token], source: Source) -> Iterator[Diagnostic]:
    """Mistakes that lie in single tokens."""
    for token in tokens:
        if token.type == "STRING":
            yield from _wrong_escapes(token, source)
        elif token.type == "NUMBER" and _is_too_large(token.value):
            yield report(source, "FLOW-E109", span(token), "this number is too large to be exact")


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
    return not math.isfinite(value) or (written.isdecimal() and int(written) > _MOST_EXACT)


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
