"""Which texts of a workflow have their {{ placeholders }} filled in, and which keep them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, TypeAlias

from dsl import nodes
from dsl.walking import conditions, parts_of, values

if TYPE_CHECKING:
    from collections.abc import Iterator

_SIGNS = re.compile(r"\{[{%]")
# A text with a placeholder in it, and whether that is filled in.
Found: TypeAlias = "tuple[nodes.Literal | nodes.Text, bool]"


def placeholders(item: nodes.Item) -> Iterator[Found]:
    """Yield the texts with placeholders directly in a statement or header."""
    match item:
        case nodes.RawStep():
            return  # its configuration may be another version's
        case nodes.Webhook(_, url, options):
            yield from _text(url, is_filled=True)
            if options:
                yield from _inside(options, is_filled=True)
        case nodes.SendEmail(_, _, overrides) if overrides:
            for pair in overrides.pairs:
                yield from _inside(pair.value, is_filled=pair.key.value == "subject")
        case nodes.SendEmail():
            return  # a recipient with placeholders is no address, which is reported
        case nodes.Exit(reason) if reason:
            yield from _text(reason, is_filled=False)
        case _:
            for value in (*values(item), *conditions(item)):
                yield from _inside(value, is_filled=False)


def _inside(value: nodes.Operand, *, is_filled: bool) -> Iterator[Found]:
    """Yield the texts in a value; those that are part of an expression are taken as they are."""
    match value:
        case nodes.Literal(str() as written):
            if _SIGNS.search(written):
                yield value, is_filled
        case nodes.Call(nodes.Text("render"), arguments):
            for argument in arguments:
                yield from _inside(argument, is_filled=True)
        case nodes.Object() | nodes.ListOf():
            for part in parts_of(value):
                yield from _inside(part, is_filled=is_filled)
        case _:
            for part in parts_of(value):
                yield from _inside(part, is_filled=False)


def _text(text: nodes.Text, *, is_filled: bool) -> Iterator[Found]:
    if _SIGNS.search(text.value):
        yield text, is_filled
