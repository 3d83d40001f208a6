"""What a template must say."""

from __future__ import annotations

import posixpath
from typing import TYPE_CHECKING

from dsl import nodes
from dsl.bundle import file_reference, resolve
from dsl.check_keys import unknown_keys
from dsl.check_values import duplicate_keys
from dsl.compile_templates import split_address
from dsl.decoding import decode_text
from dsl.diagnostics import Diagnostic, report
from dsl.strings import encode
from dsl.suggestions import advice

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dsl.bundle import Bundle
    from dsl.parser import Parsed
    from dsl.spans import Source

TYPES = ("marketing", "transactional", "headless")
KEYS = ("type", "subject", "from", "fromName", "replyTo", "body", "description")
_REQUIRED = ("type", "subject", "from", "body")
_ADDRESSES = ("from", "replyTo")


def check_template(bundle: Bundle, file: Parsed, template: nodes.Template) -> Iterator[Diagnostic]:
    """Report keys and values that do not fit."""
    source, pairs = file.source, template.fields.pairs
    yield from unknown_keys(source, pairs, KEYS, "a template")
    yield from duplicate_keys(source, pairs)
    written = {pair.key.value for pair in pairs}
    missing = [key for key in _REQUIRED if key not in written]
    if missing and not template.fields.is_damaged:
        names = " and ".join(filter(None, [", ".join(missing[:-1]), missing[-1]]))
        message = f"template {template.name.value!r} has no {names}; add it"
        yield report(source, "FLOW-E305", template.name.span, message)
    for pair in pairs:
        yield from _value(bundle, source, pair)


def _value(bundle: Bundle, source: Source, pair: nodes.Pair) -> Iterator[Diagnostic]:
    key, value = pair.key.value, pair.value
    if key == "type":
        yield from _type(source, value)
    elif key == "body" and file_reference(value):
        yield from _file(bundle, source, value)
    elif key in KEYS:
        yield from _text(source, pair)


def _type(source: Source, value: nodes.Operand) -> Iterator[Diagnostic]:
    word = value.root if isinstance(value, nodes.Name) and not value.path else None
    if word in TYPES:
        return
    written = value.value if isinstance(value, nodes.Literal) else word
    hint, edits = advice(source, value.span, str(written), TYPES)
    message = f"type is one of {', '.join(TYPES)}, without quotes"
    yield report(source, "FLOW-E306", value.span, message, hint=hint, fixes=edits)


def _text(source: Source, pair: nodes.Pair) -> Iterator[Diagnostic]:
    key, value = pair.key.value, pair.value
    if not isinstance(value, nodes.Literal) or not isinstance(value.value, str):
        extra = ' or file("path")' if key == "body" else ""
        message = f"{key} must be a text in quotes{extra}"
        yield report(source, "FLOW-E306", value.span, message)
    elif key in _ADDRESSES and not _is_address(value.value):
        message = f'{key} must be an address: "ada@example.com" or "Ada <ada@example.com>"'
        yield report(source, "FLOW-E306", value.span, message)
    elif key == "subject" and not value.value.strip():
        yield report(source, "FLOW-E306", value.span, "the subject must not be empty")


def _is_address(written: str) -> bool:
    """Whether this can be an address; a placeholder may stand for one."""
    _, address = split_address(written)
    local, _, domain = address.rpartition("@")
    return "{{" in written or bool(local and domain and " " not in address)


def _file(bundle: Bundle, source: Source, value: nodes.Operand) -> Iterator[Diagnostic]:
    reference = file_reference(value)
    if reference is None:
        return
    path = str(reference.value)
    target = resolve(source.path, path)
    if target is None:
        message = f"{path!r} leaves the bundle; move the file next to the .flow files"
        yield report(source, "FLOW-E211", reference.span, message)
    elif target not in bundle.assets:
        near = {_seen_from(source.path, asset) for asset in bundle.assets}
        hint, edits = advice(source, reference.span, path, near, encode)
        message = f"there is no file {path!r}; the path begins in the folder of this file"
        yield report(source, "FLOW-E210", reference.span, message, hint=hint, fixes=edits)
    elif decode_text(bundle.assets[target]) is None:
        message = f"{path!r} is not UTF-8 text; save it as UTF-8"
        yield report(source, "FLOW-E210", reference.span, message)


def _seen_from(file: str, asset: str) -> str:
    """Return the path of a file of the bundle as another one has to write it."""
    return posixpath.relpath(asset, posixpath.dirname(file) or ".")
