"""Text → syntax tree, with every syntax mistake of the text in one pass.

Tokens are pushed into Lark's LALR parser one by one. Where one does not fit, it is repaired if
the meaning is certain; otherwise the parser falls back to the innermost place where a statement,
a pair or a declaration may begin, puts ERROR there, and goes on with the next of them.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from itertools import chain, islice
from typing import TYPE_CHECKING, Any, cast

from lark import Lark, Token
from lark.exceptions import UnexpectedToken
from lark.lexer import LexerThread

from dsl import foreign_forms, nodes, strings, syntax_errors
from dsl.bare_zones import bare_zones
from dsl.building import RULES
from dsl.decoding import decode_source
from dsl.diagnostics import Diagnostic, fix, report
from dsl.spans import Source, Span
from dsl.tokens import retype, token_mistakes, too_deep

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from lark import Transformer
    from lark.parsers.lalr_interactive_parser import InteractiveParser

MOST_TOKENS = 60_000
MOST_DIAGNOSTICS = 100
_DEPTH = {"LBRACE": 1, "RBRACE": -1}
_INNER_DEPTH = {"LPAR": 1, "LSQB": 1, "RPAR": -1, "RSQB": -1}


@dataclass(frozen=True, slots=True)
class Comment:
    """A comment with its '#', and whether it has its line for itself."""

    text: str
    span: Span
    is_alone: bool


@dataclass(frozen=True, slots=True)
class Parsed:
    """One text: what it says, what is wrong with its form, and its comments."""

    source: Source
    file: nodes.File
    comments: tuple[Comment, ...]
    diagnostics: tuple[Diagnostic, ...]


def parse(text: str | bytes, path: str = "input.flow") -> Parsed:
    """Read one text. Never raises: whatever is wrong is among the diagnostics."""
    source, refusal = decode_source(path, text)
    if refusal:
        return Parsed(source, nodes.File(), (), (refusal,))
    every = list(islice(_lexed(source.text), MOST_TOKENS + 1))
    comments = tuple(_comment(token, source) for token in every if token.type == "COMMENT")
    tokens = [token for token in every if token.type != "COMMENT"]
    refusal = _too_many(every, source) or too_deep(tokens, source)
    if refusal:
        return Parsed(source, nodes.File(), comments, (refusal,))
    retype(tokens)
    bare = _quoted_zones(tokens, source)
    found = list(islice(chain(bare, token_mistakes(tokens, source)), MOST_DIAGNOSTICS))
    run = _Run(source, tokens, found)
    return Parsed(source, run.file(), comments, tuple(run.diagnostics))


def _lexed(text: str) -> Iterator[Token]:
    """Yield the tokens of a text, comments too; Lark.lex would build a new lexer every time."""
    thread = LexerThread.from_text(grammar().parser.lexer, text)
    return cast("Iterator[Token]", thread.lex(None))  # type: ignore[no-untyped-call] # Lark's


@cache
def grammar(*, strict: bool = False) -> Lark:
    """Return the parser; strict proves that the grammar has no conflicts."""
    text = files("dsl").joinpath("grammar.lark").read_text(encoding="utf-8")
    return Lark(
        text,
        start="file",
        parser="lalr",
        lexer="basic",
        keep_all_tokens=True,
        postlex=_EveryToken(),
        transformer=cast("Transformer[Token, nodes.File]", RULES),
        strict=strict,
    )


class _EveryToken:
    """Makes the lexer keep the terminals that no rule mentions."""

    always_accept = ("COMMENT", "OPEN_TRIPLE", "OPEN_STRING", "FOREIGN", "UNKNOWN")

    def process(self, stream: Iterable[Token]) -> Iterable[Token]:
        """Change nothing."""
        return stream


class _Damage(Token):
    """The ERROR token, carrying the statements that were saved from what it replaces."""

    saved: tuple[nodes.Item, ...] = ()


class _Run:
    """One text being pushed through the parser."""

    def __init__(self, source: Source, tokens: list[Token], found: list[Diagnostic]) -> None:
        """Stand before the first token."""
        size = len(source.text)
        self.source = source
        self.tokens = [*tokens, Token("$END", "", size, end_pos=size)]
        self.diagnostics = found
        self.index = 0
        self.lalr: InteractiveParser = grammar().parse_interactive()

    def file(self) -> nodes.File:
        """Push all tokens; the tree of what could be read."""
        while len(self.diagnostics) < MOST_DIAGNOSTICS:
            token = self.tokens[self.index]
            try:
                result = self.lalr.feed_token(token)
            except UnexpectedToken:
                self._recover(token)
                continue
            if token.type == "$END":
                return cast("nodes.File", result)
            self.index += 1
        self._give_up()
        return nodes.File()

    def _give_up(self) -> None:
        place = self.tokens[self.index]
        message = f"more than {MOST_DIAGNOSTICS} mistakes; the rest of the file was not read"
        span = Span(place.start_pos or 0, place.end_pos or 0)
        self.diagnostics.append(report(self.source, "FLOW-E112", span, message))

    def _recover(self, token: Token) -> None:
        """Report the token that does not fit, and get the parser to where it can go on."""
        failure = self._failure()
        unclosed = syntax_errors.unclosed(failure, self.lalr.parser_state.value_stack)
        if unclosed:
            if failure.nearby(-1).type != "OPEN_TRIPLE":  # such a text swallows all braces
                self.diagnostics.append(unclosed)
            self._close_block(token, failure)
            return
        repair = foreign_forms.repair(failure) or syntax_errors.repair(failure)
        if repair:
            self._apply(repair, token)
            return
        mistake = foreign_forms.diagnose(failure) or syntax_errors.diagnose(failure)
        self.diagnostics.append(mistake.diagnostic)
        depth = self._abandon(token)
        if failure.place and token.type not in _DEPTH:
            self.index += 1  # the word cannot begin anything; do not stop at it again
        self._skip(depth, enter_blocks=mistake.enter_blocks)

    def _failure(self) -> syntax_errors.Failure:
        accepted = frozenset(self.lalr.accepts())  # type: ignore[no-untyped-call] # Lark's
        return syntax_errors.Failure(self.source, self.tokens, self.index, accepted)

    def _apply(self, repair: syntax_errors.Repair, token: Token) -> None:
        if repair.diagnostic:
            self.diagnostics.append(repair.diagnostic)
        self.index += repair.width
        kinds = (repair.kind or "").split()
        values = [repair.value] if len(kinds) == 1 else repair.value.split()
        for kind, value in zip(kinds, values, strict=False):
            if kind in self.lalr.accepts():  # type: ignore[no-untyped-call] # Lark's
                self.lalr.feed_token(token.update(kind, value))

    def _close_block(self, token: Token, failure: syntax_errors.Failure) -> None:
        """Put in the closing brace that is missing before this token."""
        at = syntax_errors.gap_before(failure).start
        brace = Token("RBRACE", "}", at, end_pos=at)
        while any(syntax_errors.is_brace(value) for value in self.lalr.parser_state.value_stack):
            try:
                self.lalr.feed_token(brace)
            except UnexpectedToken:
                self._abandon(token)
                continue
            return

    def _abandon(self, token: Token) -> int:
        """Fall back to the innermost place that may hold a damaged piece, and put one there.

        Return how many braces have been opened in what is given up.
        """
        braces = 0
        state = self.lalr.parser_state
        start = end = token.start_pos or 0
        saved: list[nodes.Item] = []
        while True:
            damage = _Damage("ERROR", "", start, end_pos=end)
            damage.saved = tuple(saved)
            try:
                self.lalr.feed_token(damage)
            except UnexpectedToken:
                state.state_stack.pop()
                value = state.value_stack.pop()
                braces += syntax_errors.is_brace(value)
                start = _start_of(value, start)
                saved = [*_saved(value), *saved]
            else:
                return braces

    def _skip(self, depth: int, *, enter_blocks: bool) -> None:
        """Pass over tokens, up to one that can stand after the damaged piece."""
        inner = 0
        while not self._must_stop():
            token = self.tokens[self.index]
            if depth == 0 and self._resumes(token, inner=inner, enter_blocks=enter_blocks):
                return
            depth = max(0, depth + _DEPTH.get(token.type, 0))
            inner = 0 if token.type in _DEPTH else inner + _INNER_DEPTH.get(token.type, 0)
            self.index += 1

    def _must_stop(self) -> bool:
        at_end = self.tokens[self.index].type == "$END"
        return at_end or syntax_errors.begins_declaration(self.tokens, self.index)

    def _resumes(self, token: Token, *, inner: int, enter_blocks: bool) -> bool:
        """Whether a token can stand after the damaged piece, and looks as if it was meant to."""
        choices = self.lalr.choices()  # type: ignore[no-untyped-call] # Lark's
        if "SEND" in choices and syntax_errors.may_begin_statement(self.tokens, self.index):
            return True
        if token.type not in choices:
            return False
        if token.type == "LBRACE":
            is_pairs = [one.type for one in self.tokens[self.index + 2 : self.index + 3]] == [
                "COLON"
            ]
            return enter_blocks and not is_pairs
        if token.type == "COMMA":
            return inner <= 0
        return token.type == "RBRACE" or syntax_errors.is_first_on_line(self.tokens, self.index)


def _quoted_zones(tokens: list[Token], source: Source) -> list[Diagnostic]:
    """Make one text of each time zone without quotes; return what is to be said about them."""
    found = []
    for start, end in reversed(list(bare_zones(tokens))):
        first, last = tokens[start], tokens[end - 1]
        place = Span(first.start_pos or 0, last.end_pos or 0)
        written = strings.encode(source.text[place.start : place.end])
        text = first.update("STRING", written)
        text.end_pos = last.end_pos
        tokens[start:end] = [text]
        message = f"write {written}: names and texts stand in double quotes"
        edits = (fix(source, place, written),)
        found.append(report(source, "FLOW-E111", place, message, fixes=edits))
    return found[::-1]


def _comment(token: Token, source: Source) -> Comment:
    start, end = token.start_pos or 0, token.end_pos or 0
    before = source.text[source.text.rfind("\n", 0, start) + 1 : start]
    return Comment(token.rstrip(), Span(start, end), not before.strip())


def _too_many(tokens: list[Token], source: Source) -> Diagnostic | None:
    if len(tokens) <= MOST_TOKENS:
        return None
    message = f"a file may hold {MOST_TOKENS} words and signs at most; split it into several"
    return report(source, "FLOW-E107", Span(0, 0), message)


def _start_of(value: Any, otherwise: int) -> int:  # noqa: ANN401 - whatever lies on Lark's stack
    start = getattr(getattr(value, "span", value), "start_pos", None)
    if start is None:
        start = getattr(getattr(value, "span", None), "start", None)
    return otherwise if start is None else int(start)


def _saved(value: Any) -> tuple[nodes.Item, ...]:  # noqa: ANN401 - whatever lies on Lark's stack
    """Statements inside a finished block that is given up."""
    block = getattr(value, "body", value)
    return block.items if isinstance(block, nodes.Block) else ()
