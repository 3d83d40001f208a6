"""Template source → tokens for the Liquid parser, in time linear in the source.

The library's own lexer is a regular expression that takes quadratic time on hostile sources.
This one also decodes the entities that rich-text editors leave between the delimiters.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from liquid import Token
from liquid.exceptions import LiquidSyntaxError
from liquid.token import TOKEN_CONTENT, TOKEN_EOF, TOKEN_EXPRESSION, TOKEN_OUTPUT, TOKEN_TAG

from plunk.rendering.limits import MAX_DELIMITERS, MAX_EXPRESSION

_OPENING = re.compile(r"\{[{%]")
_TAG_NAME = re.compile(r"#|\w+")
_END_RAW = re.compile(r"\{%-?\s*endraw\s*-?%\}")
_COMMENT = re.compile(r"\{%-?\s*(?P<end>end)?comment\b")
_ENTITY = re.compile(r"&(?:lt|gt|quot|#34|apos|#39|amp|nbsp|#160);|\xa0")
_CHARACTERS = {
    "&lt;": "<",
    "&gt;": ">",
    "&quot;": '"',
    "&#34;": '"',
    "&apos;": "'",
    "&#39;": "'",
    "&amp;": "&",
    "&nbsp;": " ",
    "&#160;": " ",
    "\xa0": " ",
}


def decode_entities(text: str) -> str:
    """Undo, once, what a rich-text editor did to an expression."""
    return _ENTITY.sub(lambda match: _CHARACTERS[match[0]], text)


def tokenize(source: str) -> Iterator[Token]:
    """Yield the tokens of a template; raise LiquidSyntaxError where a delimiter is left open."""
    return _Scanner(source).tokens()


class _Scanner:
    """A position in the source, and whether the text that follows loses its leading space."""

    def __init__(self, source: str) -> None:
        self.source = source
        self.position = 0
        self.trim = False
        self.delimiters = 0

    def tokens(self) -> Iterator[Token]:
        while opening := _OPENING.search(self.source, self.position):
            start = opening.start()
            yield from self._content(start, trim=self.source.startswith("-", start + 2))
            yield from self._output(start) if opening[0] == "{{" else self._tag(start)
        yield from self._content(len(self.source), trim=False)

    def _content(self, end: int, *, trim: bool) -> Iterator[Token]:
        start, text = self.position, self.source[self.position : end]
        self.position = end
        text = text.lstrip() if self.trim else text
        text = text.rstrip() if trim else text
        self.trim = False
        if text:
            yield self._token(TOKEN_CONTENT, text, start)

    def _output(self, start: int) -> Iterator[Token]:
        expression = self._inside(start, "}}")
        yield self._token(TOKEN_OUTPUT, expression, start)
        yield self._token(TOKEN_EXPRESSION, expression, start)

    def _tag(self, start: int) -> Iterator[Token]:
        inside = self._inside(start, "%}")
        name = _TAG_NAME.match(inside)
        if name is None:
            raise self._error("a tag has no name", start)
        expression = inside[name.end() :].strip()
        if name[0] == "raw":
            yield from self._raw(start)
        elif name[0] == "comment":
            self._skip_comment(start)
        else:
            yield self._token(TOKEN_TAG, name[0], start)
            if expression:
                place = self.source.find(expression, start, self.position)
                yield self._token(TOKEN_EXPRESSION, expression, max(place, start))

    def _inside(self, start: int, closing: str) -> str:
        """Return the expression that opens at `start`, and stand behind it."""
        self.delimiters += 1
        if self.delimiters > MAX_DELIMITERS:
            raise self._error("the template has too many placeholders and tags", start)
        end = self.source.find(closing, start + 2)
        if end < 0:
            raise self._error(
                f"{self.source[start : start + 2]} is never closed by {closing}", start
            )
        if end - start > MAX_EXPRESSION:
            raise self._error("an expression is too long", start)
        text = self.source[start + 2 : end].removeprefix("-")
        self.trim = text.endswith("-")
        self.position = end + 2
        return decode_entities(text.removesuffix("-")).strip()

    def _raw(self, start: int) -> Iterator[Token]:
        end = _END_RAW.search(self.source, self.position)
        if end is None:
            raise self._error("raw is never closed by endraw", start)
        yield from self._content(end.start(), trim=False)
        self.position, self.trim = end.end(), end[0].endswith("-%}")

    def _skip_comment(self, start: int) -> None:
        depth = 1
        while depth:
            mark = _COMMENT.search(self.source, self.position)
            if mark is None:
                raise self._error("comment is never closed by endcomment", start)
            depth += -1 if mark["end"] else 1
            self._inside(mark.start(), "%}")

    def _token(self, kind: str, value: str, start: int) -> Token:
        return Token(kind, value, start, self.source)

    def _error(self, message: str, start: int) -> LiquidSyntaxError:
        return LiquidSyntaxError(message, token=self._token(TOKEN_EOF, "", start))
