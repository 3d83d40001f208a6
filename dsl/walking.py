"""Ways through the syntax tree that several checks share."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

from dsl import nodes
from dsl.building.parts import as_condition

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
        case nodes.WaitForEvent() | nodes.WaitUntil():
            yield from (block.items for block in (item.body, item.timeout) if block)
        case nodes.Switch() | nodes.Split():
            arms = item.cases if isinstance(item, nodes.Switch) else item.shares
            yield from (arm.body.items for arm in arms)
            if item.otherwise:
                yield item.otherwise.items
        case nodes.Broken(items):
            yield items


def conditions(item: nodes.Item) -> Iterator[nodes.Condition]:
    """Yield the conditions directly in a statement or header."""
    match item:
        case nodes.OnEvent(_, where) | nodes.WaitForEvent(_, where) if where:
            yield where
        case nodes.If(branches):
            yield from (branch.condition for branch in branches)
        case nodes.WaitUntil(moment) if is_condition(moment):
            yield as_condition(moment)
        case nodes.Stop(when) | nodes.Goal(_, when):
            yield from _happening(when)


def _happening(when: nodes.Happening) -> Iterator[nodes.Condition]:
    match when:
        case nodes.EventHappens(_, where) if where:
            yield where
        case nodes.ConditionHolds(condition):
            yield condition


def values(item: nodes.Item) -> Iterator[nodes.Operand]:
    """Yield the values directly in a statement or header."""
    match item:
        case nodes.SendEmail(_, to, overrides):
            yield from (value for value in (to, overrides) if value)
        case nodes.Webhook(options=value) | nodes.Track(data=value) if value:
            yield value
        case nodes.UpdateContact(value) | nodes.RawStep(config=nodes.Object() as value):
            yield value
        case nodes.WaitUntil(value) if not is_condition(value):
            yield value
        case nodes.Switch(subject, cases):
            yield subject
            yield from (value for case in cases for value in case.values)
        case nodes.OnDate(value):
            yield value
        case nodes.Timezone(value) if value:
            yield value


def durations(item: nodes.Item) -> Iterator[nodes.Duration]:
    """Yield the durations directly in a statement or header, those inside conditions too."""
    match item:
        case nodes.Wait(duration):
            yield duration
        case nodes.WaitForEvent(limit=limit) | nodes.WaitUntil(limit=limit) if limit:
            yield limit
        case nodes.Reentry(_, after) if after:
            yield after
    if isinstance(item, nodes.WaitUntil | nodes.OnDate) and item.offset:
        yield item.offset.length


def tests(condition: nodes.Condition) -> Iterator[nodes.Leaf]:
    """Yield the single tests of a condition."""
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
    for part in parts_of(value):
        yield from every_operand(part)


def misplaced(value: nodes.Operand) -> Iterator[nodes.Operand]:
    """Conditions inside a value, where only values can stand."""
    for inner in every_operand(value):
        if isinstance(inner, nodes.Triggered | nodes.Counted):
            yield from (part for part in _operands(inner) if is_condition(part))
        elif not isinstance(inner, nodes.AllOf | nodes.AnyOf | nodes.Not | nodes.Bare):
            yield from (part for part in parts_of(inner) if is_condition(part))


def is_condition(value: nodes.Operand) -> bool:
    """Whether this is a condition rather than a value."""
    return isinstance(value, nodes.CONDITIONS)


def _operands(value: nodes.Triggered | nodes.Counted) -> tuple[nodes.Operand, ...]:
    return (value.value,) if isinstance(value, nodes.Counted) else ()


def parts_of(value: nodes.Operand) -> tuple[nodes.Operand, ...]:  # noqa: PLR0911 - a table
    """Return the values and conditions directly inside a value or condition."""
    match value:
        case nodes.AllOf(parts) | nodes.AnyOf(parts):
            return parts
        case nodes.Not(part) | nodes.Bare(part) | nodes.Negate(part) | nodes.Member(part):
            return (part,)
        case nodes.Test(subject, _, operand):
            return (subject,) if operand is None else (subject, operand)
        case nodes.ListOf(items) | nodes.Call(_, items):
            return items
        case nodes.Object(pairs):
            return tuple(pair.value for pair in pairs)
        case nodes.Binary(_, left, right):
            return (left, right)
        case nodes.Triggered(_, where) | nodes.Counted(_, where):
            return (*([where] if where else []), *_operands(value))
    return ()
