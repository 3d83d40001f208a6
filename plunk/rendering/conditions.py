"""Conditions of `if` and `unless` with JavaScript's idea of truth and of comparison."""

from __future__ import annotations

import math
from collections.abc import Callable
from operator import ge, gt, le, lt
from typing import Any

from liquid import RenderContext
from liquid.ast import Node
from liquid.builtin.expressions import BooleanExpression
from liquid.builtin.expressions.logical import (
    ContainsExpression,
    GeExpression,
    GtExpression,
    LeExpression,
    LogicalAndExpression,
    LogicalOrExpression,
    LtExpression,
)
from liquid.builtin.tags.if_tag import IfNode, IfTag
from liquid.builtin.tags.unless_tag import UnlessNode, UnlessTag
from liquid.expression import Expression
from liquid.stream import TokenStream

from plunk.rendering.limits import check_size
from plunk.rendering.values import is_truthy, to_text


class Condition(Expression):
    """A parsed condition, evaluated our way."""

    __slots__ = ("inner",)

    def __init__(self, inner: Expression) -> None:
        super().__init__(inner.token)
        self.inner = inner

    def evaluate(self, context: RenderContext) -> bool:
        """Tell whether the condition holds."""
        return holds(self.inner, context)

    def children(self) -> list[Expression]:
        """Return what static analysis should visit."""
        return [self.inner]


class IfBlock(IfTag):
    """`{% if %}` whose conditions follow JavaScript."""

    def parse(self, stream: TokenStream) -> Node:
        """Parse as usual, then wrap the conditions."""
        return _with_conditions(super().parse(stream))


class UnlessBlock(UnlessTag):
    """`{% unless %}` whose conditions follow JavaScript."""

    def parse(self, stream: TokenStream) -> Node:
        """Parse as usual, then wrap the conditions."""
        return _with_conditions(super().parse(stream))


def _with_conditions(node: Node) -> Node:
    if isinstance(node, IfNode | UnlessNode):
        node.condition = Condition(node.condition)
        for alternative in node.alternatives:
            alternative.expression = Condition(alternative.expression)
    return node


def holds(node: Expression, context: RenderContext) -> bool:
    """Evaluate a condition; a comparison that makes no sense is false, never an error."""
    match node:
        case BooleanExpression():
            return holds(node.expression, context)
        case LogicalAndExpression():
            return holds(node.left, context) and holds(node.right, context)
        case LogicalOrExpression():
            return holds(node.left, context) or holds(node.right, context)
        case ContainsExpression():
            return _contains(node.left.evaluate(context), node.right.evaluate(context))
        case LtExpression() | LeExpression() | GtExpression() | GeExpression():
            left, right = node.left.evaluate(context), node.right.evaluate(context)
            return _compare(_ORDERS[type(node)], left, right)
    return is_truthy(node.evaluate(context))


_ORDERS: dict[type[Expression], Callable[[Any, Any], bool]] = {
    LtExpression: lt,
    LeExpression: le,
    GtExpression: gt,
    GeExpression: ge,
}


def _compare(order: Callable[[Any, Any], bool], left: object, right: object) -> bool:
    if isinstance(left, str) and isinstance(right, str):
        return order(left, right)
    return order(_to_number(left), _to_number(right))


def _to_number(value: object) -> float:
    """Return the number a comparison sees; NaN, which no comparison likes, when there is none."""
    if not isinstance(value, str | int | float):
        return math.nan
    try:
        return float(value)
    except (ValueError, OverflowError):
        return math.nan


def _contains(left: object, right: object) -> bool:
    if isinstance(left, str):
        return to_text(right) in left
    if isinstance(left, range):  # searching a huge range for 1.5 would take for ever
        check_size(left)
    return isinstance(left, list | tuple | range) and right in left
