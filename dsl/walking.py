"""Ways through the syntax tree that several checks share."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

from dsl import nodes

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

Place: TypeAlias = nodes.Statement | nodes.Header


def every_item(items: Iterable[nodes.Item]) -> Iterator[nodes.Item]:
    """All statements and headers, those inside blocks included, in the order written."""
    for item in items:
        yield item
        for block in blocks(item):
            yield from every_item(block)


def blocks(item: nodes.Item) -> Iterator[tuple[nodes.Item, ...]]:
    """Yield the items of the blocks directly inside a statement."""
    match item:
        case nodes.If(branches, otherwise):
            yield from (branch.body.items for branch in branches)
            if otherwise:
                yield otherwise.items
        case nodes.WaitForEvent():
            yield from (block.items for block in (item.body, item.timeout) if block)
        case nodes.Broken(items):
            yield items


def conditions(item: nodes.Item) -> Iterator[nodes.Condition]:
    """Yield the conditions directly in a statement or header."""
    match item:
        case nodes.OnEvent(_, where) | nodes.WaitForEvent(_, where) if where:
            yield where
        case nodes.If(branches):
            yield from (branch.condition for branch in branches)


def values(item: nodes.Item) -> Iterator[nodes.Operand]:
    """Yield the values directly in a statement."""
    match item:
        case nodes.SendEmail(_, to, overrides):
            yield from (value for value in (to, overrides) if value)
        case nodes.Webhook(_, _, options) if options:
            yield options
        case nodes.UpdateContact(updates):
            yield updates


def durations(item: nodes.Item) -> Iterator[nodes.Duration]:
    """Yield the durations directly in a statement or header."""
    match item:
        case nodes.Wait(duration):
            yield duration
        case nodes.WaitForEvent(_, _, limit) if limit:
            yield limit
        case nodes.Reentry(_, after) if after:
            yield after


def tests(condition: nodes.Condition) -> Iterator[nodes.Test | nodes.Bare]:
    """The single tests of a condition."""
    match condition:
        case nodes.AllOf(parts) | nodes.AnyOf(parts):
            for part in parts:
                yield from tests(part)
        case nodes.Not(part):
            yield from tests(part)
        case _:
            yield condition


def every_operand(value: nodes.Operand) -> Iterator[nodes.Operand]:
    """Yield a value or condition and everything inside it."""
    yield value
    for part in _parts(value):
        yield from every_operand(part)


def misplaced(value: nodes.Operand) -> Iterator[nodes.Operand]:
    """Conditions inside a value, where only values can stand."""
    for inner in every_operand(value):
        if not isinstance(inner, nodes.AllOf | nodes.AnyOf | nodes.Not | nodes.Bare):
            yield from (part for part in _parts(inner) if is_condition(part))


def is_condition(value: nodes.Operand) -> bool:
    """Whether this is a condition rather than a value."""
    return isinstance(value, nodes.AllOf | nodes.AnyOf | nodes.Not | nodes.Test | nodes.Bare)


def _parts(value: nodes.Operand) -> tuple[nodes.Operand, ...]:  # noqa: PLR0911 - a table
    match value:
        case nodes.AllOf(parts) | nodes.AnyOf(parts):
            return parts
        case nodes.Not(part) | nodes.Bare(part) | nodes.Negate(part):
            return (part,)
        case nodes.Test(subject, _, operand):
            return (subject,) if operand is None else (subject, operand)
        case nodes.ListOf(items) | nodes.Call(_, items):
            return items
        case nodes.Object(pairs):
            return tuple(pair.value for pair in pairs)
        case nodes.Binary(_, left, right):
            return (left, right)
    return ()
