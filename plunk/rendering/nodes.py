"""The placeholder as the Liquid parser builds and renders it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TextIO

from liquid import Environment, RenderContext, Token
from liquid.ast import Node
from liquid.builtin.expressions import FilteredExpression, tokenize
from liquid.exceptions import LiquidSyntaxError
from liquid.expression import Expression
from liquid.stream import TokenStream
from liquid.tag import Tag
from liquid.token import TOKEN_EXPRESSION, TOKEN_OUTPUT, TOKEN_TAG

from plunk.rendering.placeholders import parse_path, parse_placeholder, to_liquid
from plunk.rendering.values import is_blank, to_output


class PlaceholderNode(Node):
    """`{{ expression ?? fallback | filters }}`; `path` is set when the expression is but a path."""

    __slots__ = ("fallback", "head", "path", "tail")

    def __init__(
        self,
        token: Token,
        head: Expression,
        fallback: str | None,
        tail: FilteredExpression,
        path: tuple[str, ...] | None = None,
    ) -> None:
        super().__init__(token)
        self.path = path
        self.head = head
        self.fallback = fallback
        self.tail = tail
        self.blank = False

    def render_to_output(self, context: RenderContext, buffer: TextIO) -> int:
        """Print the value; arrays are list items except inside a loop."""
        return buffer.write(to_output(self._value(context), as_list=not context.loops))

    def _value(self, context: RenderContext) -> object:
        value = self.head.evaluate(context)
        if self.fallback is not None and is_blank(value):
            value = self.fallback
        for step in self.tail.filters or ():
            value = step.evaluate(value, context)
        return value

    def expressions(self) -> Iterable[Expression]:
        """Return what static analysis should visit."""
        return [self.head, self.tail]


class EmptyNode(Node):
    """`{{}}`, which prints nothing."""

    __slots__ = ()

    def render_to_output(self, context: RenderContext, buffer: TextIO) -> int:  # noqa: ARG002
        """Print nothing."""
        return 0


class PlaceholderTag(Tag):
    """Parses what the lexer found between `{{` and `}}`."""

    name = TOKEN_OUTPUT
    block = False

    def parse(self, stream: TokenStream) -> Node:
        """Return the placeholder's node."""
        return _placeholder(self.env, stream.eat(TOKEN_OUTPUT), stream.expect(TOKEN_EXPRESSION))


class Echo(Tag):
    """`{% echo x %}`, the placeholder as a tag."""

    name = "echo"
    block = False

    def parse(self, stream: TokenStream) -> Node:
        """Return the placeholder's node."""
        return _placeholder(self.env, stream.eat(TOKEN_TAG), stream.expect(TOKEN_EXPRESSION))


def _placeholder(env: Environment, token: Token, source: Token) -> Node:
    placeholder = parse_placeholder(source.value, env.filters)
    if not placeholder.head:
        return EmptyNode(token)
    head = _parse(env, to_liquid(placeholder.head), source)
    tail = _parse(env, f"nil {placeholder.tail}", source)
    path = None if tail.filters else parse_path(placeholder.head)
    return PlaceholderNode(token, head, placeholder.fallback, tail, path)


def _parse(env: Environment, text: str, token: Token) -> FilteredExpression:
    # The text was rewritten: only the place where the placeholder starts still means something.
    tokens = (each._replace(start_index=token.start_index) for each in tokenize(text, token))
    parsed = FilteredExpression.parse(env, TokenStream(tokens))
    if not isinstance(parsed, FilteredExpression):
        raise LiquidSyntaxError("a placeholder cannot hold a condition", token=token)
    return parsed
