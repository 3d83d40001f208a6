"""Simple templates: nothing but text and paths, which most subjects and many bodies are.

They need none of the library's machinery and get the same result without it, several times faster.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple, TypeAlias

from liquid import BoundTemplate
from liquid.builtin.content import ContentNode

from plunk.rendering.limits import Budget
from plunk.rendering.nodes import EmptyNode, PlaceholderNode
from plunk.rendering.values import find_path, is_blank, to_output


class Slot(NamedTuple):
    """A place for the value at a path; the fallback stands in for a blank one."""

    path: tuple[str, ...]
    fallback: str | None


Parts: TypeAlias = Sequence[str | Slot]
MOST_PARTS = 200  # with more of them, somebody has to look at the clock


def simple_parts(template: BoundTemplate) -> Parts | None:
    """Return what a simple template consists of; None when it is not one."""
    parts: list[str | Slot] = []
    for node in template.nodes:
        match node:
            case ContentNode():
                parts.append(node.text)
            case PlaceholderNode(path=tuple(path)):
                parts.append(Slot(path, node.fallback))
            case EmptyNode():
                continue
            case _:
                return None
    return parts if len(parts) <= MOST_PARTS else None


def fill(parts: Parts, variables: Mapping[str, object]) -> str:
    """Return the text with the values in their places, or raise TooExpensive."""
    budget = Budget()
    texts: list[str] = []
    for part in parts:
        texts.append(part if isinstance(part, str) else _value(part, variables, budget))
        budget.write(len(texts[-1]))
    return "".join(texts)


def _value(slot: Slot, variables: Mapping[str, object], budget: Budget) -> str:
    value = find_path(variables, slot.path)
    if slot.fallback is not None and is_blank(value):
        return slot.fallback
    if not isinstance(value, str):
        budget.check_time()  # a list may take its time
    return to_output(value, as_list=True)
