"""Loops over something that is not too long."""

from __future__ import annotations

from liquid import RenderContext
from liquid.ast import Node
from liquid.builtin.tags.for_tag import ForNode, ForTag
from liquid.builtin.tags.tablerow_tag import TablerowNode, TablerowTag
from liquid.expression import Expression
from liquid.stream import TokenStream

from plunk.rendering.limits import check_size


class BoundedRange(Expression):
    """What a loop runs over; a huge range is refused before somebody makes a list of it."""

    __slots__ = ("inner",)

    def __init__(self, inner: Expression) -> None:
        super().__init__(inner.token)
        self.inner = inner

    def __str__(self) -> str:
        return str(self.inner)  # the library names loops by their source

    def evaluate(self, context: RenderContext) -> object:
        """Return the value, or raise TooExpensive."""
        value = self.inner.evaluate(context)
        if isinstance(value, range):
            check_size(value)
        return value

    def children(self) -> list[Expression]:
        """Return what static analysis should visit."""
        return [self.inner]


class BoundedFor(ForTag):
    """`{% for %}`."""

    def parse(self, stream: TokenStream) -> Node:
        """Parse as usual, then guard the range."""
        node = super().parse(stream)
        if isinstance(node, ForNode):
            node.expression.iterable = BoundedRange(node.expression.iterable)
        return node


class BoundedTablerow(TablerowTag):
    """`{% tablerow %}`."""

    def parse(self, stream: TokenStream) -> TablerowNode:
        """Parse as usual, then guard the range."""
        node = super().parse(stream)
        node.expression.iterable = BoundedRange(node.expression.iterable)
        return node
