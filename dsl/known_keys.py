"""The keys of data that a bundle speaks of: a contact's, an event's, a web hook's answer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dsl import nodes
from dsl.check_names import names_in
from dsl.walking import conditions, every_item, every_operand, values

if TYPE_CHECKING:
    from collections.abc import Iterator
    from collections.abc import Set as AbstractSet

    from dsl.bundle import Bundle


def keys_of(bundle: Bundle) -> AbstractSet[str]:
    """Return every key that is set, asked for, or made up by a test."""
    found: set[str] = set()
    for _, workflow in bundle.workflows():
        for item in every_item(workflow.body.items):
            found.update(_of_item(item))
    for _, segment in bundle.segments():
        for part in segment.items:
            if isinstance(part, nodes.SegmentWhere):
                found.update(_asked([part.condition]))
    for _, test in bundle.tests():
        for line in test.items:
            found.update(_of_test(line))
    return found


def tested_workflows(bundle: Bundle) -> AbstractSet[str]:
    """Return the names of the workflows that a test runs."""
    return {
        item.workflow.value
        for _, test in bundle.tests()
        for item in test.items
        if isinstance(item, nodes.UnderTest)
    }


def _of_item(item: nodes.Item) -> Iterator[str]:
    yield from _asked([*conditions(item), *values(item)])
    match item:
        case nodes.UpdateContact(data) | nodes.Track(data=data) | nodes.RawStep(_, data) if data:
            yield from _all_keys(data)
        case nodes.Webhook(binding=binding) if binding:
            yield binding.value


def _of_test(item: nodes.TestItem) -> Iterator[str]:
    match item:
        case nodes.Person(data) | nodes.SetContact(data) | nodes.Track(data=data) if data:
            yield from _all_keys(data)
        case nodes.Started(data) if data:
            yield from _all_keys(data)
        case nodes.ExpectCondition(condition):
            yield from _asked([condition])


def _asked(operands: list[nodes.Operand]) -> Iterator[str]:
    """Yield the keys behind contact.data, data, event and run.context."""
    for name in names_in(operands):
        for key in name.path:
            if isinstance(key, str):
                yield key


def _all_keys(data: nodes.Object) -> Iterator[str]:
    for inner in every_operand(data):
        if isinstance(inner, nodes.Object):
            yield from (pair.key.value for pair in inner.pairs)
