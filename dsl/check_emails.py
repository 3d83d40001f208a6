"""What a statement that sends must say."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from dsl import nodes
from dsl.check_keys import unknown_keys
from dsl.compile_templates import split_address
from dsl.diagnostics import Diagnostic, Fix, fix, report
from dsl.strings import encode

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dsl.spans import Source

OVERRIDES = ("from", "fromName", "replyTo", "subject")
_ADDRESSES = frozenset({"from", "replyTo"})
_ADDRESS = re.compile(r"[^@\s\x00-\x1f<>,;]{1,64}@[^@\s\x00-\x1f<>,;]{1,254}")


def check_email(source: Source, item: nodes.SendEmail) -> Iterator[Diagnostic]:
    """Report a nameless template, and values that are no texts or addresses."""
    if not item.template.value.strip():
        yield report(source, "FLOW-E313", item.template.span, "a template needs a name")
    if item.to:
        yield from must_be_text(source, item.to, "the recipient")
        yield from _recipient(source, item.to)
    overrides = item.overrides.pairs if item.overrides else ()
    yield from unknown_keys(source, overrides, OVERRIDES, "an e-mail")
    written = {pair.key.value for pair in overrides}
    for pair in overrides:
        key = pair.key.value
        yield from must_be_text(source, pair.value, key)
        match pair.value:
            case nodes.Literal("") as value if key in OVERRIDES:
                message = f"an empty {key} counts as none: the template's own is used; remove it"
                yield report(source, "FLOW-W414", value.span, message)
            case nodes.Literal(str()) as value if key in _ADDRESSES:
                yield from _address(source, pair, value, may_name="fromName" not in written)


def must_be_text(source: Source, value: nodes.Operand, what: str) -> Iterator[Diagnostic]:
    """Report a value that is certainly no text."""
    is_other_literal = isinstance(value, nodes.Literal) and not isinstance(value.value, str)
    if is_other_literal or isinstance(value, nodes.ListOf | nodes.Object):
        yield report(source, "FLOW-E306", value.span, f"{what} must be a text")


def is_address(written: str) -> bool:
    """Tell whether this is one e-mail address and nothing else."""
    return _ADDRESS.fullmatch(written) is not None


def _recipient(source: Source, value: nodes.Operand) -> Iterator[Diagnostic]:
    match value:
        case nodes.Literal(str() as written) if not is_address(written):
            message = f'{written!r} is no address; write one: "ada@example.com"'
            _, address = split_address(written)
            edits = (fix(source, value.span, encode(address)),) if is_address(address) else ()
            yield report(source, "FLOW-E306", value.span, message, fixes=edits)


def _address(
    source: Source, pair: nodes.Pair, value: nodes.Literal, *, may_name: bool
) -> Iterator[Diagnostic]:
    key, written = pair.key.value, str(value.value)
    if is_address(written):
        return
    name, address = split_address(written)
    if not is_address(address):
        message = f'{key} must be an address: "ada@example.com"'
        yield report(source, "FLOW-E306", value.span, message)
        return
    edits: tuple[Fix, ...] = (fix(source, value.span, encode(address)),)
    message = f"{key} is an address alone here"
    if key == "from":
        message += "; the name stands in fromName"
        if may_name and name:
            edits = (fix(source, value.span, f"{encode(address)}, fromName: {encode(name)}"),)
    yield report(source, "FLOW-E306", value.span, message, fixes=edits)
